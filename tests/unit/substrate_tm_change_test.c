/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Traffic managers and a bandwidth manager with a wire between them that delays, and loses, repeats
 * and swaps if told so. Time is virtual.
 */
#include "tests/unit/tm_help.h"

/* The same nodes with cables between them. */
static void cables_start(struct lab *l)
{
	lan_start(l);
	for (int n = 0; n < NODES; n++) {
		tm_lan_destroy(l->lan[n]);
		l->lan[n] = NULL;
	}
}

/* A node falls silent: it goes back to its minimum, and then all it had is free. */
START_TEST(silence_gives_back)
{
	struct lab l;
	struct vbm_row r;

	lan_start(&l);
	struct flow *a = flow(&l, "red", 0, 1, 10 * MBIT, 0);
	struct flow *b = flow(&l, "red", 2, 3, 10 * MBIT, 0);

	a->offers_bps = b->offers_bps = 100 * MBIT;
	run(&l, 3 * SECOND);
	ck_assert_int_eq(rate(a), 24750000);
	l.silent[1] = true;
	run(&l, TM_LEASE_NS + 100 * MS);
	ck_assert_int_eq(rate(a), 10 * MBIT);
	ck_assert_int_eq(rate(b), 24750000);
	run(&l, VBM_SILENT_NS - TM_LEASE_NS + SECOND);
	ck_assert_int_eq(rate(b), 49500000);
	ck_assert(vbm_row(l.vbm, 1, &r));
	ck_assert_str_eq(r.node, "3");
	/* It comes back: its minimum is admitted again, and it takes part again. */
	l.silent[1] = false;
	run(&l, 4 * SECOND);
	ck_assert_int_eq(rate(a), 24750000);
	ck_assert_int_eq(rate(b), 24750000);
	finish(&l);
}
END_TEST

/* Hop by hop: the narrowest interface decides, and links share it by their minima. */
START_TEST(hops_agree)
{
	struct lab l;

	cables_start(&l);
	tm_port_set_rate(l.port[1], 20202020, l.now_ns); /* 20 of them usable */
	struct flow *a = flow(&l, "red", 0, 3, 4 * MBIT, 0);
	struct flow *b = flow(&l, "blue", 4, 3, 1 * MBIT, 0);

	a->n_stops = b->n_stops = 4;
	memcpy(a->node, (int[]){0, 1, 2, 3}, sizeof(a->node));
	memcpy(b->node, (int[]){4, 1, 2, 3}, sizeof(b->node));
	a->offers_bps = 100 * MBIT;
	run(&l, 3 * SECOND);
	ck_assert_int_eq(rate(a), 19 * MBIT); /* b has its minimum */
	b->offers_bps = 100 * MBIT;
	run(&l, 3 * SECOND);
	ck_assert_int_eq(rate(a), 16 * MBIT);
	ck_assert_int_eq(rate(b), 4 * MBIT);
	a->offers_bps = 0;
	run(&l, 3 * SECOND);
	ck_assert_int_eq(rate(a), 4 * MBIT);
	ck_assert_int_eq(rate(b), 16 * MBIT);
	/* The wire becomes slower than the minima: who came last goes, with a reason. */
	tm_port_set_rate(l.port[1], 4500000, l.now_ns);
	perform(&l);
	ck_assert_str_eq(b->reason, "the wire became too slow for its minimum");
	ck_assert_ptr_null(a->reason);
	finish(&l);
}
END_TEST

START_TEST(an_interface_is_full)
{
	struct lab l;
	struct err e = {0};

	cables_start(&l);
	struct flow *a = flow(&l, "red", 0, 1, 90 * MBIT, 0);
	struct flow *b = flow(&l, "red", 0, 2, 10 * MBIT, 0);
	struct flow *c = flow(&l, "red", 0, 2, 9 * MBIT, 0);

	run(&l, SECOND);
	ck_assert(a->up && c->up);
	ck_assert_str_eq(b->reason, "the interface has no room for its minimum");
	remove_flow(&l, b);
	ck_assert_int_eq(tm_link_set(c->stop[0].link, 10 * MBIT, 0, l.now_ns, &e), -1);
	ck_assert_str_eq(e.text, "the interface has no room for that minimum: at most 9Mbit");
	finish(&l);
}
END_TEST

/* A minimum changes under way: nodes further on decide first; one that says no changes nothing. */
START_TEST(a_minimum_changes)
{
	struct lab l;

	cables_start(&l);
	tm_port_set_rate(l.port[1], 20202020, l.now_ns);
	struct flow *a = flow(&l, "red", 0, 2, 4 * MBIT, 0);
	struct tm_link_state s;

	a->n_stops = 3;
	memcpy(a->node, (int[]){0, 1, 2}, 3 * sizeof(int));
	run(&l, SECOND);
	ck_assert_int_eq(tm_link_set(a->stop[0].link, 15 * MBIT, 0, l.now_ns, NULL), 0);
	perform(&l);
	run(&l, SECOND);
	ck_assert_int_eq(rate(a), 15 * MBIT);
	for (int i = 0; i < 3; i++) {
		tm_link_state(a->stop[i].link, &s);
		ck_assert_int_eq(s.min_bps, 15 * MBIT);
	}
	ck_assert_int_eq(tm_link_set(a->stop[0].link, 25 * MBIT, 0, l.now_ns, NULL), 0);
	perform(&l);
	run(&l, SECOND);
	ck_assert(a->min_kept);
	ck_assert_int_eq(rate(a), 15 * MBIT);
	ck_assert_int_eq(tm_link_set(a->stop[0].link, 1 * MBIT, 2 * MBIT, l.now_ns, NULL), 0);
	a->min_bps = 1 * MBIT;
	a->offers_bps = 50 * MBIT;
	perform(&l);
	run(&l, SECOND);
	ck_assert_int_eq(rate(a), 2 * MBIT);
	tm_link_state(a->stop[1].link, &s);
	ck_assert_int_eq(s.min_bps, 1 * MBIT);
	finish(&l);
}
END_TEST

/* Nobody answers for the LAN: the link is refused, not left waiting. */
START_TEST(no_bandwidth_manager)
{
	struct lab l;

	lan_start(&l);
	for (int n = 0; n < NODES; n++)
		l.silent[n] = true;
	struct flow *a = flow(&l, "red", 0, 1, 1 * MBIT, 0);

	run(&l, TM_PATIENCE_NS + SECOND);
	ck_assert_str_eq(a->reason, "the LAN's bandwidth manager does not answer");
	finish(&l);
}
END_TEST

/* One link that begins and ends here, with the policy. */
static struct tm_link *alone(struct tm **t, const struct tm_policy *policy)
{
	*t = tm_create(policy, SECOND);
	struct tm_link_spec spec = {
		.vnet = "red", .min_bps = 1 * MBIT, .out = tm_port_create(*t, 1000 * MBIT)};
	struct tm_link *l = tm_link_create(*t, &spec, SECOND);

	tm_link_up(l, SECOND);
	return l;
}

/* So much is offered in one interval that begins at *now_ns; the state at its end. */
static struct tm_link_state offer(struct tm *t, struct tm_link *l, int64_t *now_ns, int64_t bps)
{
	struct tm_link_state s;
	int64_t interval_ns = tm_policy(t)->measure_ns;

	tm_link_offered(l, (uint32_t)(bps * interval_ns / (8 * SECOND)), *now_ns);
	*now_ns += interval_ns;
	tm_tick(t, *now_ns);
	tm_link_state(l, &s);
	return s;
}

/* A change of the interval in its middle: what was counted until then is of neither length. */
START_TEST(a_policy_begins_an_interval)
{
	struct tm *t;
	struct tm_link *l = alone(&t, NULL);
	struct tm_policy p = *tm_policy(t);
	struct tm_link_state s;
	int64_t now_ns = SECOND;

	tm_link_offered(l, 125000, now_ns); /* 10 Mbit/s over 100 ms */
	ck_assert_int_eq(tm_due_ns(t), now_ns + 100 * MS);
	now_ns += 90 * MS;
	tm_set_policy(t, &p, now_ns); /* the same one: nothing */
	ck_assert_int_eq(tm_due_ns(t), SECOND + 100 * MS);
	p.measure_ns = 10 * MS;
	tm_set_policy(t, &p, now_ns);
	ck_assert_int_eq(tm_due_ns(t), now_ns + 10 * MS);
	s = offer(t, l, &now_ns, 20 * MBIT);
	ck_assert_int_eq(s.offered_bps, 20 * MBIT);
	ck_assert_int_eq(s.want_bps, 25 * MBIT);
	tm_destroy(t);
}
END_TEST

START_TEST(a_policy_has_thresholds)
{
	struct tm_policy p = tm_policy_default;
	struct tm *t;
	struct tm_link *l = alone(&t, NULL);
	int64_t now_ns = SECOND;

	ck_assert_int_eq(offer(t, l, &now_ns, 80 * MBIT).want_bps, 100 * MBIT);
	ck_assert_int_eq(offer(t, l, &now_ns, 87 * MBIT).want_bps, 100 * MBIT);
	for (int i = 0; i < 9; i++)
		ck_assert_int_eq(offer(t, l, &now_ns, 61 * MBIT).want_bps, 100 * MBIT);
	p.raise_ppm = 990000;
	p.lower_ppm = 700000;
	p.idle_ns = 150 * MS;
	tm_set_policy(t, &p, now_ns);
	ck_assert_int_eq(offer(t, l, &now_ns, 98 * MBIT).want_bps, 100 * MBIT);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(offer(t, l, &now_ns, 64 * MBIT).want_bps, 100 * MBIT);
	ck_assert_int_eq(offer(t, l, &now_ns, 64 * MBIT).want_bps, 80 * MBIT);
	/* Idle: at the end of the first interval that is without a frame for so long. */
	now_ns += tm_policy(t)->measure_ns;
	tm_tick(t, now_ns);
	struct tm_link_state s;

	tm_link_state(l, &s);
	ck_assert_int_eq(s.want_bps, 1 * MBIT);
	tm_destroy(t);
}
END_TEST

/*
 * Anything happens, and messages are lost, late, repeated and swapped: the LAN is never lent twice
 * (assert_bounds() at every step), and once wires behave rates are what they shall be.
 */
START_TEST(disorder)
{
	struct lab l;

	lan_start(&l);
	rng_init(&l.r, (uint64_t)_i, "tm", "disorder");
	l.share_bps = 49500000;
	l.disorder_percent = 40;
	for (int k = 0; k < 12; k++) {
		int from = (int)rng_below(&l.r, NODES);

		flow(&l, "red", from, (from + 1 + (int)rng_below(&l.r, NODES - 1)) % NODES,
		     (int64_t)rng_below(&l.r, 6) * MBIT, 0);
	}
	for (int k = 0; k < 40; k++) {
		struct flow *f = &l.flow[rng_below(&l.r, (uint64_t)l.n_flows)];

		f->offers_bps = (int64_t)rng_below(&l.r, 3) * 30 * MBIT;
		if (f->reason || (f->up && rng_below(&l.r, 15) == 0))
			remove_flow(&l, f);
		run(&l, (int64_t)rng_below(&l.r, 400) * MS);
	}
	l.disorder_percent = 0;
	int64_t sum = 0;
	bool flood = false;

	run(&l, 3 * SECOND);
	for (int k = 0; k < l.n_flows; k++)
		if (l.flow[k].up)
			flood |= (l.flow[k].offers_bps = (k % 3) * 50 * MBIT) > 0;
	run(&l, 10 * SECOND);
	for (int k = 0; k < l.n_flows; k++) {
		struct flow *f = &l.flow[k];

		if (!f->up)
			continue;
		sum += rate(f);
		if (!f->offers_bps)
			ck_assert_int_eq(rate(f), f->min_bps);
	}
	if (flood)
		ck_assert_int_ge(sum, l.share_bps - l.n_flows);
	finish(&l);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("tm: changes and losses");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, silence_gives_back);
	tcase_add_test(t, hops_agree);
	tcase_add_test(t, an_interface_is_full);
	tcase_add_test(t, a_minimum_changes);
	tcase_add_test(t, no_bandwidth_manager);
	tcase_add_test(t, a_policy_begins_an_interval);
	tcase_add_test(t, a_policy_has_thresholds);
	tcase_add_loop_test(t, disorder, 0, 60);
	suite_add_tcase(s, t);
	return suite_run(s);
}
