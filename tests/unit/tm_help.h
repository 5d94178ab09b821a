/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Traffic managers, the letters between them, and flows over them. */
#ifndef TESTS_UNIT_TM_HELP_H
#define TESTS_UNIT_TM_HELP_H

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

static inline void post(struct lab *l, struct letter m)
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

static inline void perform_link(struct lab *l, const struct tm_action *a)
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

static inline void perform(struct lab *l)
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

static inline void deliver(struct lab *l, const struct letter *m)
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
static inline void assert_bounds(struct lab *l)
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

static inline void remove_flow(struct lab *l, struct flow *f)
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
static inline void advance_setup(struct lab *l, struct flow *f)
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

static inline int64_t next_ns(struct lab *l)
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

static inline void turn(struct lab *l)
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
static inline void run(struct lab *l, int64_t ns)
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

static inline struct flow *flow(struct lab *l, const char *vnet, int from, int to, int64_t min_bps,
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
static inline void lan_start(struct lab *l)
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

static inline void finish(struct lab *l)
{
	for (int n = 0; n < NODES; n++)
		tm_destroy(l->tm[n]);
	vbm_destroy(l->vbm);
	vec_free(&l->wire);
}

static inline int64_t rate(const struct flow *f)
{
	for (int i = 1; i < f->n_stops - 1; i++)
		ck_assert_int_eq(f->stop[i].rate_bps, f->stop[0].rate_bps);
	return f->stop[0].rate_bps;
}

#endif
