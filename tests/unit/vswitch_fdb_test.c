/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vswitch/fdb.h"

#include "lib/rng.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct fdb t;

static void setup(void)
{
	fdb_init(&t, 4, 99);
	t.ageing_ns = 100;
}

static void teardown(void)
{
	fdb_finish(&t);
}

START_TEST(a_key_holds_vlan_and_address)
{
	static const uint8_t mac[6] = {0x02, 1, 2, 3, 4, 0xff};

	ck_assert_uint_eq(fdb_key(0xabc, mac), UINT64_C(0x0abc0201020304ff));
}
END_TEST

START_TEST(what_was_seen_is_found)
{
	ck_assert_int_eq(fdb_find(&t, 1, 0), -1);
	ck_assert(fdb_learn(&t, 1, 7, 0));
	ck_assert_int_eq(fdb_find(&t, 1, 0), 7);
	ck_assert(fdb_learn(&t, 1, 8, 1));
	ck_assert_int_eq(fdb_find(&t, 1, 1), 8);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_uint_eq(t.learned, 1);
	ck_assert_uint_eq(t.moved, 1);
}
END_TEST

START_TEST(stations_age_to_the_nanosecond)
{
	fdb_learn(&t, 1, 1, 0);
	fdb_learn(&t, 2, 2, 50);
	ck_assert_int_eq(fdb_find(&t, 1, 99), 1);
	ck_assert_int_eq(fdb_find(&t, 1, 100), -1);
	ck_assert_int_eq(fdb_find(&t, 2, 149), 2);
	fdb_learn(&t, 2, 2, 149);
	ck_assert_int_eq(fdb_find(&t, 2, 248), 2);
	ck_assert_int_eq(fdb_find(&t, 2, 249), -1);
	fdb_age(&t, 249);
	ck_assert_uint_eq(t.n, 0);
	ck_assert_uint_eq(t.aged, 2);
	t.ageing_ns = 0;
	fdb_learn(&t, 3, 3, 0);
	ck_assert_int_eq(fdb_find(&t, 3, INT64_MAX), 3);
}
END_TEST

START_TEST(a_full_table_takes_no_more_until_one_ages)
{
	for (int i = 1; i <= 4; i++)
		ck_assert(fdb_learn(&t, (uint64_t)i, (uint16_t)i, i));
	ck_assert(!fdb_learn(&t, 5, 5, 50));
	ck_assert_uint_eq(t.full, 1);
	ck_assert(fdb_learn(&t, 1, 1, 50)); /* known ones are refreshed */
	ck_assert(!fdb_learn(&t, 5, 5, 101));
	ck_assert(fdb_learn(&t, 5, 5, 102)); /* 2 is too old now */
	ck_assert_int_eq(fdb_find(&t, 2, 102), -1);
	ck_assert_int_eq(fdb_find(&t, 5, 102), 5);
	ck_assert_int_eq(fdb_find(&t, 1, 102), 1);
}
END_TEST

START_TEST(a_table_of_nothing_learns_nothing)
{
	fdb_resize(&t, 0);
	ck_assert(!fdb_learn(&t, 1, 1, 0));
	ck_assert_int_eq(fdb_find(&t, 1, 0), -1);
	fdb_flush(&t);
	ck_assert(!fdb_learn(&t, 1, 1, 0));
}
END_TEST

START_TEST(a_port_is_forgotten_alone)
{
	for (int i = 1; i <= 4; i++)
		fdb_learn(&t, (uint64_t)i, i & 1, 0);
	fdb_flush_port(&t, 1);
	ck_assert_uint_eq(t.n, 2);
	ck_assert_int_eq(fdb_find(&t, 1, 0), -1);
	ck_assert_int_eq(fdb_find(&t, 2, 0), 0);
	fdb_flush(&t);
	ck_assert_uint_eq(t.n, 0);
	ck_assert_ptr_null(fdb_first(&t));
}
END_TEST

START_TEST(entries_come_oldest_first)
{
	uint64_t last = 0;

	fdb_learn(&t, 3, 0, 1);
	fdb_learn(&t, 1, 0, 2);
	fdb_learn(&t, 2, 0, 3);
	fdb_learn(&t, 3, 0, 4);
	for (const struct fdb_entry *e = fdb_first(&t); e; e = fdb_next(&t, e), last++)
		ck_assert_uint_eq(e->key, last + 1);
	ck_assert_uint_eq(last, 3);
}
END_TEST

/* A plain array does the same, slowly: both agree after any sequence of calls. */
START_TEST(it_does_what_a_plain_array_does)
{
	enum { KEYS = 64, LIMIT = 40, AGEING = 5000 };
	struct {
		int64_t seen_ns;
		int port; /* -1: unknown */
	} model[KEYS];
	struct rng r;
	int64_t now = 0;

	rng_init(&r, 5, "fdb", "model");
	fdb_resize(&t, LIMIT);
	t.ageing_ns = AGEING;
	for (int i = 0; i < KEYS; i++)
		model[i].port = -1;
	for (int step = 0; step < 300000; step++) {
		uint64_t key = rng_below(&r, KEYS);
		uint16_t port = (uint16_t)rng_below(&r, 4);
		int n = 0;

		now += (int64_t)rng_below(&r, 200);
		for (int i = 0; i < KEYS; i++) {
			if (model[i].port >= 0 && now - model[i].seen_ns >= AGEING)
				model[i].port = -1;
			n += model[i].port >= 0;
		}
		bool room = n < LIMIT || model[key].port >= 0;

		if (rng_below(&r, 1000) == 0) {
			fdb_flush_port(&t, port);
			for (int i = 0; i < KEYS; i++)
				if (model[i].port == port)
					model[i].port = -1;
			continue;
		}
		if (fdb_learn(&t, key, port, now) != room)
			ck_abort_msg("step %d: room %d", step, room);
		if (room) {
			model[key].port = port;
			model[key].seen_ns = now;
		}
		key = rng_below(&r, KEYS);
		if (fdb_find(&t, key, now) != model[key].port)
			ck_abort_msg("step %d: port %d", step, model[key].port);
	}
	ck_assert_uint_gt(t.full, 100);
	ck_assert_uint_gt(t.aged, 100);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("fdb");
	TCase *tc = tcase_create("fdb");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_key_holds_vlan_and_address);
	tcase_add_test(tc, what_was_seen_is_found);
	tcase_add_test(tc, stations_age_to_the_nanosecond);
	tcase_add_test(tc, a_full_table_takes_no_more_until_one_ages);
	tcase_add_test(tc, a_table_of_nothing_learns_nothing);
	tcase_add_test(tc, a_port_is_forgotten_alone);
	tcase_add_test(tc, entries_come_oldest_first);
	tcase_add_test(tc, it_does_what_a_plain_array_does);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
