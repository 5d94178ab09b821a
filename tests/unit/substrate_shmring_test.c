/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A ring between two processes: all that is put comes out, in order, once; nonsense breaks it. */
#include "substrate/trunk/shmring.h"

#include "lib/rng.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { SIZE = 2 * SHMRING_RECORD_MAX };

static uint8_t *memory;
static struct shmring in, out;

static void set_up(void)
{
	memory = aligned_alloc(4096, SHMRING_HEAD + SIZE);
	memset(memory, 0, SHMRING_HEAD + SIZE);
	shmring_init(&in, memory, SIZE);
	shmring_init(&out, memory, SIZE);
}

static void tear_down(void)
{
	free(memory);
}

static bool put(uint32_t id, uint32_t len, uint8_t fill)
{
	uint8_t *room = shmring_room(&out, len);

	if (!room)
		return false;
	memset(room, fill, len);
	shmring_put(&out, id, len);
	return true;
}

static bool is_filled(const struct shmring_record *rec, uint8_t fill)
{
	for (uint32_t i = 0; i < rec->len; i++)
		if (rec->data[i] != fill)
			return false;
	return true;
}

START_TEST(what_is_put_is_seen_when_it_is_published)
{
	struct shmring_record rec;

	ck_assert(put(7, 60, 0xaa));
	ck_assert_int_eq(shmring_take(&in, &rec), 0);
	shmring_publish(&out);
	ck_assert_int_eq(shmring_take(&in, &rec), 1);
	ck_assert_uint_eq(rec.id, 7);
	ck_assert_uint_eq(rec.len, 60);
	ck_assert(is_filled(&rec, 0xaa));
	ck_assert_int_eq(shmring_take(&in, &rec), 0);
}
END_TEST

/* Any lengths, a slow reader, many times around: the order holds and nothing is lost or torn. */
START_TEST(all_records_come_out_as_they_went_in)
{
	struct shmring_record rec;
	struct rng r;
	uint32_t sent = 0;
	uint32_t got = 0;

	rng_init(&r, 1, "ring", "test");
	while (got < 200000) {
		uint64_t x = rng_next(&r);
		uint32_t len = x % 16 ? (uint32_t)(x >> 8) % 1600 : (uint32_t)(x >> 8) % 65600;

		if (x >> 62 && sent < 200000 && put(sent, len, (uint8_t)sent))
			sent++;
		shmring_publish(&out);
		for (uint32_t i = (uint32_t)(x >> 40) % 4; i; i--) {
			int rc = shmring_take(&in, &rec);

			ck_assert_int_ge(rc, 0);
			if (!rc)
				break;
			ck_assert_uint_eq(rec.id, got);
			ck_assert(is_filled(&rec, (uint8_t)got));
			got++;
		}
		shmring_give_back(&in);
	}
	ck_assert_uint_eq(got, sent);
}
END_TEST

START_TEST(a_full_ring_says_no_until_it_is_read)
{
	struct shmring_record rec;
	uint32_t n = 0;

	while (put(n, 1000, 1))
		n++;
	ck_assert_uint_gt(n, SIZE / 1100);
	shmring_publish(&out);
	ck_assert_int_eq(shmring_take(&in, &rec), 1);
	ck_assert_ptr_null(shmring_room(&out, 1000));
	shmring_give_back(&in);
	ck_assert_ptr_nonnull(shmring_room(&out, 1000));
}
END_TEST

START_TEST(only_a_sleeping_reader_is_woken_and_once)
{
	struct shmring_record rec;

	put(1, 10, 1);
	ck_assert(!shmring_publish(&out));
	/* It finds something there and does not sleep. */
	ck_assert(shmring_sleep(&in));
	ck_assert_int_eq(shmring_take(&in, &rec), 1);
	ck_assert(!shmring_sleep(&in));
	put(2, 10, 1);
	ck_assert(shmring_publish(&out));
	put(3, 10, 1);
	ck_assert(!shmring_publish(&out));
}
END_TEST

/* Whatever the other process writes, what is read is in the ring. */
START_TEST(nonsense_breaks_the_ring_and_nothing_else)
{
	struct rng r;

	rng_init(&r, 2, "ring", "test");
	for (int i = 0; i < 20000; i++) {
		struct shmring_record rec;

		memset(memory, 0, 256);
		shmring_init(&in, memory, SIZE);
		shmring_init(&out, memory, SIZE);
		for (int k = 0; k < 8; k++)
			put((uint32_t)k, (uint32_t)(rng_next(&r) % 200), 3);
		shmring_publish(&out);
		/* Some word of the indices or of the records. */
		uint32_t at = rng_next(&r) % 2 ? (uint32_t)(rng_next(&r) % 40)
					       : SHMRING_HEAD / 4 + (uint32_t)(rng_next(&r) % 200);
		uint32_t value = (uint32_t)(rng_next(&r) >> (rng_next(&r) % 64));

		memcpy(memory + (size_t)at * 4, &value, 4);
		for (int k = 0; k < 100 && shmring_take(&in, &rec) > 0; k++) {
			ck_assert_uint_le(rec.len, SHMRING_RECORD_MAX);
			ck_assert(rec.data >= memory + SHMRING_HEAD);
			ck_assert(rec.data + rec.len <= memory + SHMRING_HEAD + SIZE);
		}
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("shmring");
	TCase *tc = tcase_create("shmring");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, what_is_put_is_seen_when_it_is_published);
	tcase_add_test(tc, all_records_come_out_as_they_went_in);
	tcase_add_test(tc, a_full_ring_says_no_until_it_is_read);
	tcase_add_test(tc, only_a_sleeping_reader_is_woken_and_once);
	tcase_add_test(tc, nonsense_breaks_the_ring_and_nothing_else);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
