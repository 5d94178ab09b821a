/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/rng.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_stream_repeats_and_depends_on_all_that_seeds_it)
{
	struct rng a;
	struct rng b;
	struct rng other[4];

	rng_init(&a, 1, "r1", "loss");
	rng_init(&b, 1, "r1", "loss");
	rng_init(&other[0], 2, "r1", "loss");
	rng_init(&other[1], 1, "r2", "loss");
	rng_init(&other[2], 1, "r1", "delay");
	rng_init(&other[3], 1, "r1l", "oss");
	for (int i = 0; i < 100; i++) {
		uint64_t v = rng_next(&a);

		ck_assert_uint_eq(v, rng_next(&b));
		for (size_t k = 0; k < ARRAY_LEN(other); k++)
			ck_assert_uint_ne(v, rng_next(&other[k]));
	}
}
END_TEST

/* The values of splitmix64 for the state 0: they must never change, or old runs do not repeat. */
START_TEST(the_generator_is_splitmix64)
{
	struct rng r = {0};

	ck_assert_uint_eq(rng_next(&r), UINT64_C(0xe220a8397b1dcdaf));
	ck_assert_uint_eq(rng_next(&r), UINT64_C(0x6e789e6aa1b965f4));
	ck_assert_uint_eq(rng_next(&r), UINT64_C(0x06c45d188009454f));
}
END_TEST

START_TEST(below_stays_below_and_reaches_all)
{
	struct rng r;
	unsigned seen[10] = {0};

	rng_init(&r, 7, "x", "y");
	for (int i = 0; i < 10000; i++) {
		uint64_t v = rng_below(&r, 10);

		ck_assert_uint_lt(v, 10);
		seen[v]++;
	}
	for (size_t i = 0; i < 10; i++) {
		ck_assert_uint_gt(seen[i], 850);
		ck_assert_uint_lt(seen[i], 1150);
	}
	for (int i = 0; i < 100; i++)
		ck_assert_uint_eq(rng_below(&r, 1), 0);
	ck_assert_uint_lt(rng_below(&r, UINT64_MAX), UINT64_MAX);
}
END_TEST

START_TEST(chances_are_what_they_say)
{
	struct rng r;
	unsigned hits = 0;

	rng_init(&r, 1, "link", "loss");
	for (int i = 0; i < 100000; i++) {
		ck_assert(!rng_chance_ppm(&r, 0));
		ck_assert(rng_chance_ppm(&r, 1000000));
		hits += rng_chance_ppm(&r, 10000);
	}
	ck_assert_uint_gt(hits, 900);
	ck_assert_uint_lt(hits, 1100);
}
END_TEST

START_TEST(the_hash_is_fnv1a)
{
	ck_assert_uint_eq(hash_fnv1a("", 0, HASH_FNV1A_START), UINT64_C(0xcbf29ce484222325));
	ck_assert_uint_eq(hash_fnv1a("a", 1, HASH_FNV1A_START), UINT64_C(0xaf63dc4c8601ec8c));
	ck_assert_uint_eq(hash_fnv1a("foobar", 6, HASH_FNV1A_START), UINT64_C(0x85944171f73967e8));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rng");
	TCase *tc = tcase_create("rng");

	tcase_add_test(tc, a_stream_repeats_and_depends_on_all_that_seeds_it);
	tcase_add_test(tc, the_generator_is_splitmix64);
	tcase_add_test(tc, below_stays_below_and_reaches_all);
	tcase_add_test(tc, chances_are_what_they_say);
	tcase_add_test(tc, the_hash_is_fnv1a);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
