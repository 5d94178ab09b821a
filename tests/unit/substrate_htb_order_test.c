/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scheduler against its mathematics, in virtual time: nothing here depends on this machine. */
#include "tests/unit/htb_help.h"

/*
 * The bound of a link that keeps to its minimum: at most one frame of others, of any number of
 * floods, is in its way. 4.5 of 5 Mbit/s are 1,250 octets each 2.222222 ms; on the wire one takes
 * 100 us.
 */
START_TEST(conforming_waits_for_one_frame)
{
	static const int floods[] = {0, 1, 3, 8, 50};
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *good = link(&l, "good", 5 * MBIT, 0, 1250, 2222222);

	for (int k = 0; k < floods[_i]; k++) {
		char vnet[16];

		snprintf(vnet, sizeof(vnet), "v%d", k);
		link(&l, vnet, 94 * MBIT / floods[_i], 0, 1500, 0);
	}
	add(&l, htb_best_effort_create(l.h, "b", 0, 0), 1500, 0);
	/* The floods' own first bursts conform: they are over soon. */
	run(&l, 3 * SECOND);
	good->longest_ns = 0;
	run(&l, 10 * SECOND);
	ck_assert_uint_ge(good->sent_frames, 4499);
	ck_assert_int_le(good->longest_ns, 100000 + 120000);
	finish(&l);
}
END_TEST

/* Several that conform, in bursts as large as they may be: the sum of the bursts is the bound. */
START_TEST(conforming_bursts_add_up)
{
	struct lab l;
	int64_t bursts = 0;

	lab_begin(&l, 100 * MBIT);
	rng_init(&l.random, (uint64_t)_i, "htb", "bursts");
	for (int k = 0; k < 10; k++) {
		struct source *s = link(&l, k % 2 ? "a" : "b", 5 * MBIT, 0, 1250, 2000000);

		/* As if each had saved for long, then sends two at once. */
		add(&l, s->class, 1250, 4 * SECOND)->next_ns =
			(int64_t)rng_below(&l.random, 4) * 500000;
		bursts += htb_class_rates(s->class)->min_burst_bytes;
	}
	for (int k = 0; k < 4; k++)
		link(&l, "flood", 12 * MBIT, 0, 1500, 0);
	for (int k = 20; k < 24; k++)
		bursts += htb_class_rates(l.at[k].class)->min_burst_bytes;
	bursts += HTB_BURST_BYTES;
	for (int k = 0; k < 20; k++)
		run(&l, SECOND);
	for (int k = 0; k < 20; k++)
		ck_assert_int_le(htb_class_counters(l.at[k].class)->longest_wait_ns,
				 (bursts + 1500) * 8 * SECOND / l.rate_bps);
	finish(&l);
}
END_TEST

/* Who comes later gets its share from then on: the past is neither made up for nor held against it.
 */
START_TEST(newcomers_start_now)
{
	struct lab l;

	lab_begin(&l, 60 * MBIT);
	struct source *a1 = link(&l, "a", 10 * MBIT, 0, 1000, 0);

	run(&l, 5 * SECOND);
	struct source *a2 = link(&l, "a", 10 * MBIT, 0, 1000, 0);
	struct source *b = link(&l, "b", 10 * MBIT, 0, 1000, 0);

	a1->sent_bytes = 0;
	run(&l, 6 * SECOND);
	assert_rate(a1, 20 * MBIT, SECOND, 10000, 10000);
	assert_rate(a2, 20 * MBIT, SECOND, 10000, 10000);
	assert_rate(b, 20 * MBIT, SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

START_TEST(best_effort_newcomers_start_now)
{
	struct lab l;

	lab_begin(&l, 60 * MBIT);
	struct source *a = add(&l, htb_best_effort_create(l.h, "a", 0, 0), 1000, 0);

	run(&l, 5 * SECOND);
	struct source *b = add(&l, htb_best_effort_create(l.h, "b", 0, 0), 1000, 0);

	a->sent_bytes = 0;
	run(&l, 6 * SECOND);
	assert_rate(a, 30 * MBIT, SECOND, 10000, 10000);
	assert_rate(b, 30 * MBIT, SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

/* Control goes first, and a flood of it takes no minimum away. */
START_TEST(control_is_first_and_bounded)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *control = add(&l, htb_control(l.h), 200, 100000000);
	struct source *a = link(&l, "a", 49 * MBIT + 500000, 0, 1500, 0);
	struct source *b = link(&l, "b", 49 * MBIT + 500000, 0, 1500, 0);

	run(&l, 2 * SECOND);
	ck_assert_int_le(control->longest_ns, 120000 + 16000);
	control->period_ns = 0;
	a->sent_bytes = b->sent_bytes = control->sent_bytes = 0;
	run(&l, 12 * SECOND);
	assert_rate(a, 49 * MBIT + 500000, 10 * SECOND, 20000, 20000);
	assert_rate(b, 49 * MBIT + 500000, 10 * SECOND, 20000, 20000);
	assert_rate(control, 1 * MBIT, 10 * SECOND, 20000, 20000);
	finish(&l);
}
END_TEST

/* Best effort gets all that is left and nothing more; vNets share it alike, whatever they offer. */
START_TEST(best_effort_is_last_and_fair)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *a = add(&l, htb_best_effort_create(l.h, "a", 0, 0), 1500, 0);
	struct source *b = add(&l, htb_best_effort_create(l.h, "b", 0, 0), 64, 0);
	struct source *p = link(&l, "a", 10 * MBIT, 60 * MBIT, 1000, 0);

	run(&l, 10 * SECOND);
	assert_rate(p, 60 * MBIT, 10 * SECOND, 1000, 20000);
	assert_rate(a, 20 * MBIT, 10 * SECOND, 30000, 10000);
	assert_rate(b, 20 * MBIT, 10 * SECOND, 30000, 10000);
	htb_link_set(p->class, &(struct htb_rates){.min_bps = 10 * MBIT}, l.now_ns);
	a->sent_bytes = b->sent_bytes = 0;
	run(&l, 20 * SECOND);
	ck_assert_uint_le(a->sent_bytes + b->sent_bytes, 3000);
	finish(&l);
}
END_TEST

/* Without a minimum a link is not starved either: 8 kbit/s of weight beside 10 Mbit/s. */
START_TEST(no_minimum_is_not_nothing)
{
	struct lab l;

	lab_begin(&l, 20016000);
	struct source *a = link(&l, "a", 10 * MBIT, 0, 1000, 0);
	struct source *none = link(&l, "b", 0, 0, 1000, 0);

	run(&l, 100 * SECOND);
	assert_rate(a, 20 * MBIT, 100 * SECOND, 10000, 10000);
	assert_rate(none, 16000, 100 * SECOND, 3000, 3000);
	finish(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("htb: who is next");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, conforming_waits_for_one_frame, 0, 5);
	tcase_add_loop_test(t, conforming_bursts_add_up, 0, 5);
	tcase_add_test(t, newcomers_start_now);
	tcase_add_test(t, best_effort_newcomers_start_now);
	tcase_add_test(t, control_is_first_and_bounded);
	tcase_add_test(t, best_effort_is_last_and_fair);
	tcase_add_test(t, no_minimum_is_not_nothing);
	suite_add_tcase(s, t);
	return suite_run(s);
}
