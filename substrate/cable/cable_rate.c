/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The rate and the queue in front of it, as a virtual schedule: `busy` is the time at which the
 * link has worked off all that was accepted. A frame that comes to an idle link begins now; else it
 * begins when the one before it has ended. The frame is through when its last bit is: rounded up to
 * whole nanoseconds for the answer, but kept as an exact fraction, so that nothing adds up over
 * time.
 *
 * A burst of B bytes is a token bucket of that size (tc-tbf): the link may be B bytes ahead of its
 * rate, so frames leave at busy - B/rate, but never before now.
 *
 * What counts for the rate is the frame without preamble, FCS and gap, as tc counts it: 98 bytes of
 * ping at 100 Mbit/s take 7,840 ns.
 */
#include "lib/xalloc.h"
#include "substrate/cable/cable_aqm.h"
#include "substrate/cable/cable_stage.h"

#include <stdlib.h>

enum {
	QUEUE_FRAMES_DEFAULT = 1000, /* as netem's and the txqueuelen of Linux */
	QUEUE_FRAMES_MAX = 10000000,
	FRAME_SMALLEST = 14,
	FRAME_USUAL = 1514,
};

/* ns + part/rate, with 0 <= part < rate. */
struct moment {
	int64_t ns;
	int64_t part;
};

/*
 * A frame that was accepted is already on its way as an event; this is only its shadow, by which
 * the length of the queue is known. It leaves the ring when its first bit would leave the queue.
 */
struct waiting {
	int64_t start_ns; /* when its first bit leaves: it waits until then */
	uint32_t len;
};

struct rate_state {
	int64_t rate_bps; /* unit of the parts below */
	struct moment busy;
	struct moment burst;  /* the time the burst is worth */
	int64_t last_ns;      /* when the last frame left: nobody overtakes it */
	struct waiting *ring; /* owned: a ring of cap entries, head is the oldest */
	uint32_t cap, head, n;
	uint64_t bytes;
	struct cable_aqm aqm;
};

static uint32_t frames_limit(const struct linkspec *spec)
{
	if (spec->limit_frames)
		return (uint32_t)spec->limit_frames;
	if (spec->limit_bytes) {
		int64_t frames = spec->limit_bytes / FRAME_SMALLEST + 1;

		return frames < QUEUE_FRAMES_MAX ? (uint32_t)frames : QUEUE_FRAMES_MAX;
	}
	return QUEUE_FRAMES_DEFAULT;
}

/*
 * The limit may be set below what waits. What was accepted stays: the queue is then over its limit
 * until enough has left.
 */
static void ring_resize(struct rate_state *s, uint32_t cap)
{
	if (cap < s->n)
		cap = s->n;
	if (cap == s->cap)
		return;
	struct waiting *ring = xmalloc((size_t)cap * sizeof(*ring));

	for (uint32_t i = 0; i < s->n; i++)
		ring[i] = s->ring[(s->head + i) % s->cap];
	free(s->ring);
	s->ring = ring;
	s->cap = cap;
	s->head = 0;
}

static void ring_push(struct rate_state *s, int64_t start_ns, uint32_t len)
{
	uint32_t i = s->head + s->n;

	s->ring[i < s->cap ? i : i - s->cap] = (struct waiting){start_ns, len};
	s->n++;
	s->bytes += len;
}

static void ring_expire(struct rate_state *s, int64_t now_ns)
{
	while (s->n && s->ring[s->head].start_ns <= now_ns) {
		s->bytes -= s->ring[s->head].len;
		s->head = s->head + 1 < s->cap ? s->head + 1 : 0;
		s->n--;
	}
}

/* The time that bytes take at the rate; rate > 0. */
static struct moment time_of_bytes(int64_t bytes, int64_t rate_bps)
{
	__int128 bit_ns = (__int128)bytes * 8 * 1000000000;
	__int128 ns = bit_ns / rate_bps;

	if (ns > INT64_MAX / 4)
		return (struct moment){INT64_MAX / 4, 0};
	return (struct moment){(int64_t)ns, (int64_t)(bit_ns % rate_bps)};
}

static bool rate_wanted(const void *state, const struct linkspec *spec, int64_t now_ns)
{
	const struct rate_state *s = state;

	return spec->rate_bps > 0 || s->last_ns > now_ns;
}

static void rate_change(void *state, const struct linkspec *spec, int64_t now_ns)
{
	struct rate_state *s = state;

	if (spec->rate_bps == 0)
		return;
	/* The fraction is in units of the rate. */
	if (s->rate_bps > 0)
		s->busy.part = (int64_t)((__int128)s->busy.part * spec->rate_bps / s->rate_bps);
	s->rate_bps = spec->rate_bps;
	s->burst = time_of_bytes(spec->burst_bytes, spec->rate_bps);
	ring_resize(s, frames_limit(spec));
}

/* The first whole nanosecond at or after busy - burst, and not before now. */
static int64_t time_due(const struct rate_state *s, int64_t now_ns)
{
	int64_t ns = s->busy.ns - s->burst.ns + (s->busy.part > s->burst.part);

	return ns > now_ns ? ns : now_ns;
}

static void take_time(struct rate_state *s, uint32_t len)
{
	uint64_t parts = (uint64_t)len * 8 * 1000000000 + (uint64_t)s->busy.part;

	s->busy.ns += (int64_t)(parts / (uint64_t)s->rate_bps);
	s->busy.part = (int64_t)(parts % (uint64_t)s->rate_bps);
}

static bool queue_is_full(const struct rate_state *s, const struct linkspec *spec, uint32_t len)
{
	return s->n >= frames_limit(spec) ||
	       (spec->limit_bytes && s->bytes + len > (uint64_t)spec->limit_bytes);
}

/* Marks the frame, or drops it, if the queue management wants it. False: dropped. */
static bool survives_aqm(struct rate_state *s, const struct linkspec *spec, struct rng *random,
			 struct cable_passage *p, int64_t start_ns, int64_t idle_ns)
{
	struct cable_arrival a = {
		.now_ns = p->at_ns,
		.start_ns = start_ns,
		.idle_ns = idle_ns,
		.waiting_bytes = s->bytes,
		.len = p->len,
		.limit_bytes = spec->limit_bytes ? spec->limit_bytes
						 : (int64_t)frames_limit(spec) * FRAME_USUAL,
	};

	if (!cable_aqm_takes(&s->aqm, spec, random, &a))
		return true;
	if (spec->ecn && cable_ecn_capable((enum link_framing)spec->framing, p->data, p->len)) {
		p->mark_ce = true;
		return true;
	}
	/* What CoDel drops, it drops as the frame leaves the queue: until then it takes room. */
	if (spec->aqm == LINK_AQM_CODEL && start_ns > p->at_ns)
		ring_push(s, start_ns, p->len);
	p->drop = CABLE_DROP_AQM;
	return false;
}

static void rate_pass(void *state, const struct linkspec *spec, struct rng *random,
		      struct cable_passage *p)
{
	struct rate_state *s = state;
	int64_t now_ns = p->at_ns;
	int64_t idle_ns = 0;

	/* The rate went: what was accepted under it still leaves first. */
	if (spec->rate_bps == 0) {
		p->at_ns = now_ns > s->last_ns ? now_ns : s->last_ns;
		return;
	}
	ring_expire(s, now_ns);
	if (s->busy.ns < now_ns) {
		idle_ns = now_ns - s->busy.ns;
		s->busy = (struct moment){now_ns, 0};
	}
	int64_t start_ns = time_due(s, now_ns);

	if (start_ns > now_ns && queue_is_full(s, spec, p->len)) {
		p->drop = CABLE_DROP_QUEUE;
		return;
	}
	if (spec->aqm && !survives_aqm(s, spec, random, p, start_ns, idle_ns))
		return;
	if (start_ns > now_ns)
		ring_push(s, start_ns, p->len);
	take_time(s, p->len);
	p->at_ns = time_due(s, now_ns);
	s->last_ns = p->at_ns;
}

static void rate_waiting(void *state, int64_t now_ns, uint32_t *frames, uint64_t *bytes)
{
	struct rate_state *s = state;

	ring_expire(s, now_ns);
	*frames = s->n;
	*bytes = s->bytes;
}

/* An idle link takes at least the time of the smallest frame, unless the burst covers it. */
static int64_t rate_min_ns(const void *state, const struct linkspec *spec)
{
	if (spec->rate_bps == 0 || spec->burst_bytes > 0)
		return 0;
	return time_of_bytes(FRAME_SMALLEST, spec->rate_bps).ns;
}

static void rate_finish(void *state)
{
	struct rate_state *s = state;

	free(s->ring);
}

const struct cable_stage cable_stage_rate = {
	.name = "rate",
	.state_size = sizeof(struct rate_state),
	.wanted = rate_wanted,
	.change = rate_change,
	.pass = rate_pass,
	.min_ns = rate_min_ns,
	.waiting = rate_waiting,
	.finish = rate_finish,
};
