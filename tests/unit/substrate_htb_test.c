/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scheduler against its mathematics, in virtual time: nothing here depends on this machine. */
#include "tests/unit/htb_help.h"

/* Frames leave at the wire's rate, also where it does not divide: nothing adds up. */
START_TEST(wire_rate_is_exact)
{
	static const int64_t rates[] = {100 * MBIT, 33333333, 7, 999999937, 10000 * MBIT};
	struct lab l;

	lab_begin(&l, rates[_i]);
	struct source *s = add(&l, htb_best_effort_create(l.h, "a", 0, 0), 1003, 0);
	int64_t time_ns = (int64_t)((__int128)100000 * 8000 * SECOND / rates[_i]);

	if (rates[_i] == 7)
		time_ns = 100 * 8000 * SECOND / 7;
	run(&l, time_ns);
	assert_rate(s, rates[_i], time_ns, 0, 1004);
	finish(&l);
}
END_TEST

START_TEST(without_a_rate_the_wire_is_always_free)
{
	struct lab l;
	struct item *i = item_get();
	struct htb_class *from;

	lab_begin(&l, 0);
	struct htb_rates r = {.min_bps = 0};
	struct htb_class *c = htb_link_create(l.h, "a", &r, 0);

	ck_assert_int_eq(htb_due_ns(l.h), INT64_MAX);
	ck_assert_int_eq(htb_enqueue(c, i, 1000, 1000, 5), HTB_QUEUED);
	ck_assert_int_le(htb_due_ns(l.h), 5);
	ck_assert_ptr_eq(htb_dequeue(l.h, 5, &from), i);
	ck_assert_ptr_eq(from, c);
	ck_assert_ptr_null(htb_dequeue(l.h, 5, &from));
	item_put(i);
	finish(&l);
}
END_TEST

/* Who is called late makes up for it, but not for a time in which nothing was there to send. */
START_TEST(lateness_is_made_up_for)
{
	struct htb_params p = {.rate_bps = 8 * MBIT, .slack_ns = 2000000, .release = release};
	struct htb *h = htb_create(&p, 0);
	struct htb_class *c = htb_best_effort_create(h, "a", 0, 0);
	int item;

	/* A frame takes 1 ms; the wire has been idle for a second. */
	for (int k = 0; k < 8; k++)
		htb_enqueue(c, &item, 1000, 1000, SECOND);
	ck_assert_ptr_nonnull(htb_dequeue(h, SECOND, NULL));
	ck_assert_ptr_null(htb_dequeue(h, SECOND, NULL));
	/* 0.7 ms late: the next is not. */
	ck_assert_ptr_nonnull(htb_dequeue(h, SECOND + 1700000, NULL));
	ck_assert_int_eq(htb_due_ns(h), SECOND + 2000000);
	/* 4 ms late: 2 of them are made up for. */
	for (int k = 0; k < 3; k++)
		ck_assert_ptr_nonnull(htb_dequeue(h, SECOND + 6000000, NULL));
	ck_assert_ptr_null(htb_dequeue(h, SECOND + 6000000, NULL));
	ck_assert_int_eq(htb_due_ns(h), SECOND + 7000000);
	for (int k = 0; k < 3; k++)
		ck_assert_ptr_nonnull(htb_dequeue(h, SECOND + (7 + k) * INT64_C(1000000), NULL));
	htb_destroy(h);
}
END_TEST

/* All flood with frames of all sizes; minima and control fill the wire to the last bit. */
START_TEST(each_gets_its_minimum)
{
	struct lab l;
	int64_t left = 99 * MBIT, minima[12];
	int64_t bursts = 0;

	lab_begin(&l, 100 * MBIT);
	rng_init(&l.random, (uint64_t)_i, "htb", "minima");
	for (int k = 0; k < 12; k++) {
		char vnet[16];

		minima[k] = k == 11 ? left : (int64_t)rng_below(&l.random, (uint64_t)left / 2) + 1;
		left -= minima[k];
		snprintf(vnet, sizeof(vnet), "v%d", k % 5);
		link(&l, vnet, minima[k], k % 2 ? minima[k] : 0, 1500, 0)->bytes_least = 64;
		bursts += htb_class_rates(l.at[k].class)->min_burst_bytes;
	}
	add(&l, htb_best_effort_create(l.h, "b", 0, 0), 1500, 0);
	run(&l, 10 * SECOND);
	for (int k = 0; k < 12; k++)
		assert_rate(&l.at[k], minima[k], 10 * SECOND, bursts + 1500,
			    k % 2 ? htb_class_rates(l.at[k].class)->ceil_burst_bytes + bursts
				  : 10 * MBIT);
	finish(&l);
}
END_TEST

/* What is left is shared in proportion to minima: 10 : 20 : 30 of 120. */
START_TEST(excess_follows_minima)
{
	struct lab l;

	lab_begin(&l, 120 * MBIT);
	for (int k = 1; k <= 3; k++) {
		char vnet[16];

		snprintf(vnet, sizeof(vnet), "v%d", k);
		link(&l, vnet, k * 10 * MBIT, 0, 500 * (uint32_t)k, 0);
	}
	run(&l, 10 * SECOND);
	for (int k = 1; k <= 3; k++)
		assert_rate(&l.at[k - 1], k * 20 * MBIT, 10 * SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

/* What a link of a vNet leaves goes to its sisters first, then to other vNets. */
START_TEST(vnets_borrow_before_others)
{
	struct lab l;

	lab_begin(&l, 80 * MBIT);
	struct source *a1 = link(&l, "a", 10 * MBIT, 0, 1000, 0);
	struct source *a2 = link(&l, "a", 10 * MBIT, 0, 1000, 8000 * SECOND / (1 * MBIT));
	struct source *b = link(&l, "b", 20 * MBIT, 0, 1000, 0);

	run(&l, 10 * SECOND);
	assert_rate(a2, 1 * MBIT, 10 * SECOND, 1000, 1000);
	assert_rate(a1, 39 * MBIT, 10 * SECOND, 10000, 10000);
	assert_rate(b, 40 * MBIT, 10 * SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

/* A ceiling is never passed, and reached to the bit; what it leaves, others get. */
START_TEST(ceiling_is_exact)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *slow = link(&l, "a", 1 * MBIT, 7 * MBIT, 1500, 0);
	struct source *low = link(&l, "b", MBIT / 10, 3333333, 700, 0);
	struct source *fast = link(&l, "c", 1 * MBIT, 0, 1500, 0);

	slow->bytes_least = 60;
	run(&l, 20 * SECOND);
	assert_rate(slow, 7 * MBIT, 20 * SECOND, 1500, HTB_BURST_BYTES);
	assert_rate(low, 3333333, 20 * SECOND, 1500, HTB_BURST_BYTES);
	assert_rate(fast, 100 * MBIT - 7 * MBIT - 3333333, 20 * SECOND, 2 * HTB_BURST_BYTES, 6000);
	finish(&l);
}
END_TEST

/* Many links whose current rate is their minimum, on a wire that they fill: each has it. */
START_TEST(ceiling_at_the_minimum)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	for (int k = 0; k < 33; k++)
		link(&l, k % 2 ? "a" : "b", 3 * MBIT, 3 * MBIT, 1500, 0)->bytes_least = 64;
	run(&l, 10 * SECOND);
	for (int k = 0; k < 33; k++)
		assert_rate(&l.at[k], 3 * MBIT, 10 * SECOND, 2000, HTB_MIN_BURST_BYTES);
	finish(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("htb");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, wire_rate_is_exact, 0, 5);
	tcase_add_test(t, without_a_rate_the_wire_is_always_free);
	tcase_add_test(t, lateness_is_made_up_for);
	tcase_add_loop_test(t, each_gets_its_minimum, 0, 10);
	tcase_add_test(t, excess_follows_minima);
	tcase_add_test(t, vnets_borrow_before_others);
	tcase_add_test(t, ceiling_is_exact);
	tcase_add_test(t, ceiling_at_the_minimum);
	suite_add_tcase(s, t);
	return suite_run(s);
}
