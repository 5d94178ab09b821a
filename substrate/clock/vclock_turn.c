/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who may run, and until when: conservative scheduling (Chandy, Misra; Bryant), as arithmetic on
 * what the clock noted of each guest (struct slot).
 *
 * A guest that runs from time t may go on to its horizon, the earliest time at which anything could
 * reach it: its own next event, or the next event elsewhere or the next turn of any other guest,
 * plus the shortest delay of a cable that leads to it (in_ns). So guests run side by side where
 * cables are long, and one by one where they are not: those that could act at the same time go in
 * the order of (time, events before guests, source or place of the guest). What happens is the same
 * in either case, since nothing that a guest does can be noticed before somebody else's horizon.
 *
 * Slots are refreshed only for guests that were touched: this is looked at for every turn.
 */
#include "lib/minmax.h"
#include "substrate/clock/vclock_priv.h"

/* Earliest time at which a guest may act; INT64_MAX if it never will by itself. */
static int64_t acts_at(const struct vclock_guest *g)
{
	switch (g->state) {
	case VCLOCK_GUEST_RUNNING:
		return g->from_ns;
	case VCLOCK_GUEST_WAITING:
	case VCLOCK_GUEST_JOINING:
		return g->request_ns;
	default:
		return INT64_MAX;
	}
}

/* One that is charged hears of nothing before it has done: that must not keep the others. */
static int64_t next_event_ns(const struct vclock_guest *g)
{
	return g->charged ? INT64_MAX : calendar_next_ns(&g->calendar);
}

static void refresh_slots(struct vclock *c)
{
	for (size_t i = 0; i < c->touched.n; i++) {
		struct vclock_guest *g = c->touched.at[i];

		g->touched = false;
		c->slots.at[g->index] = (struct slot){.at_ns = acts_at(g),
						      .event_ns = next_event_ns(g),
						      .in_ns = g->in_ns,
						      .out_ns = g->out_ns,
						      .state = g->state,
						      .away = vclock_guest_is_away(g)};
	}
	c->touched.n = 0;
}

/*
 * Several calendars may have an event at the earliest time: then the order of sources decides, as
 * it does within one calendar.
 */
static void look_at_event(struct vclock *c, struct vclock_view *v, size_t i)
{
	struct calendar *cal = &c->guests.at[i]->calendar;

	if (v->soonest && v->event_ns == c->slots.at[i].event_ns &&
	    !calendar_is_before(cal, v->soonest))
		return;
	v->soonest = cal;
	v->event_ns = c->slots.at[i].event_ns;
}

void vclock_look(struct vclock *c, struct vclock_view *v)
{
	*v = (struct vclock_view){.first = INT64_MAX,
				  .second = INT64_MAX,
				  .who = SIZE_MAX,
				  .event_ns = calendar_next_ns(&c->sub->calendar),
				  .reach_ns = INT64_MAX,
				  .wish_ns = INT64_MAX};
	if (v->event_ns != INT64_MAX)
		v->soonest = &c->sub->calendar;
	refresh_slots(c);
	/* The first two: for everybody the earliest of the others is one of them. */
	for (size_t i = 0; i < c->slots.n; i++) {
		const struct slot *s = &c->slots.at[i];

		if (s->at_ns < v->first) {
			v->second = v->first;
			v->first = s->at_ns;
			v->who = i;
		} else if (s->at_ns < v->second) {
			v->second = s->at_ns;
		}
		if (s->state == VCLOCK_GUEST_RUNNING)
			v->reach_ns = min_i64(v->reach_ns, time_plus(s->at_ns, s->out_ns));
		else
			v->wish_ns = min_i64(v->wish_ns, s->at_ns);
		if (s->event_ns != INT64_MAX && s->event_ns <= v->event_ns)
			look_at_event(c, v, i);
	}
}

int64_t vclock_horizon_ns(const struct vclock *c, const struct vclock_view *v, size_t i)
{
	const struct slot *s = &c->slots.at[i];
	int64_t h = s->event_ns;

	if (v->soonest && v->soonest != &c->guests.at[i]->calendar)
		h = min_i64(h, time_plus(v->event_ns, s->in_ns));
	return min_i64(h, time_plus(v->who == i ? v->second : v->first, s->in_ns));
}

/* No lookahead: one at a time, the earliest first, then by order of declaration. */
static bool is_first_of_equals(const struct vclock *c, size_t index)
{
	const struct slot *s = &c->slots.at[index];

	for (size_t i = 0; i < c->slots.n; i++) {
		const struct slot *o = &c->slots.at[i];

		if (i == index || o->at_ns == INT64_MAX || s->at_ns < time_plus(o->at_ns, s->in_ns))
			continue;
		if (o->state == VCLOCK_GUEST_RUNNING || o->at_ns < s->at_ns ||
		    (o->at_ns == s->at_ns && i < index))
			return false;
	}
	return true;
}

bool vclock_may_start(const struct vclock *c, const struct vclock_view *v, size_t i)
{
	const struct slot *s = &c->slots.at[i];

	/* Events come before guests at the same time. */
	if (s->at_ns >= s->event_ns)
		return false;
	if (s->at_ns < vclock_horizon_ns(c, v, i))
		return true;
	/* It has no lookahead, but may have its turn if nobody is in front of it. */
	if (v->soonest && v->soonest != &c->guests.at[i]->calendar && s->at_ns >= v->event_ns &&
	    s->at_ns >= time_plus(v->event_ns, s->in_ns))
		return false;
	if (v->who != i && s->at_ns > time_plus(v->first, s->in_ns))
		return false;
	return is_first_of_equals(c, i);
}
