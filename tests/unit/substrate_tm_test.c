/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Traffic managers and a bandwidth manager with a wire between them that delays, and loses, repeats
 * and swaps if told so. Time is virtual.
 */
#include "tests/unit/tm_help.h"

/* A link starts with its minimum, and moves with demand between minimum and maximum. */
START_TEST(rates_follow_demand)
{
	struct lab l;

	lan_start(&l);
	struct flow *f = flow(&l, "red", 0, 1, 2 * MBIT, 20 * MBIT);

	run(&l, SECOND);
	ck_assert(f->up);
	ck_assert_int_eq(rate(f), 2 * MBIT);
	f->offers_bps = 8 * MBIT;
	run(&l, SECOND);
	ck_assert_int_eq(rate(f), 10 * MBIT); /* and a quarter of room */
	f->offers_bps = 100 * MBIT;
	run(&l, SECOND);
	ck_assert_int_eq(rate(f), 20 * MBIT);
	f->offers_bps = 4 * MBIT;
	run(&l, SECOND);
	ck_assert_int_eq(rate(f), 5 * MBIT);
	finish(&l);
}
END_TEST

START_TEST(idle_links_fall_back)
{
	struct lab l;

	lan_start(&l);
	struct flow *f = flow(&l, "red", 0, 1, 2 * MBIT, 20 * MBIT);

	f->offers_bps = 100 * MBIT;
	run(&l, 2 * SECOND);
	ck_assert_int_eq(rate(f), 20 * MBIT);
	f->offers_bps = 0;
	run(&l, TM_IDLE_NS - 50 * MS);
	ck_assert_int_eq(rate(f), 20 * MBIT);
	run(&l, 200 * MS);
	ck_assert_int_eq(rate(f), 2 * MBIT);
	struct vbm_row r;

	ck_assert(vbm_row(l.vbm, 0, &r));
	ck_assert_int_eq(r.held_bps, 2 * MBIT);
	/* Nothing happens any more but renewing the lease. */
	ck_assert_int_ge(tm_due_ns(l.tm[1]), l.now_ns + SECOND / 2);
	ck_assert_int_eq(tm_due_ns(l.tm[0]), INT64_MAX);
	finish(&l);
}
END_TEST

/* Two floods into different nodes share the vNet's part by their minima; one goes, the other grows.
 */
START_TEST(a_lan_is_one_segment)
{
	struct lab l;

	lan_start(&l);
	l.share_bps = 49500000;
	struct flow *a = flow(&l, "red", 0, 1, 10 * MBIT, 0);
	struct flow *b = flow(&l, "red", 2, 3, 20 * MBIT, 0);

	a->offers_bps = b->offers_bps = 100 * MBIT;
	run(&l, 5 * SECOND);
	ck_assert_int_eq(rate(a), 16500000);
	ck_assert_int_eq(rate(b), 33000000);
	a->offers_bps = 0;
	run(&l, 5 * SECOND);
	ck_assert_int_eq(rate(a), 10 * MBIT);
	ck_assert_int_eq(rate(b), 39500000);
	/* Reclaimed when others need it. */
	a->offers_bps = 100 * MBIT;
	run(&l, 5 * SECOND);
	ck_assert_int_eq(rate(a), 16500000);
	ck_assert_int_eq(rate(b), 33000000);
	finish(&l);
}
END_TEST

/* Blue's flood does not move red's rates, nor do blue's links get more than blue's part. */
START_TEST(vnets_do_not_touch)
{
	struct lab l;

	lan_start(&l);
	struct flow *a = flow(&l, "red", 0, 1, 10 * MBIT, 30 * MBIT);
	struct flow *b = flow(&l, "blue", 0, 1, 1 * MBIT, 0);

	a->offers_bps = 100 * MBIT;
	run(&l, 2 * SECOND);
	b->offers_bps = 100 * MBIT;
	run(&l, 5 * SECOND);
	ck_assert_int_eq(rate(a), 30 * MBIT);
	ck_assert_int_eq(rate(b), 24750000);
	finish(&l);
}
END_TEST

START_TEST(minima_are_admitted_or_refused)
{
	struct lab l;

	lan_start(&l);
	struct flow *a = flow(&l, "red", 0, 1, 40 * MBIT, 0);
	struct flow *none = flow(&l, "green", 0, 1, 1 * MBIT, 0);

	a->offers_bps = 100 * MBIT;
	run(&l, 2 * SECOND);
	ck_assert(a->up);
	ck_assert_int_eq(rate(a), 49500000);
	ck_assert_str_eq(none->reason, "the vNet's share of the LAN is used up");
	/* 9.5 are left of red's part; what a has borrowed is given back first. */
	l.share_bps = 49500000;
	struct flow *b = flow(&l, "red", 2, 3, 9 * MBIT, 0);
	struct flow *c = flow(&l, "red", 2, 4, 1 * MBIT, 0);

	run(&l, 2 * SECOND);
	ck_assert(b->up);
	ck_assert_int_eq(rate(b), 9 * MBIT);
	ck_assert(!c->up);
	ck_assert_str_eq(c->reason, "the vNet's share of the LAN is used up");
	ck_assert_int_eq(rate(a), 40500000);
	/* What goes makes room. */
	remove_flow(&l, b);
	run(&l, 2 * SECOND);
	ck_assert_int_eq(rate(a), 49500000);
	finish(&l);
}
END_TEST

START_TEST(shares_add_up)
{
	struct vbm *v = vbm_create(100 * MBIT);
	struct err e = {0};

	ck_assert_int_eq(vbm_set_share(v, "a", 700000, 0, NULL), 0);
	ck_assert_int_eq(vbm_set_share(v, "b", 400000, 0, &e), -1);
	ck_assert_str_eq(e.text, "the shares of a LAN add up to 100% at most: b can have 30%");
	ck_assert_int_eq(vbm_set_share(v, "b", 300000, 0, NULL), 0);
	ck_assert_int_eq(vbm_set_share(v, "a", 0, 0, NULL), 0);
	ck_assert_int_eq(vbm_set_share(v, "b", 1000000, 0, NULL), 0);
	vbm_destroy(v);
}
END_TEST

/* Configuration: the vNet's part becomes smaller, links are lowered; below the minima it is not. */
START_TEST(a_share_changes)
{
	struct lab l;

	lan_start(&l);
	struct flow *a = flow(&l, "red", 0, 1, 10 * MBIT, 0);
	struct err e = {0};

	a->offers_bps = 100 * MBIT;
	run(&l, 2 * SECOND);
	ck_assert_int_eq(vbm_set_share(l.vbm, "red", 200000, l.now_ns, NULL), 0);
	perform(&l);
	run(&l, SECOND / 10);
	ck_assert_int_eq(rate(a), 19800000);
	ck_assert_int_eq(vbm_set_share(l.vbm, "red", 100000, l.now_ns, &e), -1);
	ck_assert_str_eq(e.text, "red has guaranteed 10Mbit on this LAN, more than the 9900kbit "
				 "left to it");
	ck_assert_int_eq(vbm_set_rate(l.vbm, 1000 * MBIT, l.now_ns, NULL), 0);
	perform(&l);
	run(&l, SECOND);
	ck_assert_int_eq(rate(a), 99 * MBIT); /* the sender's interface */
	finish(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tm");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, rates_follow_demand);
	tcase_add_test(t, idle_links_fall_back);
	tcase_add_test(t, a_lan_is_one_segment);
	tcase_add_test(t, vnets_do_not_touch);
	tcase_add_test(t, minima_are_admitted_or_refused);
	tcase_add_test(t, shares_add_up);
	tcase_add_test(t, a_share_changes);
	suite_add_tcase(s, t);
	return suite_run(s);
}
