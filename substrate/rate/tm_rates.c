/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. All rates of a node follow, in one pass, from what is wanted and what is allowed:
 *
 *   1. Minima (decide): a link that waits is admitted if its port, and the aggregate of its vNet on
 *      the LAN, have room. A larger minimum of a link is decided by the nodes downstream first.
 *   2. Shares (divide_all): each aggregate and each port is divided by weighted max-min fairness
 *      (rateshare.h) among the links that use it; a link's share is the least of what it gets.
 *   3. Decreases are in effect at once, and are told to the node before.
 *   4. Increases (raise_link) get only what others no longer use: a node before that was told to
 *      send less counts with its old rate until it confirms. So a port is never promised twice.
 *   5. What is still wanted is asked of the next node and of the VBM, and what they lowered is
 *      confirmed once nothing above it is in use.
 */
#include "lib/minmax.h"
#include "lib/reserve.h"
#include "substrate/rate/htb.h"
#include "substrate/rate/tm_priv.h"

/*
 * A link reserves at most twice what the next node lent, and this: else one that the next node
 * keeps short would hold back here what others could use.
 */
static const int64_t probe_bps = 1000000;

int64_t tm_port_usable_bps(const struct tm_port *p)
{
	return p->rate_bps ? max_i64(p->rate_bps - reserve_bps(p->rate_bps), 0) : INT64_MAX;
}

int64_t tm_port_minima_bps(const struct tm_port *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->t->links.n; i++) {
		const struct tm_link *l = p->t->links.at[i];

		if (l->out == p && l->stage != TM_STAGE_DEAD)
			sum += max_i64(l->min_bps, l->min_asked_bps);
	}
	return sum;
}

/* What may be in use of it, here or by the node before. */
static int64_t held_bps(const struct tm_link *l)
{
	if (!tm_link_counts(l))
		return 0;
	return l->from_node ? l->giver.held_bps : l->current_bps;
}

struct sums {
	int64_t min, asked, cap, held;
};

/*
 * Over the links of an aggregate, or of a port. Links that have died count for nothing; those that
 * still wait are in `asked`, so that nobody else is promised what they may get.
 */
static struct sums sums_of(const struct tm *t, const struct tm_aggregate *g,
			   const struct tm_port *p)
{
	struct sums s = {0};

	for (size_t i = 0; i < t->links.n; i++) {
		const struct tm_link *l = t->links.at[i];

		if (l->stage == TM_STAGE_DEAD || (g && l->aggregate != g) || (p && l->out != p))
			continue;
		s.min += tm_link_counts(l) ? l->min_bps : 0;
		s.asked += max_i64(l->min_bps, l->min_asked_bps);
		s.cap += l->cap_bps;
		s.held += held_bps(l);
	}
	return s;
}

/* ---- minima ------------------------------------------------------------------------------ */

void tm_link_end(struct tm_link *l, enum tm_action_kind verdict, const char *reason)
{
	l->stage = TM_STAGE_DEAD;
	l->verdict = verdict;
	l->reason = reason;
	l->due = 0;
	tm_link_due(l, TM_DUE_VERDICT);
}

static void keep_min(struct tm_link *l, const char *reason)
{
	l->min_asked_bps = l->min_bps;
	if (l->from_node) {
		l->giver.asked_min_bps = l->min_bps;
		tm_link_due(l, TM_DUE_GIVE);
		return;
	}
	l->verdict = TM_MIN_KEPT;
	l->reason = reason;
	tm_link_due(l, TM_DUE_VERDICT);
}

static const char vbm_says_no[] = "the vNet's share of the LAN is used up";

/* The VBM has admitted less than all minima need: those who came last get nothing, or no more. */
static void shrink_aggregate(struct tm *t, struct tm_aggregate *g)
{
	for (size_t i = t->links.n; i-- > 0;) {
		struct tm_link *l = t->links.at[i];

		if (l->aggregate != g || l->stage == TM_STAGE_DEAD)
			continue;
		if (sums_of(t, g, NULL).asked <= g->asker.admitted_bps)
			return;
		if (l->stage == TM_STAGE_WAITING)
			tm_link_end(l, TM_REFUSED, vbm_says_no);
		else if (l->min_asked_bps > l->min_bps)
			keep_min(l, vbm_says_no);
		else if (l->min_bps)
			tm_link_end(l, TM_REVOKED,
				    "the LAN's bandwidth manager took the minimum back");
	}
}

static bool aggregate_has_room(struct tm *t, const struct tm_aggregate *g, int64_t more_bps)
{
	struct sums s = sums_of(t, g, NULL);

	return s.min + more_bps <= g->asker.admitted_bps && s.held + more_bps <= g->asker.limit_bps;
}

static void decide_waiting(struct tm_link *l)
{
	struct tm *t = l->t;

	if (l->aggregate && !aggregate_has_room(t, l->aggregate, l->min_bps)) {
		if (t->now_ns - l->created_ns >= TM_PATIENCE_NS)
			tm_link_end(l, TM_REFUSED, "the LAN's bandwidth manager does not answer");
		return;
	}
	l->stage = TM_STAGE_RESERVED;
	l->current_bps = l->min_bps;
	l->verdict = TM_ADMITTED;
	tm_link_due(l, TM_DUE_VERDICT);
	tm_link_due(l, TM_DUE_RATE);
}

/* A link that is up asks for a larger minimum: the nodes downstream decide first. */
static void decide_min(struct tm_link *l)
{
	int64_t more_bps = l->min_asked_bps - l->min_bps;

	if (l->to_node && l->asker.ask.min_bps != l->min_asked_bps)
		return; /* tm_rates_settle() asks below */
	if (l->to_node && !l->asker.answered)
		return;
	if (l->to_node && l->asker.admitted_bps < l->min_asked_bps) {
		keep_min(l, "a node further on has no room for it");
		return;
	}
	if (l->aggregate && !aggregate_has_room(l->t, l->aggregate, more_bps))
		return;
	l->min_bps = l->min_asked_bps;
	tm_link_due(l, TM_DUE_RATE);
	if (l->from_node && grant_giver_set(&l->giver, l->min_bps, l->giver.give.limit_bps))
		tm_link_due(l, TM_DUE_GIVE);
}

static void decide(struct tm *t)
{
	for (size_t i = 0; i < t->lans.n; i++) {
		for (size_t k = 0; k < t->lans.at[i]->aggregates.n; k++) {
			struct tm_aggregate *g = t->lans.at[i]->aggregates.at[k];

			if (g->asker.answered && g->asker.admitted_bps < g->asker.ask.min_bps)
				shrink_aggregate(t, g);
		}
	}
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		if (l->stage == TM_STAGE_WAITING)
			decide_waiting(l);
		else if (tm_link_counts(l) && l->min_asked_bps > l->min_bps)
			decide_min(l);
	}
}

/* ---- what each could have ---------------------------------------------------------------- */

static int64_t cap_of(const struct tm_link *l)
{
	int64_t cap = max_i64(min_i64(min_i64(l->want_bps, l->max_bps), GRANT_MAX_BPS), l->min_bps);

	if (l->stage != TM_STAGE_UP)
		return l->stage == TM_STAGE_DEAD ? 0 : l->min_bps;
	if (l->to_node && cap > l->min_bps)
		cap = min_i64(cap, max_i64(l->min_bps, 2 * l->asker.limit_bps + probe_bps));
	return cap;
}

static void divide(struct tm *t, const struct tm_aggregate *g, const struct tm_port *p,
		   int64_t total_bps)
{
	t->parts.n = t->members.n = 0;
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		if (l->stage == TM_STAGE_DEAD || (g && l->aggregate != g) || (p && l->out != p))
			continue;
		vec_push(&t->parts,
			 ((struct rateshare){.min_bps = l->min_bps, .want_bps = l->share_bps}));
		vec_push(&t->members, l);
	}
	rateshare_divide(t->parts.at, t->parts.n, total_bps);
	for (size_t i = 0; i < t->members.n; i++)
		t->members.at[i]->share_bps =
			min_i64(t->members.at[i]->share_bps, t->parts.at[i].got_bps);
}

static void divide_all(struct tm *t)
{
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		l->cap_bps = l->share_bps = cap_of(l);
	}
	for (size_t i = 0; i < t->lans.n; i++)
		for (size_t k = 0; k < t->lans.at[i]->aggregates.n; k++)
			divide(t, t->lans.at[i]->aggregates.at[k], NULL,
			       t->lans.at[i]->aggregates.at[k]->asker.limit_bps);
	for (size_t i = 0; i < t->ports.n; i++)
		divide(t, NULL, t->ports.at[i], tm_port_usable_bps(t->ports.at[i]));
}

/* ---- what each gets ---------------------------------------------------------------------- */

/*
 * What the node may let through of it is the least of what this node can carry and the next one
 * lends.
 */
static int64_t goal_of(const struct tm_link *l)
{
	return l->to_node ? min_i64(l->share_bps, l->asker.limit_bps) : l->share_bps;
}

static void set_current(struct tm_link *l, int64_t rate_bps)
{
	if (l->current_bps != rate_bps) {
		l->current_bps = rate_bps;
		tm_link_due(l, TM_DUE_RATE);
	}
	if (l->from_node && grant_giver_set(&l->giver, l->giver.give.min_bps, rate_bps))
		tm_link_due(l, TM_DUE_GIVE);
}

static int64_t minus(int64_t a, int64_t b)
{
	return a == INT64_MAX ? a : a - b;
}

/* Not above what others may still be using of the same port or aggregate. */
static void raise_link(struct tm_link *l)
{
	struct tm *t = l->t;
	int64_t room = INT64_MAX;
	int64_t goal = goal_of(l);

	if (goal <= l->current_bps)
		return;
	if (l->aggregate)
		room = l->aggregate->asker.limit_bps - sums_of(t, l->aggregate, NULL).held;
	if (l->out)
		room = min_i64(room,
			       minus(tm_port_usable_bps(l->out), sums_of(t, NULL, l->out).held));
	int64_t base = held_bps(l);

	if (room != INT64_MAX)
		goal = min_i64(goal, base + max_i64(room, 0));
	/* Its port has admitted the minimum, so that need not wait for others to confirm. */
	if (!l->aggregate)
		goal = max_i64(goal, min_i64(l->min_bps, goal_of(l)));
	if (goal > l->current_bps)
		set_current(l, goal);
}

static void ask_next(struct tm_link *l)
{
	int64_t want_bps = min_i64(max_i64(l->share_bps, l->min_asked_bps), GRANT_MAX_BPS);

	if (!l->to_node || l->stage != TM_STAGE_UP)
		return;
	if (grant_asker_want(&l->asker, l->min_asked_bps, want_bps))
		tm_link_due(l, TM_DUE_ASK);
}

/* Lower limits that were heard are in effect by now: those who set them wait to hear that. */
static void confirm_all(struct tm *t)
{
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		if (tm_link_counts(l) && l->to_node && grant_asker_confirm(&l->asker))
			tm_link_due(l, TM_DUE_ASK);
	}
	for (size_t i = 0; i < t->lans.n; i++) {
		for (size_t k = 0; k < t->lans.at[i]->aggregates.n; k++) {
			struct tm_aggregate *g = t->lans.at[i]->aggregates.at[k];

			if (sums_of(t, g, NULL).held > g->asker.limit_bps)
				continue;
			if (grant_asker_confirm(&g->asker))
				g->say = t->due = true;
		}
	}
}

static void ask_vbm(struct tm *t, struct tm_aggregate *g)
{
	struct sums s = sums_of(t, g, NULL);

	int64_t want_bps = min_i64(max_i64(max_i64(s.cap, s.asked), s.held), GRANT_MAX_BPS);

	if (grant_asker_want(&g->asker, s.asked, want_bps))
		g->say = t->due = true;
}

void tm_rates_settle(struct tm *t)
{
	decide(t);
	divide_all(t);
	for (size_t i = 0; i < t->links.n; i++) {
		struct tm_link *l = t->links.at[i];

		if (!tm_link_counts(l))
			continue;
		ask_next(l);
		if (goal_of(l) < l->current_bps)
			set_current(l, goal_of(l));
	}
	for (size_t i = 0; i < t->links.n; i++)
		if (tm_link_counts(t->links.at[i]))
			raise_link(t->links.at[i]);
	for (size_t i = 0; i < t->lans.n; i++)
		for (size_t k = 0; k < t->lans.at[i]->aggregates.n; k++)
			ask_vbm(t, t->lans.at[i]->aggregates.at[k]);
	confirm_all(t);
}
