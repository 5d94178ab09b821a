/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. A traffic manager keeps, for each virtual link that touches the node, what is wanted and
 * what is allowed; tm_rates.c derives all rates from that anew after each event. The events:
 *
 *   - a link is created, set, destroyed; a port or a LAN comes, goes, or has another rate;
 *   - the node before, the next node or the VBM says something (all of its state, each time);
 *   - time passes: demand is measured, what was not answered is said again, leases run out.
 *
 * Nothing is done at once. An event marks what is due (enum tm_due) and the caller fetches it with
 * tm_next_action(), in an order that matters: first new rates, so that what was taken back is no
 * longer used when a message says so; then verdicts; then messages to the nodes before, to the
 * next nodes, to the VBM. What became due twice meanwhile is said once, in its latest state.
 */
#include "lib/minmax.h"
#include "lib/units.h"
#include "substrate/rate/tm_priv.h"

#include <assert.h>
#include <string.h>

struct tm *tm_create(const struct tm_policy *policy, int64_t now_ns)
{
	struct tm *t = xcalloc(1, sizeof(*t));

	t->policy = policy ? *policy : tm_policy_default;
	t->now_ns = now_ns;
	return t;
}

static void link_free(struct tm_link *l)
{
	free(l->vnet);
	free(l);
}

static void lan_free(struct tm_lan *l)
{
	for (size_t i = 0; i < l->aggregates.n; i++) {
		free(l->aggregates.at[i]->vnet);
		free(l->aggregates.at[i]);
	}
	vec_free(&l->aggregates);
	free(l);
}

void tm_destroy(struct tm *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->links.n; i++)
		link_free(t->links.at[i]);
	for (size_t i = 0; i < t->ports.n; i++)
		free(t->ports.at[i]);
	for (size_t i = 0; i < t->lans.n; i++)
		lan_free(t->lans.at[i]);
	vec_free(&t->links);
	vec_free(&t->ports);
	vec_free(&t->lans);
	vec_free(&t->parts);
	vec_free(&t->members);
	free(t);
}

/* ---- ports and LANs ---------------------------------------------------------------------- */

struct tm_port *tm_port_create(struct tm *t, int64_t rate_bps)
{
	struct tm_port *p = xcalloc(1, sizeof(*p));

	p->t = t;
	p->rate_bps = rate_bps;
	vec_push(&t->ports, p);
	return p;
}

/* The wire became slower than the minima on it: who came last goes first. */
static void revoke_excess(struct tm_port *p)
{
	struct tm *t = p->t;

	for (size_t i = t->links.n; i-- > 0;) {
		struct tm_link *l = t->links.at[i];

		if (tm_port_minima_bps(p) <= tm_port_usable_bps(p))
			return;
		if (l->out == p && l->min_bps && l->stage != TM_STAGE_DEAD)
			tm_link_end(l, TM_REVOKED, "the wire became too slow for its minimum");
	}
}

void tm_port_set_rate(struct tm_port *p, int64_t rate_bps, int64_t now_ns)
{
	if (p->rate_bps == rate_bps)
		return;
	p->rate_bps = rate_bps;
	revoke_excess(p);
	tm_settle(p->t, now_ns);
}

void tm_port_destroy(struct tm_port *p)
{
	for (size_t i = 0; i < p->t->links.n; i++)
		assert(p->t->links.at[i]->out != p);
	vec_remove_item(&p->t->ports, p);
	free(p);
}

struct tm_lan *tm_lan_create(struct tm *t, void *owner)
{
	struct tm_lan *l = xcalloc(1, sizeof(*l));

	l->t = t;
	l->owner = owner;
	vec_push(&t->lans, l);
	return l;
}

void tm_lan_destroy(struct tm_lan *l)
{
	for (size_t i = 0; i < l->t->links.n; i++)
		assert(l->t->links.at[i]->in_lan != l);
	vec_remove_item(&l->t->lans, l);
	lan_free(l);
}

void *tm_lan_owner(const struct tm_lan *l)
{
	return l->owner;
}

static struct tm_aggregate *find_aggregate(const struct tm_lan *l, const char *vnet)
{
	for (size_t i = 0; i < l->aggregates.n; i++)
		if (!strcmp(l->aggregates.at[i]->vnet, vnet))
			return l->aggregates.at[i];
	return NULL;
}

static struct tm_aggregate *aggregate_get(struct tm_lan *l, const char *vnet, int64_t now_ns)
{
	struct tm_aggregate *g = find_aggregate(l, vnet);

	if (g)
		return g;
	g = xcalloc(1, sizeof(*g));
	g->vnet = xstrdup(vnet);
	g->heard_ns = now_ns;
	g->say_ns = INT64_MAX;
	grant_asker_init(&g->asker, 0, now_ns);
	vec_push(&l->aggregates, g);
	return g;
}

static bool is_used(const struct tm *t, const struct tm_aggregate *g)
{
	for (size_t i = 0; i < t->links.n; i++)
		if (t->links.at[i]->aggregate == g)
			return true;
	return false;
}

/* ---- links ------------------------------------------------------------------------------- */

struct tm_link *tm_link_create(struct tm *t, const struct tm_link_spec *spec, int64_t now_ns)
{
	struct tm_link *l = xcalloc(1, sizeof(*l));

	assert(spec->min_bps >= 0 && (!spec->max_bps || spec->max_bps >= spec->min_bps));
	*l = (struct tm_link){
		.t = t,
		.vnet = xstrdup(spec->vnet),
		.out = spec->out,
		.in_lan = spec->in_lan,
		.from_node = spec->from_node,
		.to_node = spec->to_node,
		.owner = spec->owner,
		.min_bps = spec->min_bps,
		.min_asked_bps = spec->min_bps,
		.max_bps = spec->max_bps && !spec->from_node ? spec->max_bps : INT64_MAX,
		.want_bps = spec->min_bps,
		.created_ns = now_ns,
		.say_ns = INT64_MAX,
		.measure_ns = INT64_MAX,
		.busy_ns = now_ns,
	};
	grant_asker_init(&l->asker, l->min_bps, now_ns);
	grant_giver_init(&l->giver, l->min_bps, now_ns);
	vec_push(&t->links, l);
	if (l->out && tm_port_minima_bps(l->out) > tm_port_usable_bps(l->out))
		tm_link_end(l, TM_REFUSED, "the interface has no room for its minimum");
	else if (spec->in_lan)
		l->aggregate = aggregate_get(spec->in_lan, spec->vnet, now_ns);
	tm_settle(t, now_ns);
	return l;
}

void tm_link_up(struct tm_link *l, int64_t now_ns)
{
	if (l->stage != TM_STAGE_RESERVED)
		return;
	l->stage = TM_STAGE_UP;
	tm_settle(l->t, now_ns);
}

void tm_link_destroy(struct tm_link *l, int64_t now_ns)
{
	if (!l)
		return;
	struct tm *t = l->t;

	vec_remove_item(&t->links, l);
	link_free(l);
	tm_settle(t, now_ns);
}

static int64_t most_min(const struct tm_link *l)
{
	return l->min_asked_bps > l->min_bps ? l->min_asked_bps : l->min_bps;
}

static int check_room(struct tm_link *l, int64_t min_bps, struct err *e)
{
	char left[32];

	if (!l->out || min_bps <= most_min(l))
		return 0;
	int64_t room = tm_port_usable_bps(l->out) - (tm_port_minima_bps(l->out) - most_min(l));

	if (min_bps <= room)
		return 0;
	return err_set(e, ERR_USAGE, "the interface has no room for that minimum: at most %s",
		       unit_format(UNIT_RATE, room > 0 ? room : 0, left, sizeof(left)));
}

/*
 * A smaller minimum holds at once, as nobody needs to agree. A larger one is only asked for: the
 * nodes downstream and the VBM decide (tm_rates.c), and until then the old one stays.
 */
int tm_link_set(struct tm_link *l, int64_t min_bps, int64_t max_bps, int64_t now_ns, struct err *e)
{
	assert(!l->from_node);
	if (max_bps && max_bps < min_bps)
		return err_set(e, ERR_USAGE, "the maximum is below the minimum");
	if (check_room(l, min_bps, e) < 0)
		return -1;
	l->max_bps = max_bps ? max_bps : INT64_MAX;
	l->min_asked_bps = min_bps;
	if (min_bps < l->min_bps) {
		l->min_bps = min_bps;
		tm_link_due(l, TM_DUE_RATE);
	}
	tm_settle(l->t, now_ns);
	return 0;
}

void tm_link_again(struct tm_link *l, int64_t now_ns)
{
	if (!l->to_node || l->stage != TM_STAGE_UP)
		return;
	grant_asker_again(&l->asker);
	tm_link_due(l, TM_DUE_ASK);
	tm_settle(l->t, now_ns);
}

bool tm_link_is_news(const struct tm_link *l, const struct grant_ask *a)
{
	return a->serial > l->giver.give.seen;
}

void *tm_link_owner(const struct tm_link *l)
{
	return l->owner;
}

/* ---- messages ---------------------------------------------------------------------------- */

void tm_hear_prev(struct tm_link *l, const struct grant_ask *a, bool request, int64_t now_ns)
{
	if (request)
		tm_link_due(l, TM_DUE_GIVE_ANSWER);
	if (!tm_link_counts(l))
		return;
	grant_giver_hear(&l->giver, a);
	l->want_bps = l->giver.want_bps;
	if (l->giver.asked_min_bps < l->min_bps) {
		l->min_bps = l->min_asked_bps = l->giver.asked_min_bps;
		grant_giver_set(&l->giver, l->min_bps, l->giver.give.limit_bps);
		tm_link_due(l, TM_DUE_RATE);
	} else if (check_room(l, l->giver.asked_min_bps, NULL) == 0) {
		l->min_asked_bps = l->giver.asked_min_bps;
	}
	tm_settle(l->t, now_ns);
}

void tm_hear_next(struct tm_link *l, const struct grant_give *g, bool request, int64_t now_ns)
{
	if (request)
		tm_link_due(l, TM_DUE_ASK_ANSWER);
	if (tm_link_counts(l) && grant_asker_hear(&l->asker, g))
		tm_settle(l->t, now_ns);
}

void tm_hear_vbm(struct tm_lan *l, const char *vnet, const struct grant_give *g, bool request,
		 int64_t now_ns)
{
	struct tm_aggregate *a = aggregate_get(l, vnet, now_ns);

	a->heard_ns = now_ns;
	a->answer |= request;
	l->t->due |= request;
	grant_asker_hear(&a->asker, g);
	tm_settle(l->t, now_ns);
}

/* ---- time -------------------------------------------------------------------------------- */

/* Have the nodes before and after confirmed the last that we said? */
static bool is_settled(const struct tm_link *l)
{
	if (l->stage != TM_STAGE_UP)
		return true;
	if (l->to_node && !l->asker.answered && l->asker.ask.serial > (uint64_t)l->created_ns + 1)
		return false;
	return !l->from_node ||
	       (l->giver.held_bps <= l->giver.give.limit_bps && l->giver.confirmed >= l->told);
}

static void say_again(struct tm_link *l)
{
	if (l->to_node && !l->asker.answered)
		tm_link_due(l, TM_DUE_ASK);
	if (l->from_node &&
	    (l->giver.held_bps > l->giver.give.limit_bps || l->giver.confirmed < l->told))
		tm_link_due(l, TM_DUE_GIVE);
}

static int64_t link_due_ns(const struct tm_link *l)
{
	int64_t due_ns = l->measure_ns;

	if (l->stage == TM_STAGE_WAITING)
		due_ns = min_i64(due_ns, l->created_ns + TM_PATIENCE_NS);
	if (!is_settled(l))
		due_ns = min_i64(due_ns, l->say_ns);
	return due_ns;
}

/*
 * What the VBM lends beyond minima is a lease: without a word of it the node goes back to its
 * minima, well before the VBM takes the node for gone and lends its part to others.
 */
static int64_t lease_end_ns(const struct tm_aggregate *g)
{
	bool lends = g->asker.limit_bps > g->asker.ask.min_bps;

	return lends ? g->heard_ns + TM_LEASE_NS : INT64_MAX;
}

int64_t tm_due_ns(const struct tm *t)
{
	int64_t due_ns = INT64_MAX;

	for (size_t i = 0; i < t->links.n; i++)
		due_ns = min_i64(due_ns, link_due_ns(t->links.at[i]));
	for (size_t i = 0; i < t->lans.n; i++) {
		for (size_t k = 0; k < t->lans.at[i]->aggregates.n; k++) {
			const struct tm_aggregate *g = t->lans.at[i]->aggregates.at[k];

			due_ns = min_i64(due_ns, min_i64(g->say_ns, lease_end_ns(g)));
		}
	}
	return due_ns;
}

static void tick_aggregate(struct tm *t, struct tm_aggregate *g, int64_t now_ns)
{
	if (now_ns >= lease_end_ns(g) && grant_asker_fall(&g->asker, g->asker.ask.min_bps))
		g->say = t->due = true;
	if (now_ns < g->say_ns)
		return;
	g->say_ns = INT64_MAX;
	g->say |= is_used(t, g) || !g->asker.answered;
	t->due |= g->say;
}

void tm_tick(struct tm *t, int64_t now_ns)
{
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		if (now_ns >= l->measure_ns)
			tm_link_measure(l, now_ns);
		if (now_ns >= l->say_ns) {
			l->say_ns = INT64_MAX;
			if (!is_settled(l))
				say_again(l);
		}
	}
	for (size_t i = 0; i < t->lans.n; i++)
		for (size_t k = 0; k < t->lans.at[i]->aggregates.n; k++)
			tick_aggregate(t, t->lans.at[i]->aggregates.at[k], now_ns);
	tm_settle(t, now_ns);
}

/* ---- actions ----------------------------------------------------------------------------- */

static void fill_give(struct tm_link *l, struct tm_action *a, bool answer)
{
	a->kind = TM_GIVE_PREV;
	a->give = l->giver.give;
	a->answer = answer;
	/* A larger minimum is not decided yet: answer neither yes nor no, as if not heard. */
	if (l->min_asked_bps > l->min_bps)
		a->give.seen--;
	if (!answer)
		l->told = l->giver.give.serial;
	l->say_ns = l->t->now_ns + TM_REFRESH_NS;
}

static void fill_ask(struct tm_link *l, struct tm_action *a, bool answer)
{
	a->kind = TM_ASK_NEXT;
	a->ask = l->asker.ask;
	a->answer = answer;
	l->say_ns = l->t->now_ns + TM_REFRESH_NS;
}

static void fill(struct tm_link *l, struct tm_action *a, enum tm_due what)
{
	*a = (struct tm_action){.link = l, .vnet = l->vnet};
	switch (what) {
	case TM_DUE_RATE:
		a->kind = TM_SET_RATE;
		a->rate_bps = l->current_bps;
		a->min_bps = l->min_bps;
		break;
	case TM_DUE_VERDICT:
		a->kind = l->verdict;
		a->reason = l->reason;
		break;
	case TM_DUE_GIVE_ANSWER:
	case TM_DUE_GIVE:
		fill_give(l, a, what == TM_DUE_GIVE_ANSWER);
		break;
	case TM_DUE_ASK_ANSWER:
	case TM_DUE_ASK:
		fill_ask(l, a, what == TM_DUE_ASK_ANSWER);
		break;
	}
}

static bool next_of_links(struct tm *t, enum tm_due what, struct tm_action *a)
{
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		if (!(l->due & what))
			continue;
		l->due &= ~(unsigned)what;
		fill(l, a, what);
		return true;
	}
	return false;
}

static bool next_of_lan(struct tm *t, struct tm_lan *l, struct tm_action *a)
{
	for (size_t k = 0; k < l->aggregates.n; k++) {
		struct tm_aggregate *g = l->aggregates.at[k];

		if (!g->answer && !g->say)
			continue;
		*a = (struct tm_action){.kind = TM_ASK_VBM,
					.lan = l,
					.vnet = g->vnet,
					.ask = g->asker.ask,
					.answer = g->answer};
		if (g->answer)
			g->answer = false;
		else
			g->say = false;
		g->say_ns = t->now_ns + TM_REFRESH_NS;
		return true;
	}
	return false;
}

/*
 * By kind first and by link second: no message leaves while a rate that it confirms is not yet set.
 */
bool tm_next_action(struct tm *t, struct tm_action *a)
{
	if (!t->due)
		return false;
	for (unsigned what = TM_DUE_RATE; what <= TM_DUE_ASK; what <<= 1)
		if (next_of_links(t, (enum tm_due)what, a))
			return true;
	for (size_t i = 0; i < t->lans.n; i++)
		if (next_of_lan(t, t->lans.at[i], a))
			return true;
	t->due = false;
	return false;
}

/* ---- for people -------------------------------------------------------------------------- */

void tm_link_state(const struct tm_link *l, struct tm_link_state *s)
{
	*s = (struct tm_link_state){.min_bps = l->min_bps,
				    .current_bps = l->current_bps,
				    .max_bps = l->max_bps,
				    .offered_bps = l->offered_bps,
				    .want_bps = l->want_bps,
				    .admitted = tm_link_counts(l),
				    .up = l->stage == TM_STAGE_UP};
}
