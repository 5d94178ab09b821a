/* SPDX-License-Identifier: GPL-3.0-or-later */
/* RED, CoDel and the congestion mark. */
#include "substrate/cable/cable_aqm.h"
#include "tests/unit/cable_help.h"

/*
 * CoDel as RFC 8289 writes it down, on a queue that is really there: the cable must take the very
 * same frames without having one.
 */
struct packet {
	int64_t came_ns;
	uint32_t len;
	int id;
};

struct reference {
	struct packet queue[20000];
	int head, tail;
	uint64_t bytes;
	int64_t above_ns, next_ns;
	uint32_t count, last_count;
	bool dropping;
	bool taken[100000];
	int64_t out_ns[100000];
};

static const int64_t target_ns = 5 * MS;
static const int64_t interval_ns = 100 * MS;

static bool dequeue(struct reference *r, int64_t now_ns, struct packet *p, bool *ok_to_drop)
{
	*ok_to_drop = false;
	if (r->head == r->tail) {
		r->above_ns = 0;
		return false;
	}
	*p = r->queue[r->head++ % 20000];
	r->bytes -= p->len;
	if (now_ns - p->came_ns < target_ns || r->bytes <= 1514) {
		r->above_ns = 0;
	} else if (!r->above_ns) {
		r->above_ns = now_ns + interval_ns;
	} else {
		*ok_to_drop = now_ns >= r->above_ns;
	}
	return true;
}

static int64_t law(int64_t t_ns, uint32_t count)
{
	return t_ns + (int64_t)((double)interval_ns / square_root(count));
}

static bool codel_dequeue(struct reference *r, int64_t now_ns, struct packet *p)
{
	bool ok;
	bool have = dequeue(r, now_ns, p, &ok);

	if (r->dropping) {
		if (!ok)
			r->dropping = false;
		while (now_ns >= r->next_ns && r->dropping) {
			r->taken[p->id] = true;
			r->count++;
			have = dequeue(r, now_ns, p, &ok);
			if (!ok)
				r->dropping = false;
			else
				r->next_ns = law(r->next_ns, r->count);
		}
	} else if (ok) {
		uint32_t delta = r->count - r->last_count;

		r->taken[p->id] = true;
		have = dequeue(r, now_ns, p, &ok);
		r->dropping = true;
		r->count = delta > 1 && now_ns - r->next_ns < 16 * interval_ns ? delta : 1;
		r->next_ns = law(now_ns, r->count);
		r->last_count = r->count;
	}
	return have;
}

/* Frames of 1000 bytes at 8 Mbit/s take 1 ms; they come in at this spacing. */
static int64_t spacing_ns(int pattern, int i)
{
	if (pattern > 0) {
		struct rng r = {.state = (uint64_t)pattern << 32 | (uint64_t)i};

		return 450000 + (int64_t)rng_below(&r, 1000000);
	}
	return i < 5000 ? 800000 : i < 9000 ? 990000 : i < 12000 ? 1300000 : 600000;
}

START_TEST(codel_takes_the_frames_that_the_rfc_takes)
{
	enum { FRAMES = 20000 };
	struct cable_dir *d = cable_of("rate=8Mbit limit=20000 aqm=codel");
	struct reference *r = calloc(1, sizeof(*r));
	int64_t link_free_ns = 0;
	int64_t now = 0;
	int differ = 0;
	int taken = 0;

	for (int i = 0; i < FRAMES; i++) {
		struct packet p;

		/* All that leaves before the next frame comes. */
		while (r->head != r->tail && link_free_ns <= now)
			if (codel_dequeue(r, link_free_ns, &p))
				link_free_ns = r->out_ns[p.id] = link_free_ns + MS;
		r->queue[r->tail++ % 20000] = (struct packet){now, 1000, i};
		r->bytes += 1000;
		if (link_free_ns < now)
			link_free_ns = now;
		now += spacing_ns(_i, i);
	}
	now = 0;
	for (int i = 0; i < r->head; i++) {
		struct cable_verdict v = cable_dir_offer(d, 1000, NULL, now);
		bool took = v.drop == CABLE_DROP_AQM;

		taken += took;
		differ += took != r->taken[i] || (!took && v.copy[0].due_ns != r->out_ns[i]);
		now += spacing_ns(_i, i);
	}
	ck_assert_int_gt(taken, _i ? 100 : 500);
	ck_assert_msg(differ == 0, "%d of %d frames differ, %d taken", differ, r->head, taken);
	free(r);
	cable_dir_destroy(d);
}
END_TEST

/* Ten seconds of 25 % too much: without CoDel the queue would be 2.5 s long. */
START_TEST(codel_keeps_the_queue_short)
{
	struct cable_dir *d = cable_of("rate=8Mbit limit=20000 aqm=codel");
	int64_t due = 0;
	int64_t now = 0;

	for (int i = 0; i < 100000; i++, now = i * INT64_C(980000)) {
		struct cable_verdict v = cable_dir_offer(d, 1000, NULL, now);

		if (v.drop == CABLE_PASS)
			due = v.copy[0].due_ns;
	}
	ck_assert_int_lt(due - now, 100 * MS);
	ck_assert_uint_gt(cable_dir_counters(d)->dropped[CABLE_DROP_AQM], 1000);
	cable_dir_destroy(d);
}
END_TEST

/* A slow link: one packet that waits for one other is no queue, however long it takes. */
START_TEST(codel_spares_the_last_packet)
{
	struct cable_dir *d = cable_of("rate=64kbit aqm=codel");

	for (int i = 0; i < 1000; i++) {
		due_ns(d, 1514, i * 400 * MS);
		due_ns(d, 1514, i * 400 * MS);
	}
	cable_dir_destroy(d);
}
END_TEST

START_TEST(codel_leaves_an_uncrowded_link_alone)
{
	struct cable_dir *d = cable_of("rate=8Mbit aqm=codel");

	for (int i = 0; i < 100000; i++)
		due_ns(d, 1000, i / 4 * 4 * MS);
	cable_dir_destroy(d);
}
END_TEST

static struct cable_arrival arrival(uint64_t waiting, int64_t idle_ns)
{
	return (struct cable_arrival){.start_ns = 1,
				      .idle_ns = idle_ns,
				      .waiting_bytes = waiting,
				      .limit_bytes = 1 << 20};
}

/* With a steady average, the gap between two frames taken is uniform on 1 .. 1/p (the paper, 4). */
START_TEST(red_takes_frames_at_even_gaps)
{
	struct linkspec s = link_of("rate=8Mbit aqm=red red_min=10000 red_max=30000 "
				    "red_probability=10% red_weight=1");
	struct cable_aqm q = {0};
	struct cable_arrival a = arrival(20001, 0); /* half way: p = 5 % */
	uint64_t gap[20] = {0};
	uint64_t taken = 0;
	int since = 0;
	struct rng r;

	rng_init(&r, 1, "red", "test");
	for (int i = 0; i < 200; i++)
		cable_aqm_takes(&q, &s, &r, &a);
	for (q.red.count = -1; taken < 100000;) {
		since++;
		if (!cable_aqm_takes(&q, &s, &r, &a))
			continue;
		ck_assert_int_le(since, 20);
		gap[since - 1]++;
		taken++;
		since = 0;
	}
	assert_uniform(gap, 20, taken);
}
END_TEST

START_TEST(red_averages_with_its_weight)
{
	struct linkspec s = link_of("rate=8Mbit aqm=red red_weight=9");
	struct cable_aqm q = {0};
	double average = 0;
	struct rng r;

	rng_init(&r, 1, "red", "test");
	for (int i = 0; i < 100000; i++) {
		struct cable_arrival a = arrival(rng_below(&r, 100000), 0);

		cable_aqm_takes(&q, &s, &r, &a);
		average += ((double)a.waiting_bytes - average) / 512;
		double off = (double)q.red.average / (1 << 20) - average;

		if (off > 1 || off < -1)
			ck_abort_msg("off by %f of %f", off, average);
	}
	/* An idle link: (1 - 1/512)^512 = 0.3675 after the time of 512 packets of 1000 bytes. */
	struct cable_arrival a = arrival(0, 512 * MS);
	double before = (double)q.red.average;

	cable_aqm_takes(&q, &s, &r, &a);
	double left = (double)q.red.average / before;

	ck_assert_msg(left > 0.3675 * 511 / 512 - 0.001 && left < 0.3675 + 0.001, "%f", left);
}
END_TEST

START_TEST(red_takes_none_below_min_and_all_above_max)
{
	struct linkspec s = link_of("rate=8Mbit aqm=red red_min=10000 red_max=30000 red_weight=1");
	struct cable_aqm q = {0};
	struct rng r;

	rng_init(&r, 1, "red", "test");
	for (int i = 0; i < 10000; i++) {
		struct cable_arrival a = arrival(9999, 0);

		ck_assert(!cable_aqm_takes(&q, &s, &r, &a));
	}
	for (int i = 0; i < 100; i++) {
		struct cable_arrival a = arrival(40000, 0);
		bool takes = cable_aqm_takes(&q, &s, &r, &a);

		ck_assert(takes || i < 5);
	}
}
END_TEST

/* A frame with n VLAN tags and an IPv4 or IPv6 header with these ECN bits; returns its length. */
static uint32_t make_frame(uint8_t *f, int tags, bool v6, int ecn)
{
	uint32_t i = 12;
	uint32_t sum = 0;

	memset(f, 0, 128);
	for (int t = 0; t < tags; t++, i += 4) {
		f[i] = t || tags == 1 ? 0x81 : 0x88;
		f[i + 1] = t || tags == 1 ? 0x00 : 0xa8;
	}
	f[i] = v6 ? 0x86 : 0x08;
	f[i + 1] = v6 ? 0xdd : 0x00;
	uint8_t *ip = f + i + 2;

	if (v6) {
		ip[0] = 0x6a;
		ip[1] = (uint8_t)(0x80 | ecn << 4 | 5);
		return i + 2 + 40;
	}
	for (int k = 0; k < 20; k++)
		ip[k] = (uint8_t)(k * 37);
	ip[0] = 0x45;
	ip[1] = (uint8_t)(0xb8 | ecn);
	ip[10] = ip[11] = 0;
	for (int k = 0; k < 20; k += 2)
		sum += (uint32_t)ip[k] << 8 | ip[k + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[10] = (uint8_t)(~sum >> 8);
	ip[11] = (uint8_t)~sum;
	return i + 2 + 20;
}

START_TEST(the_mark_is_set_and_the_checksum_mended)
{
	uint8_t f[128];
	uint8_t wanted[128];

	for (int tags = 0; tags <= 2; tags++) {
		for (int v6 = 0; v6 < 2; v6++) {
			for (int ecn = 0; ecn < 4; ecn++) {
				uint32_t len = make_frame(f, tags, v6, ecn);

				make_frame(wanted, tags, v6, ecn ? 3 : 0);
				ck_assert_int_eq(cable_ecn_capable(LINK_ETHERNET, f, len),
						 ecn != 0);
				ck_assert_int_eq(cable_mark_ce(LINK_ETHERNET, f, len), ecn != 0);
				ck_assert_mem_eq(f, wanted, sizeof(f));
				for (uint32_t cut = 0; cut < len; cut++)
					ck_assert(!cable_ecn_capable(LINK_ETHERNET, f, cut));
			}
		}
	}
	ck_assert(!cable_ecn_capable(LINK_ETHERNET, NULL, 100));
}
END_TEST

START_TEST(marked_frames_are_not_dropped)
{
	struct cable_dir *d = cable_of("rate=8Mbit limit=20000 aqm=codel ecn=on");
	uint8_t f[1000] = {0};
	uint64_t marked = 0;

	for (int i = 0; i < 10000; i++) {
		uint8_t head[128];

		make_frame(head, 0, i & 1, i % 3 == 0 ? 0 : 1);
		memcpy(f, head, sizeof(head));
		struct cable_verdict v = cable_dir_offer(d, sizeof(f), f, i * INT64_C(500000));

		if (v.drop == CABLE_PASS && v.copy[0].mark_ce)
			marked++;
		if ((i % 3 == 0 && v.n_copies && v.copy[0].mark_ce) || (i % 3 && !v.n_copies))
			ck_abort_msg("frame %d", i);
	}
	ck_assert_uint_gt(marked, 10);
	ck_assert_uint_eq(cable_dir_counters(d)->marked, marked);
	ck_assert_uint_gt(cable_dir_counters(d)->dropped[CABLE_DROP_AQM], 5);
	cable_dir_destroy(d);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_loop_test(tc, codel_takes_the_frames_that_the_rfc_takes, 0, 6);
	tcase_add_test(tc, codel_keeps_the_queue_short);
	tcase_add_test(tc, codel_spares_the_last_packet);
	tcase_add_test(tc, codel_leaves_an_uncrowded_link_alone);
	tcase_add_test(tc, red_takes_frames_at_even_gaps);
	tcase_add_test(tc, red_averages_with_its_weight);
	tcase_add_test(tc, red_takes_none_below_min_and_all_above_max);
	tcase_add_test(tc, the_mark_is_set_and_the_checksum_mended);
	tcase_add_test(tc, marked_frames_are_not_dropped);
}

int main(void)
{
	return suite_run_case("cable_aqm", add_tests);
}
