/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Traffic managers and a bandwidth manager with a wire between them that delays, and loses, repeats
 * and swaps if told so. Time is virtual.
 */
#include "substrate/rate/tm.h"
#include "substrate/rate/vbm.h"

#include "lib/rng.h"
#include "lib/vec.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES = 5, LINKS_MAX = 40, HOPS_MAX = 4 };

#define MBIT   INT64_C(1000000)
#define MS     INT64_C(1000000)
#define SECOND INT64_C(1000000000)

struct lab;

/* One hop of a virtual link: the link at one node. */
struct stop {
	struct lab *lab;
	struct flow *flow;
	int at; /* which of the flow's stops */
	struct tm_link *link;
	int64_t rate_bps;
	bool admitted;
};

struct flow {
	struct stop stop[HOPS_MAX];
	int n_stops;
	int node[HOPS_MAX];
	int64_t min_bps, max_bps;
	const char *vnet;
	int64_t offers_bps;
	const char *reason; /* of the end of it */
	bool up, min_kept;
};

struct letter {
	int64_t due_ns;
	enum { TO_NEXT, TO_PREV, TO_VBM, TO_TM } what;
	struct stop *stop; /* where it arrives */
	int node;
	char vnet[8];
	struct grant_ask ask;
	struct grant_give give;
	bool request;
};

struct lab {
	int64_t now_ns;
	struct tm *tm[NODES];
	struct tm_port *port[NODES];
	struct tm_lan *lan[NODES]; /* NULL: links between nodes are cables */
	bool silent[NODES];
	struct vbm *vbm;
	struct flow flow[LINKS_MAX];
	int n_flows;
	VEC(struct letter) wire;
	struct rng r;
	int disorder_percent;
	int64_t share_bps; /* checked at all times; 0: not */
};

static void post(struct lab *l, struct letter m)
{
	int copies = 1;

	m.due_ns = l->now_ns + MS;
	if (l->disorder_percent) {
		m.due_ns += (int64_t)rng_below(&l->r, 50) * MS;
		if ((int)rng_below(&l->r, 100) < l->disorder_percent)
			copies = (int)rng_below(&l->r, 3);
	}
	for (; copies > 0; copies--) {
		vec_push(&l->wire, m);
		m.due_ns += (int64_t)rng_below(&l->r, 50) * MS;
	}
}

static void perform_link(struct lab *l, const struct tm_action *a)
{
	struct stop *s = tm_link_owner(a->link);
	struct flow *f = s->flow;

	switch (a->kind) {
	case TM_ADMITTED:
		s->admitted = true;
		break;
	case TM_REFUSED:
	case TM_REVOKED:
		f->reason = a->reason;
		f->up = false;
		break;
	case TM_MIN_KEPT:
		f->min_kept = true;
		break;
	case TM_SET_RATE:
		s->rate_bps = a->rate_bps;
		break;
	case TM_ASK_NEXT:
		post(l, (struct letter){.what = TO_NEXT,
					.stop = &f->stop[s->at + 1],
					.ask = a->ask,
					.request = !a->answer});
		break;
	case TM_GIVE_PREV:
		post(l, (struct letter){.what = TO_PREV,
					.stop = &f->stop[s->at - 1],
					.give = a->give,
					.request = !a->answer});
		break;
	case TM_ASK_VBM:
		ck_abort_msg("no link asks the VBM");
	}
}

static void perform(struct lab *l)
{
	struct tm_action a;

	for (int n = 0; n < NODES; n++) {
		while (tm_next_action(l->tm[n], &a)) {
			if (a.kind != TM_ASK_VBM) {
				perform_link(l, &a);
				continue;
			}
			if (l->silent[n])
				continue;
			struct letter m = {
				.what = TO_VBM, .node = n, .ask = a.ask, .request = !a.answer};

			snprintf(m.vnet, sizeof(m.vnet), "%s", a.vnet);
			post(l, m);
		}
	}
	struct vbm_message v;

	while (l->vbm && vbm_next_message(l->vbm, &v)) {
		struct letter m = {.what = TO_TM,
				   .node = v.node[0] - '0',
				   .give = v.give,
				   .request = !v.answer};

		snprintf(m.vnet, sizeof(m.vnet), "%s", v.vnet);
		post(l, m);
	}
}

static void deliver(struct lab *l, const struct letter *m)
{
	char node[2] = {(char)('0' + m->node), '\0'};

	switch (m->what) {
	case TO_NEXT:
		if (m->stop->link)
			tm_hear_prev(m->stop->link, &m->ask, m->request, l->now_ns);
		break;
	case TO_PREV:
		if (m->stop->link)
			tm_hear_next(m->stop->link, &m->give, m->request, l->now_ns);
		break;
	case TO_VBM:
		vbm_hear(l->vbm, node, m->vnet, &m->ask, m->request, l->now_ns);
		break;
	case TO_TM:
		if (!l->silent[m->node])
			tm_hear_vbm(l->lan[m->node], m->vnet, &m->give, m->request, l->now_ns);
		break;
	}
}

/* What the paper asks of a LAN: all that is sent on it fits into the vNet's part, at all times. */
static void assert_bounds(struct lab *l)
{
	int64_t sum = 0;

	for (int i = 0; i < l->n_flows; i++) {
		struct flow *f = &l->flow[i];

		if (!f->up)
			continue;
		sum += f->stop[0].rate_bps;
		if (f->stop[0].rate_bps < f->min_bps ||
		    (f->max_bps && f->stop[0].rate_bps > f->max_bps))
			ck_assert_int_eq(f->stop[0].rate_bps, f->min_bps);
	}
	if (l->share_bps && sum > l->share_bps)
		ck_assert_int_le(sum, l->share_bps);
}

static void remove_flow(struct lab *l, struct flow *f)
{
	for (int i = 0; i < f->n_stops; i++) {
		struct tm_link *link = f->stop[i].link;

		f->stop[i].link = NULL;
		tm_link_destroy(link, l->now_ns);
	}
	f->up = false;
	f->reason = "removed";
	perform(l);
}

/* From the end to the beginning, as set-up does. */
static void advance_setup(struct lab *l, struct flow *f)
{
	if (f->up || f->reason)
		return;
	for (int i = f->n_stops - 1; i >= 0; i--) {
		struct stop *s = &f->stop[i];

		if (!s->link) {
			bool lan = i > 0 && l->lan[f->node[i]];
			struct tm_link_spec spec = {
				.vnet = f->vnet,
				.min_bps = f->min_bps,
				.max_bps = f->max_bps,
				.out = i < f->n_stops - 1 ? l->port[f->node[i]] : NULL,
				.in_lan = lan ? l->lan[f->node[i]] : NULL,
				.from_node = i > 0,
				.to_node = i < f->n_stops - 1,
				.owner = s,
			};

			s->link = tm_link_create(l->tm[f->node[i]], &spec, l->now_ns);
			perform(l);
		}
		if (!s->admitted)
			return;
	}
	for (int i = f->n_stops - 1; i >= 0; i--)
		tm_link_up(f->stop[i].link, l->now_ns);
	f->up = true;
	perform(l);
}

static int64_t next_ns(struct lab *l)
{
	int64_t next = vbm_due_ns(l->vbm);

	for (int n = 0; n < NODES; n++)
		if (tm_due_ns(l->tm[n]) < next)
			next = tm_due_ns(l->tm[n]);
	for (size_t i = 0; i < l->wire.n; i++)
		if (l->wire.at[i].due_ns < next)
			next = l->wire.at[i].due_ns;
	return next;
}

static void turn(struct lab *l)
{
	for (size_t i = 0; i < l->wire.n;) {
		struct letter m = l->wire.at[i];

		if (m.due_ns > l->now_ns) {
			i++;
			continue;
		}
		vec_remove(&l->wire, i);
		deliver(l, &m);
		perform(l);
		assert_bounds(l);
	}
	for (int n = 0; n < NODES; n++)
		if (tm_due_ns(l->tm[n]) <= l->now_ns)
			tm_tick(l->tm[n], l->now_ns);
	if (vbm_due_ns(l->vbm) <= l->now_ns)
		vbm_tick(l->vbm, l->now_ns);
	perform(l);
	for (int i = 0; i < l->n_flows; i++)
		advance_setup(l, &l->flow[i]);
	assert_bounds(l);
}

/* What flows offer comes in pieces of 10 ms. */
static void run(struct lab *l, int64_t ns)
{
	int64_t until_ns = l->now_ns + ns;
	int64_t piece_ns = l->now_ns;

	while (l->now_ns < until_ns) {
		turn(l);
		if (l->now_ns == piece_ns) {
			for (int i = 0; i < l->n_flows; i++) {
				struct flow *f = &l->flow[i];

				if (f->up && f->offers_bps)
					tm_link_offered(f->stop[0].link,
							(uint32_t)(f->offers_bps / 800), l->now_ns);
			}
			piece_ns += 10 * MS;
		}
		int64_t next = next_ns(l);

		ck_assert_int_gt(next, l->now_ns);
		next = next < piece_ns ? next : piece_ns;
		l->now_ns = next < until_ns ? next : until_ns;
	}
}

static struct flow *flow(struct lab *l, const char *vnet, int from, int to, int64_t min_bps,
			 int64_t max_bps)
{
	struct flow *f = &l->flow[l->n_flows++];

	ck_assert_int_le(l->n_flows, LINKS_MAX);
	*f = (struct flow){.n_stops = 2,
			   .node = {from, to},
			   .vnet = vnet,
			   .min_bps = min_bps,
			   .max_bps = max_bps};
	for (int i = 0; i < HOPS_MAX; i++)
		f->stop[i] = (struct stop){.lab = l, .flow = f, .at = i};
	return f;
}

/* A LAN of 100 Mbit/s, 99 of them for virtual links; red has half of it, blue a quarter. */
static void lan_start(struct lab *l)
{
	*l = (struct lab){.now_ns = SECOND, .vbm = vbm_create(100 * MBIT)};
	rng_init(&l->r, 1, "tm", "test");
	for (int n = 0; n < NODES; n++) {
		l->tm[n] = tm_create(NULL, l->now_ns);
		l->port[n] = tm_port_create(l->tm[n], 100 * MBIT);
		l->lan[n] = tm_lan_create(l->tm[n], NULL);
	}
	ck_assert_int_eq(vbm_set_share(l->vbm, "red", 500000, l->now_ns, NULL), 0);
	ck_assert_int_eq(vbm_set_share(l->vbm, "blue", 250000, l->now_ns, NULL), 0);
}

/* The same nodes with cables between them. */
static void cables_start(struct lab *l)
{
	lan_start(l);
	for (int n = 0; n < NODES; n++) {
		tm_lan_destroy(l->lan[n]);
		l->lan[n] = NULL;
	}
}

static void finish(struct lab *l)
{
	for (int n = 0; n < NODES; n++)
		tm_destroy(l->tm[n]);
	vbm_destroy(l->vbm);
	vec_free(&l->wire);
}

static int64_t rate(const struct flow *f)
{
	for (int i = 1; i < f->n_stops - 1; i++)
		ck_assert_int_eq(f->stop[i].rate_bps, f->stop[0].rate_bps);
	return f->stop[0].rate_bps;
}

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
	tcase_add_test(t, silence_gives_back);
	tcase_add_test(t, hops_agree);
	tcase_add_test(t, an_interface_is_full);
	tcase_add_test(t, a_minimum_changes);
	tcase_add_test(t, no_bandwidth_manager);
	tcase_add_loop_test(t, disorder, 0, 60);
	suite_add_tcase(s, t);
	return suite_run(s);
}
