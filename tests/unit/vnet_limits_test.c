/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vnet/mux/limits.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MS INT64_C(1000000)

static struct limits l;
static struct limits_state s;
static int64_t now_ns, cpu_ns;

static void setup(void)
{
	l = limits_default;
	l.cpu_ppm = 200000; /* a fifth of a CPU, a second at once, five seconds of patience */
	now_ns = 1000 * MS;
	cpu_ns = 0;
	limits_begin(&s, &l, now_ns);
}

/* Lets time pass in steps of 50 ms; it computes share percent of the time unless it is stopped. */
static enum limits_verdict live(int64_t ms, int share)
{
	enum limits_verdict v = LIMITS_LEAVE;

	for (int64_t i = 0; i < ms && v != LIMITS_CPU && v != LIMITS_MEMORY; i += 50) {
		now_ns += 50 * MS;
		if (!s.stopped)
			cpu_ns += 50 * MS * share / 100;
		v = limits_check(&s, &l, now_ns, cpu_ns, 1 << 20);
	}
	return v;
}

START_TEST(within_its_share_it_goes_on_for_ever)
{
	ck_assert_int_eq(live(3600000, 20), LIMITS_LEAVE);
	ck_assert(!s.stopped);
	ck_assert_int_eq(live(3600000, 5), LIMITS_LEAVE);
}
END_TEST

START_TEST(a_burst_is_free_then_it_stands_still)
{
	live(1150, 100);
	ck_assert(!s.stopped);
	live(150, 100);
	ck_assert(s.stopped);
	int64_t used = cpu_ns;

	live(400, 100);
	ck_assert(s.stopped);
	ck_assert_int_eq(cpu_ns, used);
	/* A tenth of the burst has come back after half a second. */
	live(200, 0);
	ck_assert(!s.stopped);
}
END_TEST

START_TEST(one_that_rests_is_forgiven)
{
	for (int i = 0; i < 20; i++) {
		ck_assert_int_ne(live(2000, 100), LIMITS_CPU);
		ck_assert_int_ne(live(10000, 1), LIMITS_CPU);
	}
}
END_TEST

START_TEST(one_that_never_rests_is_unloaded)
{
	int64_t begin = now_ns;

	ck_assert_int_eq(live(60000, 100), LIMITS_CPU);
	/* The burst takes 1.25 s, then its patience of 5 s runs. */
	ck_assert_int_le(now_ns - begin, 6500 * MS);
	ck_assert_int_ge(now_ns - begin, 6000 * MS);
	/* And all it got in that time is the burst and its share. */
	ck_assert_int_le(cpu_ns, 1000 * MS + (now_ns - begin) / 5 + 100 * MS);
}
END_TEST

START_TEST(memory_has_a_bound)
{
	now_ns += 50 * MS;
	ck_assert_int_eq(limits_check(&s, &l, now_ns, 0, l.memory_bytes), LIMITS_LEAVE);
	now_ns += 50 * MS;
	ck_assert_int_eq(limits_check(&s, &l, now_ns, 0, l.memory_bytes + 4096), LIMITS_MEMORY);
}
END_TEST

START_TEST(limits_are_said_in_words)
{
	struct err e;

	ck_assert_int_eq(limits_set(&l, "memory", "32M", &e), 0);
	ck_assert_int_eq(l.memory_bytes, 32 << 20);
	ck_assert_int_eq(limits_set(&l, "cpu", "12.5%", &e), 0);
	ck_assert_uint_eq(l.cpu_ppm, 125000);
	ck_assert_int_eq(limits_set(&l, "patience", "2s", &e), 0);
	ck_assert_int_eq(l.patience_ns, 2000 * MS);
	ck_assert_int_eq(limits_set(&l, "cpu", "200%", &e), -1);
	ck_assert_int_eq(limits_set(&l, "memory", "1k", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "memory is from 8M"));
	ck_assert_int_eq(limits_set(&l, "disk", "1k", &e), -1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("vnet limits");
	TCase *tc = tcase_create("limits");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, within_its_share_it_goes_on_for_ever);
	tcase_add_test(tc, a_burst_is_free_then_it_stands_still);
	tcase_add_test(tc, one_that_rests_is_forgiven);
	tcase_add_test(tc, one_that_never_rests_is_unloaded);
	tcase_add_test(tc, memory_has_a_bound);
	tcase_add_test(tc, limits_are_said_in_words);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
