/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a cable does that has one right answer, to the nanosecond. */
#include "tests/unit/cable_help.h"

START_TEST(without_parameters_a_frame_arrives_at_once)
{
	struct cable_dir *d = cable_of("");

	ck_assert(cable_dir_is_plain(d));
	ck_assert_int_eq(due_ns(d, 60, 12345), 12345);
	ck_assert_int_eq(cable_dir_min_delay_ns(d), 0);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_ping_takes_as_long_as_tc_says)
{
	/* 98 bytes at 100 Mbit/s are 7,840 ns; there and back over 1 ms: 2.015680 ms. */
	struct cable_dir *ab = cable_of("rate=100Mbit delay=1ms");
	struct cable_dir *ba = cable_of("rate=100Mbit delay=1ms");

	ck_assert(!cable_dir_is_plain(ab));
	ck_assert_int_eq(due_ns(ba, 98, due_ns(ab, 98, 0)), 2015680);
	ck_assert_int_eq(cable_dir_min_delay_ns(ab), 1000000 + 1120);
	cable_dir_destroy(ab);
	cable_dir_destroy(ba);
}
END_TEST

/* 8000 bits at 7 Mbit/s are 1142857.142857... ns: nothing may add up over a million frames. */
START_TEST(rates_are_exact_over_a_million_frames)
{
	struct cable_dir *d = cable_of("rate=7Mbit limit=1000000");
	const int64_t rate = 7000000;

	for (int64_t k = 1; k <= 1000000; k++) {
		__int128 bit_ns = (__int128)k * 8000 * SECOND;

		assert_ns(due_ns(d, 1000, 0), (int64_t)((bit_ns + rate - 1) / rate));
	}
	ck_assert_int_eq(due_ns(d, 1000, 0), INT64_C(1142858285715)); /* ceil(1000001 * 8e12/7e6) */
	cable_dir_destroy(d);
}
END_TEST

/* The same by fractions of one common denominator, for frames of any size at any time. */
START_TEST(rates_are_exact_with_gaps)
{
	static const char *const rates[] = {"3bit", "64kbit", "9999991bit", "10Gbit", "333Mbit"};
	static const int64_t bps[] = {3, 64000, 9999991, INT64_C(10000000000), 333000000};
	char line[64];
	struct rng r;
	int64_t now = 5;

	snprintf(line, sizeof(line), "rate=%s limit=100000", rates[_i]);
	struct cable_dir *d = cable_of(line);
	__int128 busy = 0; /* ns * bps */

	rng_init(&r, 7, "gaps", rates[_i]);
	for (int i = 0; i < 50000; i++) {
		uint32_t len = 14 + (uint32_t)rng_below(&r, 9000);

		if (busy < (__int128)now * bps[_i])
			busy = (__int128)now * bps[_i];
		busy += (__int128)len * 8 * SECOND;
		assert_ns(due_ns(d, len, now), (int64_t)((busy + bps[_i] - 1) / bps[_i]));
		now += (int64_t)rng_below(&r, (uint64_t)(2 * 4500 * 8 * SECOND / bps[_i]));
	}
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_burst_passes_at_once_and_then_the_rate_holds)
{
	/* 1000 bytes at 8 Mbit/s are 1 ms. */
	struct cable_dir *d = cable_of("rate=8Mbit burst=5000");

	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(due_ns(d, 1000, 0), 0);
	for (int i = 1; i <= 5; i++)
		ck_assert_int_eq(due_ns(d, 1000, 0), i * MS);
	/* At 7 ms two tokens of 1000 are back. */
	ck_assert_int_eq(due_ns(d, 1000, 7 * MS), 7 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 7 * MS), 7 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 7 * MS), 8 * MS);
	/* After a long rest, the bucket is full and not fuller. */
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(due_ns(d, 1000, SECOND), SECOND);
	ck_assert_int_eq(due_ns(d, 1000, SECOND), SECOND + MS);
	cable_dir_destroy(d);
}
END_TEST

/* The definition of a token bucket: the level, as a fraction, never below zero. */
START_TEST(a_token_bucket_is_exact)
{
	const int64_t rate = 7777777;
	const __int128 full = (__int128)20000 * 8 * SECOND; /* bits * ns^-1 in units of 1/rate ns */
	struct cable_dir *d = cable_of("rate=7777777bit burst=20000 limit=100000");
	__int128 level = full;
	int64_t at = 0; /* of the level */
	int64_t now = 0;
	struct rng r;

	rng_init(&r, 3, "bucket", "");
	for (int i = 0; i < 100000; i++) {
		__int128 cost = (__int128)(14 + rng_below(&r, 1500)) * 8 * SECOND;

		now += (int64_t)rng_below(&r, 1600000);
		if (now > at) {
			level += (__int128)(now - at) * rate;
			level = level > full ? full : level;
			at = now;
		}
		level -= cost; /* in debt: the frame waits until it is paid */
		int64_t wait = level >= 0 ? 0 : (int64_t)((-level + rate - 1) / rate);

		assert_ns(due_ns(d, (uint32_t)(cost / 8 / SECOND), now), now + wait);
	}
	cable_dir_destroy(d);
}
END_TEST

START_TEST(the_queue_holds_as_many_frames_as_it_may)
{
	struct cable_dir *d = cable_of("rate=8Mbit limit=2");
	uint32_t frames;
	uint64_t bytes;

	ck_assert_int_eq(due_ns(d, 1000, 0), 1 * MS); /* on the wire */
	ck_assert_int_eq(due_ns(d, 1000, 0), 2 * MS); /* waits */
	ck_assert_int_eq(due_ns(d, 500, 0), 2500000); /* waits */
	cable_dir_queue(d, 0, &frames, &bytes);
	ck_assert_uint_eq(frames, 2);
	ck_assert_uint_eq(bytes, 1500);
	ck_assert_int_eq(drop_of(d, 1000, 0), CABLE_DROP_QUEUE);
	ck_assert_int_eq(drop_of(d, 1000, MS - 1), CABLE_DROP_QUEUE);
	/* At 1 ms the first is through and the second begins. */
	ck_assert_int_eq(due_ns(d, 1000, MS), 3500000);
	cable_dir_queue(d, 10 * MS, &frames, &bytes);
	ck_assert_uint_eq(frames, 0);
	ck_assert_uint_eq(bytes, 0);
	ck_assert_uint_eq(cable_dir_counters(d)->frames, 4);
	ck_assert_uint_eq(cable_dir_counters(d)->bytes, 3500);
	ck_assert_uint_eq(cable_dir_counters(d)->dropped[CABLE_DROP_QUEUE], 2);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(the_queue_holds_as_many_bytes_as_it_may)
{
	struct cable_dir *d = cable_of("rate=8Mbit limit_bytes=2500");

	due_ns(d, 1500, 0);
	due_ns(d, 1500, 0);
	ck_assert_int_eq(drop_of(d, 1001, 0), CABLE_DROP_QUEUE);
	due_ns(d, 1000, 0);
	ck_assert_int_eq(drop_of(d, 14, 0), CABLE_DROP_QUEUE);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(the_mtu_counts_what_follows_the_ethernet_header)
{
	struct cable_dir *d = cable_of("mtu=1500");
	uint8_t frame[1600] = {[12] = 0x81};

	ck_assert_int_eq(drop_of(d, 1514, 0), CABLE_PASS);
	ck_assert_int_eq(drop_of(d, 1515, 0), CABLE_DROP_MTU);
	ck_assert_int_eq(cable_dir_offer(d, 1518, frame, 0).drop, CABLE_PASS);
	ck_assert_int_eq(cable_dir_offer(d, 1519, frame, 0).drop, CABLE_DROP_MTU);
	frame[12] = 8;
	ck_assert_int_eq(cable_dir_offer(d, 1518, frame, 0).drop, CABLE_DROP_MTU);
	ck_assert_int_eq(cable_dir_offer(d, 3, frame, 0).drop, CABLE_PASS);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_cut_cable_passes_nothing)
{
	struct cable_dir *d = cable_of("");

	cable_dir_set_up(d, false);
	ck_assert_int_eq(drop_of(d, 60, 0), CABLE_DROP_DOWN);
	ck_assert(!cable_dir_is_plain(d));
	cable_dir_set_up(d, true);
	ck_assert_int_eq(drop_of(d, 60, 0), CABLE_PASS);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(every_nth_frame_is_lost)
{
	struct cable_dir *d = cable_of("loss_every=3");

	for (int i = 1; i <= 3000; i++)
		ck_assert_int_eq(drop_of(d, 60, i), i % 3 ? CABLE_PASS : CABLE_DROP_LOSS);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(zero_percent_is_never)
{
	struct cable_dir *d = cable_of("delay=1ms loss=0 duplicate=0 corrupt=0 reorder=0 "
				       "gemodel=0,100%,100%,0 loss_correlation=50%");

	for (int i = 0; i < 1000000; i++) {
		struct cable_verdict v = cable_dir_offer(d, 60, NULL, i);

		if (v.drop != CABLE_PASS || v.n_copies != 1 || v.copy[0].corrupt_bit != -1)
			ck_abort_msg("frame %d", i);
		assert_ns(v.copy[0].due_ns, i + MS);
	}
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_hundred_percent_is_always)
{
	struct cable_dir *lossy = cable_of("loss=100% duplicate=100%");
	struct cable_dir *bad = cable_of("gemodel=0,0,0,100%");
	struct cable_dir *rest = cable_of("duplicate=100% corrupt=100% reorder=100% delay=1ms");

	for (int i = 0; i < 100000; i++) {
		struct cable_verdict v = cable_dir_offer(rest, 60, NULL, i);

		ck_assert_int_eq(drop_of(lossy, 60, i), CABLE_DROP_LOSS);
		ck_assert_int_eq(drop_of(bad, 60, i), CABLE_DROP_LOSS);
		ck_assert_uint_eq(v.n_copies, 2);
		ck_assert_int_ge(v.copy[0].corrupt_bit, 0);
		ck_assert_int_lt(v.copy[0].corrupt_bit, 480);
		ck_assert_int_ge(v.copy[1].corrupt_bit, 0);
		ck_assert_int_eq(v.copy[0].due_ns, i);
	}
	cable_dir_destroy(lossy);
	cable_dir_destroy(bad);
	cable_dir_destroy(rest);
}
END_TEST

START_TEST(a_duplicate_takes_its_own_time_of_the_rate)
{
	struct cable_dir *d = cable_of("rate=8Mbit duplicate=100% limit=2");
	struct cable_verdict v = cable_dir_offer(d, 1000, NULL, 0);

	ck_assert_uint_eq(v.n_copies, 2);
	ck_assert_int_eq(v.copy[0].due_ns, 1 * MS);
	ck_assert_int_eq(v.copy[1].due_ns, 2 * MS);
	v = cable_dir_offer(d, 1000, NULL, 0);
	ck_assert_uint_eq(v.n_copies, 1); /* the second found the queue full */
	ck_assert_int_eq(v.drop, CABLE_PASS);
	ck_assert_uint_eq(cable_dir_counters(d)->frames, 2);
	ck_assert_uint_eq(cable_dir_counters(d)->duplicated, 1);
	ck_assert_uint_eq(cable_dir_counters(d)->dropped[CABLE_DROP_QUEUE], 0);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_change_leaves_what_is_under_way_alone)
{
	struct cable_dir *d = cable_of("rate=8Mbit delay=10ms");

	ck_assert_int_eq(due_ns(d, 1000, 0), 11 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 0), 12 * MS);
	/* Twice as fast: what was accepted is through at 2 ms all the same. */
	change_cable(d, "rate=16Mbit delay=10ms", 0);
	ck_assert_int_eq(due_ns(d, 1000, 0), 12500000);
	/* A shorter delay lets nobody overtake. */
	change_cable(d, "rate=16Mbit delay=1ms", MS);
	ck_assert_int_eq(due_ns(d, 1000, MS), 12500000);
	/* Nor does a reset; but once all is through, nothing is left of it. */
	change_cable(d, "", 2 * MS);
	ck_assert(!cable_dir_is_plain(d));
	ck_assert_int_eq(due_ns(d, 1000, 2 * MS), 12500000);
	ck_assert_int_eq(due_ns(d, 1000, 20 * MS), 20 * MS);
	ck_assert(cable_dir_is_plain(d));
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_rate_taken_away_lets_nobody_overtake)
{
	struct cable_dir *d = cable_of("rate=8Mbit");

	due_ns(d, 1000, 0);
	ck_assert_int_eq(due_ns(d, 1000, 0), 2 * MS);
	change_cable(d, "", MS);
	ck_assert_int_eq(due_ns(d, 1000, MS), 2 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 3 * MS), 3 * MS);
	cable_dir_destroy(d);
}
END_TEST

/* What is left of a fraction of a nanosecond is carried into the new rate. */
START_TEST(many_small_changes_do_not_add_up)
{
	struct cable_dir *d = cable_of("rate=7Mbit limit=200000");
	int64_t last = 0;

	for (int i = 0; i < 100000; i++) {
		change_cable(d, i & 1 ? "rate=7Mbit limit=200000" : "rate=14Mbit limit=200000", 0);
		last = due_ns(d, 1000, 0);
	}
	/* 50,000 frames at each: 150,000 halves of 8000/7 us. Each change may cut off 1/7000000 ns.
	 */
	ck_assert_int_ge(last, INT64_C(85714285714) - 1);
	ck_assert_int_le(last, INT64_C(85714285714) + 1);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_smaller_queue_keeps_what_it_has)
{
	struct cable_dir *d = cable_of("rate=8Mbit limit=10");
	uint32_t frames;
	uint64_t bytes;

	for (int i = 0; i < 11; i++)
		due_ns(d, 1000, 0);
	change_cable(d, "rate=8Mbit limit=3", 0);
	cable_dir_queue(d, 0, &frames, &bytes);
	ck_assert_uint_eq(frames, 10);
	ck_assert_int_eq(drop_of(d, 1000, 7 * MS), CABLE_DROP_QUEUE);
	ck_assert_int_eq(drop_of(d, 1000, 8 * MS), CABLE_PASS);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(with_a_gap_every_nth_frame_jumps)
{
	struct cable_dir *d = cable_of("delay=10ms gap=5");

	for (int i = 1; i <= 100; i++)
		ck_assert_int_eq(due_ns(d, 60, i * MS), i % 5 ? (i + 10) * MS : i * MS);
	ck_assert_uint_eq(cable_dir_counters(d)->reordered, 20);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(jitter_reorders_only_if_it_may)
{
	struct cable_dir *keep = cable_of("delay=10ms jitter=9ms order=keep");
	struct cable_dir *free_ = cable_of("delay=10ms jitter=9ms");
	int64_t last = 0;
	int overtook = 0;

	for (int i = 0; i < 10000; i++) {
		int64_t due = due_ns(keep, 60, i * 1000);

		ck_assert_int_ge(due, last);
		last = due;
	}
	last = 0;
	for (int i = 0; i < 10000; i++) {
		int64_t due = due_ns(free_, 60, i * 1000);

		overtook += due < last;
		last = due > last ? due : last;
	}
	ck_assert_int_gt(overtook, 1000);
	ck_assert_uint_eq(cable_dir_counters(free_)->reordered, (uint64_t)overtook);
	ck_assert_uint_eq(cable_dir_counters(keep)->reordered, 0);
	cable_dir_destroy(keep);
	cable_dir_destroy(free_);
}
END_TEST

static const char *const kinds_of_link[] = {
	"rate=10Mbit delay=5ms",
	"delay=5ms jitter=1ms",
	"delay=5ms jitter=6ms distribution=normal",
	"delay=50ms jitter=5ms distribution=normal delay_correlation=80%",
	"delay=5ms jitter=1ms distribution=pareto",
	"delay=5ms jitter=1ms distribution=paretonormal order=keep",
	"delay=5ms reorder=10%",
	"rate=10Mbit burst=3000 delay=1ms",
	"rate=10Mbit schedule=\"delay square 1ms 9ms 100ms; rate ramp 10Mbit 1Gbit 1s\"",
};

START_TEST(no_frame_is_faster_than_the_lookahead_says)
{
	struct cable_dir *d = cable_of(kinds_of_link[_i]);
	int64_t least = cable_dir_min_delay_ns(d);

	for (int i = 0; i < 100000; i++) {
		int64_t now = i * INT64_C(20000);
		struct cable_verdict v = cable_dir_offer(d, 14, NULL, now);

		if (v.drop == CABLE_PASS && v.copy[0].due_ns - now < least)
			ck_abort_msg("frame %d", i);
	}
	cable_dir_destroy(d);
}
END_TEST

/* Same seed and name: the same frames at the same times; and one stage does not disturb another. */
START_TEST(runs_repeat)
{
	struct linkspec a = link_of("delay=5ms jitter=1ms duplicate=1%");
	struct linkspec b = link_of("delay=5ms jitter=1ms duplicate=1% corrupt=50%");
	struct cable_dir *d[4] = {
		cable_dir_create(&a, 1, "x"),
		cable_dir_create(&a, 1, "x"),
		cable_dir_create(&b, 1, "x"),
		cable_dir_create(&a, 1, "y"),
	};
	int differ = 0;

	for (int i = 0; i < 10000; i++) {
		struct cable_verdict v[4];

		for (int k = 0; k < 4; k++)
			v[k] = cable_dir_offer(d[k], 100, NULL, i * MS);
		ck_assert_mem_eq(&v[0], &v[1], sizeof(v[0]));
		ck_assert_int_eq(v[0].copy[0].due_ns, v[2].copy[0].due_ns);
		differ += v[0].copy[0].due_ns != v[3].copy[0].due_ns;
	}
	ck_assert_int_gt(differ, 9000);
	for (int k = 0; k < 4; k++)
		cable_dir_destroy(d[k]);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, without_parameters_a_frame_arrives_at_once);
	tcase_add_test(tc, a_ping_takes_as_long_as_tc_says);
	tcase_add_test(tc, rates_are_exact_over_a_million_frames);
	tcase_add_loop_test(tc, rates_are_exact_with_gaps, 0, 5);
	tcase_add_test(tc, a_burst_passes_at_once_and_then_the_rate_holds);
	tcase_add_test(tc, a_token_bucket_is_exact);
	tcase_add_test(tc, the_queue_holds_as_many_frames_as_it_may);
	tcase_add_test(tc, the_queue_holds_as_many_bytes_as_it_may);
	tcase_add_test(tc, the_mtu_counts_what_follows_the_ethernet_header);
	tcase_add_test(tc, a_cut_cable_passes_nothing);
	tcase_add_test(tc, every_nth_frame_is_lost);
	tcase_add_test(tc, zero_percent_is_never);
	tcase_add_test(tc, a_hundred_percent_is_always);
	tcase_add_test(tc, a_duplicate_takes_its_own_time_of_the_rate);
	tcase_add_test(tc, a_change_leaves_what_is_under_way_alone);
	tcase_add_test(tc, a_rate_taken_away_lets_nobody_overtake);
	tcase_add_test(tc, many_small_changes_do_not_add_up);
	tcase_add_test(tc, a_smaller_queue_keeps_what_it_has);
	tcase_add_test(tc, with_a_gap_every_nth_frame_jumps);
	tcase_add_test(tc, jitter_reorders_only_if_it_may);
	tcase_add_loop_test(tc, no_frame_is_faster_than_the_lookahead_says, 0,
			    sizeof(kinds_of_link) / sizeof(*kinds_of_link));
	tcase_add_test(tc, runs_repeat);
}

int main(void)
{
	return suite_run_case("cable", add_tests);
}
