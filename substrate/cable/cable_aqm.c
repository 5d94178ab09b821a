/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Queue management in front of the rate: which frames to drop or mark although there is room.
 *
 * RED (Floyd, Jacobson 1993) follows a moving average of the queue's length and takes frames with a
 * chance that rises between two thresholds. The average is kept with 20 bits of fraction. While the
 * link is idle nothing comes that could lower it, so the time is turned into the number of packets
 * that could have left, and the average decays as if each had found the queue empty.
 *
 * CoDel (RFC 8289) looks at how long frames wait. It works on frames that leave a queue; here there
 * is none, as the moment at which a frame will leave is known when it comes (cable_rate.c). So its
 * pseudo code is run at that moment, one frame at a time, with the times at which the frames would
 * be taken out. It takes the very frames that the RFC's code takes from a queue that is really
 * there.
 *
 * All of it is in integers: the same frames are taken on every machine.
 */
#include "substrate/cable/cable_aqm.h"

enum {
	RED_WEIGHT_DEFAULT = 9,  /* 1/512, as the paper's 0.002 */
	RED_PROBABILITY = 20000, /* tc: 2 % */
	RED_PACKET = 1000,       /* tc's avpkt: how fast the average falls on an idle link */
	RED_SHIFT = 20,          /* fraction bits of the average */
	CODEL_MAX_PACKET = 1514, /* a queue of one such packet is never too long */
	CODEL_RECENT = 16,       /* intervals after which the last count means nothing */
};
static const int64_t codel_target_default_ns = 5000000;
static const int64_t codel_interval_default_ns = 100000000;

/* (1 - 2^-weight)^n as a fraction of 2^32. */
static uint64_t decay(unsigned weight, uint64_t n)
{
	uint64_t base = (UINT64_C(1) << 32) - (UINT64_C(1) << (32 - weight));
	uint64_t result = UINT64_C(1) << 32;

	for (; n && result; n >>= 1) {
		if (n & 1)
			result = (uint64_t)((unsigned __int128)result * base >> 32);
		base = (uint64_t)((unsigned __int128)base * base >> 32);
	}
	return result;
}

/*
 * The average is of bytes, not of frames, so that many small frames are not taken for a long queue.
 */
static void red_average(struct cable_aqm *q, const struct linkspec *spec,
			const struct cable_arrival *a)
{
	unsigned weight = spec->red_weight ? (unsigned)spec->red_weight : RED_WEIGHT_DEFAULT;
	int64_t bytes = (int64_t)(a->waiting_bytes << RED_SHIFT);

	if (a->idle_ns > 0) {
		int64_t packet_ns = (int64_t)RED_PACKET * 8 * 1000000000 / spec->rate_bps;
		uint64_t packets = (uint64_t)(a->idle_ns / (packet_ns > 0 ? packet_ns : 1));

		q->red.average =
			(uint64_t)((unsigned __int128)q->red.average * decay(weight, packets) >>
				   32);
	}
	q->red.average += (uint64_t)((bytes - (int64_t)q->red.average) >> weight);
}

/*
 * Between min and max the chance rises to the given probability, and further with every frame let
 * through since, so that the gaps between frames taken are uniform and not geometric.
 */
static bool red_takes(struct cable_aqm *q, const struct linkspec *spec, struct rng *random,
		      const struct cable_arrival *a)
{
	uint64_t max = (uint64_t)(spec->red_max_bytes ? spec->red_max_bytes : a->limit_bytes / 4);
	uint64_t min = spec->red_min_bytes ? (uint64_t)spec->red_min_bytes : max / 3;
	uint64_t ppm =
		(uint64_t)(spec->red_probability_ppm ? spec->red_probability_ppm : RED_PROBABILITY);

	red_average(q, spec, a);
	uint64_t average = q->red.average >> RED_SHIFT;

	if (average < min) {
		q->red.count = -1;
		return false;
	}
	if (average >= max) {
		q->red.count = -1;
		return true;
	}
	/* In parts of 2^32: p = probability * (average - min) / (max - min). */
	uint64_t p = (uint64_t)((unsigned __int128)(average - min) * ppm * (UINT64_C(1) << 32) /
				1000000 / (max - min));
	int64_t rest = (int64_t)((UINT64_C(1) << 32) - (uint64_t)++q->red.count * p);

	if (rest <= (int64_t)p || rng_below(random, (uint64_t)rest) < p) {
		q->red.count = -1;
		return true;
	}
	return false;
}

static uint64_t integer_root(unsigned __int128 x)
{
	uint64_t root = 0;

	for (uint64_t bit = UINT64_C(1) << 62; bit; bit >>= 1)
		if ((unsigned __int128)(root + bit) * (root + bit) <= x)
			root += bit;
	return root;
}

static int64_t codel_interval(const struct linkspec *spec)
{
	return spec->codel_interval_ns ? spec->codel_interval_ns : codel_interval_default_ns;
}

/* at + interval / sqrt(count), rounded down */
static int64_t codel_law(const struct linkspec *spec, int64_t at_ns, uint32_t count)
{
	unsigned __int128 square =
		(unsigned __int128)codel_interval(spec) * (unsigned __int128)codel_interval(spec);

	return at_ns + (int64_t)integer_root(square / count);
}

/* RFC 8289, section 5.6, dodequeue(): has the wait been too long for a whole interval? */
static bool codel_is_long(struct cable_aqm *q, const struct linkspec *spec,
			  const struct cable_arrival *a)
{
	int64_t target = spec->codel_target_ns ? spec->codel_target_ns : codel_target_default_ns;

	if (a->start_ns - a->now_ns < target || a->waiting_bytes <= CODEL_MAX_PACKET) {
		q->codel.above_ns = 0;
		return false;
	}
	if (!q->codel.above_ns) {
		q->codel.above_ns = a->start_ns + codel_interval(spec);
		return false;
	}
	return a->start_ns >= q->codel.above_ns;
}

/*
 * Coming back soon after the last time, it goes on with almost the rate that it had: the load that
 * needed it is likely still there (RFC 8289, section 5.5).
 */
static bool codel_begin(struct cable_aqm *q, const struct linkspec *spec, int64_t now_ns)
{
	uint32_t delta = q->codel.count - q->codel.last_count;
	bool recent = now_ns - q->codel.next_ns < CODEL_RECENT * codel_interval(spec);

	q->codel.dropping = true;
	q->codel.first = true;
	q->codel.pending = false;
	q->codel.count = delta > 1 && recent ? delta : 1;
	q->codel.last_count = q->codel.count;
	q->codel.next_ns = codel_law(spec, now_ns, q->codel.count);
	return true;
}

/* RFC 8289, section 5.5, dequeue(), one frame at a time. */
static bool codel_takes(struct cable_aqm *q, const struct linkspec *spec, struct rng *random,
			const struct cable_arrival *a)
{
	bool is_long = codel_is_long(q, spec, a);

	if (!q->codel.dropping)
		return is_long && codel_begin(q, spec, a->start_ns);
	if (q->codel.first) {
		q->codel.first = false;
		return false;
	}
	if (!is_long) {
		q->codel.dropping = false;
		q->codel.pending = false;
		return false;
	}
	if (q->codel.pending) {
		q->codel.pending = false;
		q->codel.next_ns = codel_law(spec, q->codel.next_ns, q->codel.count);
	}
	if (a->start_ns < q->codel.next_ns)
		return false;
	q->codel.count++;
	q->codel.pending = true;
	return true;
}

bool cable_aqm_takes(struct cable_aqm *q, const struct linkspec *spec, struct rng *random,
		     const struct cable_arrival *a)
{
	static bool (*const takes[])(struct cable_aqm * q, const struct linkspec *spec,
				     struct rng *random, const struct cable_arrival *a) = {
		[LINK_AQM_RED] = red_takes,
		[LINK_AQM_CODEL] = codel_takes,
	};

	return spec->aqm != LINK_AQM_NONE && takes[spec->aqm](q, spec, random, a);
}
