/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters that change over time. */
#include "substrate/cable/cable_schedule.h"
#include "tests/unit/cable_help.h"

static struct rng random_stream;

static int64_t rate_at(struct cable_schedule *s, int64_t now_ns)
{
	struct linkspec spec = {.rate_bps = 77};

	cable_schedule_apply(s, &random_stream, now_ns, &spec);
	return spec.rate_bps;
}

START_TEST(a_ramp_is_a_straight_line)
{
	struct cable_schedule s;

	cable_schedule_init(&s, "rate ramp 10Mbit 1Mbit 9s", 5 * SECOND);
	ck_assert_int_eq(rate_at(&s, 0), 10000000);
	ck_assert_int_eq(rate_at(&s, 5 * SECOND), 10000000);
	ck_assert_int_eq(rate_at(&s, 6 * SECOND), 9000000);
	ck_assert_int_eq(rate_at(&s, 6 * SECOND + 1000), 8999999);
	ck_assert_int_eq(rate_at(&s, 14 * SECOND), 1000000);
	ck_assert_int_eq(rate_at(&s, 100 * SECOND), 1000000);
	cable_schedule_finish(&s);
	cable_schedule_init(&s, "rate ramp 0bit 10bit 10s repeat", 0);
	ck_assert_int_eq(rate_at(&s, 9 * SECOND), 9);
	ck_assert_int_eq(rate_at(&s, 10 * SECOND), 0);
	ck_assert_int_eq(rate_at(&s, 1007 * SECOND), 7);
	cable_schedule_finish(&s);
}
END_TEST

START_TEST(a_square_switches_to_the_nanosecond)
{
	struct cable_schedule s;

	cable_schedule_init(&s, "rate square 1Mbit 2Mbit 10s 30%", 0);
	for (int64_t period = 0; period < 100 * SECOND; period += 10 * SECOND) {
		ck_assert_int_eq(rate_at(&s, period), 1000000);
		ck_assert_int_eq(rate_at(&s, period + 7 * SECOND - 1), 1000000);
		ck_assert_int_eq(rate_at(&s, period + 7 * SECOND), 2000000);
		ck_assert_int_eq(rate_at(&s, period + 10 * SECOND - 1), 2000000);
	}
	cable_schedule_finish(&s);
}
END_TEST

START_TEST(a_walk_stays_inside_and_repeats)
{
	struct cable_schedule s;
	struct cable_schedule again;
	struct rng r[2];
	struct linkspec a = {0};
	struct linkspec b = {0};
	uint64_t bin[11] = {0};
	int64_t last = 5000;
	int moves = 0;

	rng_init(&r[0], 1, "walk", "");
	rng_init(&r[1], 1, "walk", "");
	cable_schedule_init(&s, "rate walk 0bit 10kbit 1kbit 1s", 0);
	cable_schedule_init(&again, "rate walk 0bit 10kbit 1kbit 1s", 0);
	ck_assert_int_eq(rate_at(&s, 0), 5000);
	for (int64_t i = 1; i <= 300000; i++) {
		cable_schedule_apply(&s, &r[0], i * SECOND, &a);
		if (i % 1000 == 0) { /* looking seldom gives the same walk */
			cable_schedule_apply(&again, &r[1], i * SECOND + SECOND / 2, &b);
			ck_assert_int_eq(a.rate_bps, b.rate_bps);
		}
		int64_t step = a.rate_bps - last;

		if (a.rate_bps < 0 || a.rate_bps > 10000 || step > 1000 || step < -1000)
			ck_abort_msg("step %lld", (long long)i);
		moves += step != 0;
		bin[a.rate_bps / 1000]++;
		last = a.rate_bps;
	}
	ck_assert_int_gt(moves, 299000);
	/* Reflection keeps it uniform in the long run; steps are not independent. */
	for (int i = 0; i < 10; i++)
		ck_assert_msg(bin[i] > 27000 && bin[i] < 33000, "%d: %llu", i,
			      (unsigned long long)bin[i]);
	cable_schedule_finish(&s);
	cable_schedule_finish(&again);
}
END_TEST

static const char trace[] = "# time rate\n0 1Mbit\n\n1.5s 3Mbit\r\n2, 500kbit # last\n4 2Mbit\n";

START_TEST(a_trace_is_replayed)
{
	struct cable_dir *d = cable_of("schedule=\"rate trace /some/file repeat\"");
	struct err e = {0};

	ck_assert_str_eq(cable_dir_file(d, 0), "/some/file");
	ck_assert_ptr_null(cable_dir_file(d, 1));
	ck_assert(!cable_dir_is_plain(d));
	ck_assert_msg(cable_dir_give_file(d, 0, trace, sizeof(trace) - 1, &e) == 0, "%s", e.text);
	/* 1000 bytes at 1, 3, 0.5 Mbit/s; the last point is where it begins again. */
	ck_assert_int_eq(due_ns(d, 1000, 0), 8 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 1499 * MS), 1507 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 1600 * MS), 1602666667);
	ck_assert_int_eq(due_ns(d, 1000, 2 * SECOND), 2016 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 4 * SECOND), 4008 * MS);
	ck_assert_int_eq(due_ns(d, 1000, 41600 * MS), 41602666667);
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_bad_trace_is_refused)
{
	static const char *const bad[] = {
		"",      "# nothing",        "0",       "0 1Mbit 2",
		"0 1ms", "1 1Mbit\n0 1Mbit", "x 1Mbit", "0 99999Gbit",
	};
	struct cable_dir *d = cable_of("schedule=\"rate trace /some/file\"");

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct err e = {0};

		ck_assert_int_eq(cable_dir_give_file(d, 0, bad[i], strlen(bad[i]), &e), -1);
		ck_assert_int_eq(e.kind, ERR_USAGE);
	}
	cable_dir_destroy(d);
}
END_TEST

START_TEST(a_cable_follows_its_schedule)
{
	struct cable_dir *d = cable_of("delay=1ms schedule=\"delay square 1ms 5ms 2s; "
				       "loss square 0 100% 20s\"");

	ck_assert_int_eq(due_ns(d, 60, 500 * MS), 501 * MS);
	ck_assert_int_eq(due_ns(d, 60, 1500 * MS), 1505 * MS);
	ck_assert_int_eq(due_ns(d, 60, 2500 * MS), 2501 * MS);
	ck_assert_int_eq(cable_dir_spec(d)->delay_ns, MS);
	ck_assert_int_eq(drop_of(d, 60, 11 * SECOND), CABLE_DROP_LOSS);
	ck_assert_int_eq(cable_dir_spec_now(d)->delay_ns, 5 * MS);
	ck_assert_int_eq(cable_dir_min_delay_ns(d), MS);
	/* Another parameter changes: the schedule goes on. Another schedule: it starts anew. */
	change_cable(d,
		     "delay=1ms mtu=1500 schedule=\"delay square 1ms 5ms 2s; "
		     "loss square 0 100% 20s\"",
		     12 * SECOND);
	ck_assert_int_eq(drop_of(d, 60, 13 * SECOND), CABLE_DROP_LOSS);
	change_cable(d, "schedule=\"delay ramp 0ms 10ms 10s\"", 20 * SECOND);
	ck_assert_int_eq(due_ns(d, 60, 25 * SECOND), 25005 * MS);
	change_cable(d, "", 30 * SECOND);
	ck_assert_int_eq(due_ns(d, 60, 40 * SECOND), 40 * SECOND);
	ck_assert(cable_dir_is_plain(d));
	cable_dir_destroy(d);
}
END_TEST

/* A falling rate: what passes is the integral of the rate. */
START_TEST(what_passes_on_a_ramp_is_its_integral)
{
	struct cable_dir *d = cable_of("limit=2 schedule=\"rate ramp 10Mbit 2Mbit 10s\"");
	uint64_t bits = 0;

	for (int64_t now = 0; now < 10 * SECOND; now += 100000) {
		struct cable_verdict v = cable_dir_offer(d, 100, NULL, now);

		bits += v.drop == CABLE_PASS ? 800 : 0;
	}
	/* (10 + 2) / 2 * 10 = 60 Mbit; one offer per 100 us is 8 Mbit/s at most: 2.5 s are cut. */
	ck_assert_msg(bits > 57400000 && bits < 57600000, "%llu", (unsigned long long)bits);
	cable_dir_destroy(d);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, a_ramp_is_a_straight_line);
	tcase_add_test(tc, a_square_switches_to_the_nanosecond);
	tcase_add_test(tc, a_walk_stays_inside_and_repeats);
	tcase_add_test(tc, a_trace_is_replayed);
	tcase_add_test(tc, a_bad_trace_is_refused);
	tcase_add_test(tc, a_cable_follows_its_schedule);
	tcase_add_test(tc, what_passes_on_a_ramp_is_its_integral);
}

int main(void)
{
	return suite_run_case("cable_schedule", add_tests);
}
