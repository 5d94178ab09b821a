/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Conservative scheduling (Chandy, Misra; Bryant). A guest that runs from time t may go on to the
 * earliest time at which anything could reach it: its own next event, the next event elsewhere or
 * the next turn of another guest plus the shortest delay of a cable that leads to it. So several
 * guests run at once where cables are long, one at a time where they are not, and the order of
 * everything is that of (time, events before guests, source or place of the guest) in either case.
 */
#include "substrate/clock/vclock.h"

#include "lib/container_of.h"
#include "substrate/clock/cpu.h"
#include "substrate/clock/vclock_priv.h"
#include "substrate/core/end.h"
#include "substrate/virtio/channel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t second_ns = 1000000000;
static const int64_t pace_slack_ns = 5000000;    /* a paced guest may be that much ahead */
static const int64_t pace_behind_ns = 500000000; /* more than this is not caught up */
/* Where guests are closer than that they rarely have anything to do at the same time. */
static const int64_t apart_ns = 100000;
static const int64_t spin_wall_ns = INT64_C(5000000000);
static const int64_t charge_wall_ns = 10000000; /* how often who spins is charged */

void vclock_touch(struct vclock_guest *g)
{
	if (g->touched)
		return;
	g->touched = true;
	vec_push(&g->clock->touched, g);
}

static void number_guests(struct vclock *c)
{
	c->slots.n = 0;
	c->touched.n = 0;
	for (size_t i = 0; i < c->guests.n; i++) {
		vec_push_zero(&c->slots);
		c->guests.at[i]->index = i;
		c->guests.at[i]->touched = false;
		vclock_touch(c->guests.at[i]);
	}
}

void vclock_add_guest(struct vclock *c, struct vclock_guest *g)
{
	vec_push(&c->guests, g);
	number_guests(c);
}

void vclock_remove_guest(struct vclock *c, struct vclock_guest *g)
{
	vec_remove(&c->guests, g->index);
	number_guests(c);
}

struct calendar *vclock_calendar(struct substrate *s, struct vclock_guest *g)
{
	/* Whoever asks is about to change it. */
	if (g)
		vclock_touch(g);
	return g ? &g->calendar : &s->calendar;
}

void vclock_add(struct substrate *s, struct vclock_guest *g, struct event *ev, int64_t at_ns,
		struct event_source *from)
{
	struct vclock *c = s->vclock;

	calendar_add(vclock_calendar(s, g), ev, at_ns, from);
	if (!c)
		return;
	c->idle_told = false;
	if (c->kicking == g && g)
		vclock_guest_cut(g, at_ns);
	else if (c->kicking)
		vclock_guest_cut(c->kicking, time_plus(at_ns, c->kicking->in_ns));
}

void vclock_cables_changed(struct substrate *s)
{
	if (s->vclock)
		s->vclock->cables_dirty = true;
}

static void look_at_cables(struct vclock *c)
{
	struct substrate *s = c->sub;

	c->cables_dirty = false;
	for (size_t i = 0; i < c->guests.n; i++) {
		c->guests.at[i]->in_ns = c->guests.at[i]->out_ns = INT64_MAX;
		vclock_touch(c->guests.at[i]);
	}
	for (size_t i = 0; i < s->objects.n; i++) {
		struct end *n = end_of_object(s->objects.at[i]);
		struct vclock_guest *g = n ? n->guest : NULL;

		if (!g)
			continue;
		int64_t in = end_min_delay_ns(n, true);
		int64_t out = end_min_delay_ns(n, false);

		g->in_ns = in < g->in_ns ? in : g->in_ns;
		g->out_ns = out < g->out_ns ? out : g->out_ns;
	}
	for (size_t i = 0; i < c->guests.n; i++)
		vclock_guest_tell_answers(c->guests.at[i]);
}

static bool are_guests_apart(const struct vclock *c)
{
	for (size_t i = 0; i < c->guests.n; i++)
		if (c->guests.at[i]->in_ns < apart_ns)
			return false;
	return true;
}

/*
 * Guests that run one after another do so on one CPU, with us: to wake up another takes longer than
 * most turns do. Their launcher has put them on all CPUs in turn.
 */
void vclock_place(struct vclock *c, struct vclock_guest *g)
{
	pid_t pid = cpu_peer(g->conn.fd);

	if (c->cables_dirty)
		look_at_cables(c);
	if (!pid || are_guests_apart(c))
		return;
	if (c->core < 0) {
		c->core = cpu_pick();
		cpu_tie(0, c->core);
	}
	cpu_tie(pid, c->core);
}

int64_t vclock_pace_limit_ns(const struct vclock *c, int64_t wall_ns)
{
	if (c->pace <= 0)
		return INT64_MAX;
	return c->pace_ns + (int64_t)((double)(wall_ns - c->pace_wall_ns) * c->pace);
}

int64_t vclock_now_ns(const struct vclock *c)
{
	int64_t now = c->floor_ns;

	if (!c->begun)
		return 0;
	for (size_t i = 0; i < c->guests.n; i++)
		if (c->guests.at[i]->granted_ns > now)
			now = c->guests.at[i]->granted_ns;
	if (!c->stopped && c->pace > 0) {
		int64_t paced = vclock_pace_limit_ns(c, loop_now_ns(c->sub->loop));

		if (paced > c->until_ns)
			paced = c->until_ns;
		now = paced > now ? paced : now;
	}
	return now;
}

int64_t vclock_due_ns(const struct vclock *c)
{
	return c->due_wall_ns;
}

void vclock_guest_left(struct vclock *c, struct vclock_guest *g)
{
	if (g->state == VCLOCK_GUEST_RUNNING)
		c->running--;
	vclock_end_charge(g);
	/* What it sent is under way; a successor joins when nothing of its time is left. */
	g->state = VCLOCK_GUEST_ABSENT;
	vclock_touch(g);
	g->request_ns = INT64_MAX;
}

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

static int64_t min_ns(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* What the guests are up to, in one pass. */
struct view {
	int64_t first, second;    /* earliest at_ns, and that of the next guest */
	size_t who;               /* whose is the first */
	struct calendar *soonest; /* with the earliest event of all; NULL: none */
	int64_t event_ns;
	int64_t reach_ns; /* no running guest can make an event before this */
	int64_t wish_ns;  /* earliest request of a guest that stands still */
};

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
						      .state = g->state};
	}
	c->touched.n = 0;
}

static void look_at_event(struct vclock *c, struct view *v, size_t i)
{
	struct calendar *cal = &c->guests.at[i]->calendar;

	if (v->soonest && v->event_ns == c->slots.at[i].event_ns &&
	    !calendar_is_before(cal, v->soonest))
		return;
	v->soonest = cal;
	v->event_ns = c->slots.at[i].event_ns;
}

static void look(struct vclock *c, struct view *v)
{
	*v = (struct view){.first = INT64_MAX,
			   .second = INT64_MAX,
			   .who = SIZE_MAX,
			   .event_ns = calendar_next_ns(&c->sub->calendar),
			   .reach_ns = INT64_MAX,
			   .wish_ns = INT64_MAX};
	if (v->event_ns != INT64_MAX)
		v->soonest = &c->sub->calendar;
	refresh_slots(c);
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
			v->reach_ns = min_ns(v->reach_ns, time_plus(s->at_ns, s->out_ns));
		else
			v->wish_ns = min_ns(v->wish_ns, s->at_ns);
		if (s->event_ns != INT64_MAX && s->event_ns <= v->event_ns)
			look_at_event(c, v, i);
	}
}

static struct vclock_guest *owner_of(struct vclock *c, struct calendar *cal)
{
	if (cal == &c->sub->calendar)
		return NULL;
	return container_of(cal, struct vclock_guest, calendar);
}

/* Fires the events of one calendar at one time, if nothing can come before them. */
static bool fire_events(struct vclock *c, const struct view *v, int64_t limit_ns)
{
	struct vclock_guest *g = v->soonest ? owner_of(c, v->soonest) : NULL;
	int64_t at = v->event_ns;

	if (!v->soonest || at >= limit_ns || at > v->wish_ns || at >= v->reach_ns)
		return false;
	if (g && g->state == VCLOCK_GUEST_RUNNING)
		return false;
	if (at > c->floor_ns)
		c->floor_ns = at;
	if (g)
		vclock_touch(g);
	do {
		calendar_fire(v->soonest);
		c->fired++;
	} while (calendar_next_ns(v->soonest) == at);
	substrate_drain(c->sub, at);
	return true;
}

/* Until when guest i may run if it starts now; that is at or before its request if it may not. */
static int64_t horizon(struct vclock *c, const struct view *v, size_t i)
{
	const struct slot *s = &c->slots.at[i];
	int64_t h = s->event_ns;

	if (v->soonest && v->soonest != &c->guests.at[i]->calendar)
		h = min_ns(h, time_plus(v->event_ns, s->in_ns));
	return min_ns(h, time_plus(v->who == i ? v->second : v->first, s->in_ns));
}

/* No lookahead: one at a time, the earliest first, then by order of declaration. */
static bool is_first_of_equals(struct vclock *c, size_t index)
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

/* True if nothing can reach guest i at or before its request, and it is its turn among equals. */
static bool may_start(struct vclock *c, const struct view *v, size_t i)
{
	const struct slot *s = &c->slots.at[i];

	if (s->at_ns >= s->event_ns)
		return false;
	if (s->at_ns < horizon(c, v, i))
		return true;
	if (v->soonest && v->soonest != &c->guests.at[i]->calendar && s->at_ns >= v->event_ns &&
	    s->at_ns >= time_plus(v->event_ns, s->in_ns))
		return false;
	if (v->who != i && s->at_ns > time_plus(v->first, s->in_ns))
		return false;
	return is_first_of_equals(c, i);
}

static void run_guest(struct vclock *c, const struct view *v, size_t i, int64_t wall_ns)
{
	struct vclock_guest *g = c->guests.at[i];
	int64_t at = g->request_ns;
	int64_t until = min_ns(horizon(c, v, i), time_plus(at, second_ns));

	if (c->pace > 0) {
		int64_t paced = vclock_pace_limit_ns(c, wall_ns);

		until = min_ns(until, time_plus(paced > at ? paced : at, pace_slack_ns));
	}
	until = min_ns(until, c->until_ns);
	vclock_guest_run(g, at, until < at ? at : until, wall_ns);
}

static bool start_guests(struct vclock *c, struct view *v, int64_t limit_ns, int64_t wall_ns)
{
	bool any = false;

	/* Who is charged keeps nobody from running. */
	for (size_t i = 0; i < c->slots.n && c->running - c->charged < c->at_once; i++) {
		const struct slot *s = &c->slots.at[i];

		if (s->state == VCLOCK_GUEST_RUNNING || s->at_ns >= limit_ns || !may_start(c, v, i))
			continue;
		run_guest(c, v, i, wall_ns);
		any = true;
		look(c, v);
	}
	return any;
}

static bool all_joined(const struct vclock *c)
{
	for (size_t i = 0; i < c->guests.n; i++)
		if (c->guests.at[i]->state == VCLOCK_GUEST_ABSENT)
			return false;
	return c->guests.n > 0;
}

/* Guests that joined get their first turn: at 0 all together, later whenever they come. */
static void admit(struct vclock *c)
{
	if (!c->joiners)
		return;
	int64_t now = vclock_now_ns(c);

	c->joiners = false;
	for (size_t i = 0; i < c->guests.n; i++) {
		struct vclock_guest *g = c->guests.at[i];

		if (g->state != VCLOCK_GUEST_JOINING || g->request_ns != INT64_MAX)
			continue;
		g->request_ns = g->from_ns = now;
		vclock_touch(g);
	}
}

static void stand(struct vclock *c, int64_t at_ns)
{
	c->floor_ns = at_ns;
	c->stopped = true;
	c->until_ns = INT64_MAX;
	c->due_wall_ns = INT64_MAX;
	substrate_event(c->sub, "event time %lld reached", (long long)at_ns);
}

void vclock_stand_soon(struct substrate *s, int64_t now_ns)
{
	struct vclock *c = s->vclock;
	int64_t soon_ns = now_ns;

	if (!c || !c->begun || c->stopped)
		return;
	/* As far as any of them may be ahead of what happens elsewhere, whether it is now or not.
	 */
	for (size_t i = 0; i < c->guests.n; i++) {
		const struct vclock_guest *g = c->guests.at[i];

		if (g->in_ns != INT64_MAX && time_plus(now_ns, g->in_ns) > soon_ns)
			soon_ns = time_plus(now_ns, g->in_ns);
		/* Those that no cable leads to are where they are. */
		if (g->granted_ns > soon_ns)
			soon_ns = g->granted_ns;
	}
	c->until_ns = min_ns(c->until_ns, soon_ns);
	for (size_t i = 0; i < c->guests.n; i++)
		vclock_guest_cut(c->guests.at[i], c->until_ns);
	substrate_event(c->sub, "event time %lld ahead", (long long)c->until_ns);
}

/* ---- guests that compute and let no time pass ---- */

static void begin_charge(struct vclock *c, struct vclock_guest *g, int64_t wall_ns)
{
	g->charged = true;
	g->turn_wall_ns = wall_ns;
	c->charged++;
	vclock_touch(g);
}

void vclock_end_charge(struct vclock_guest *g)
{
	if (!g->charged)
		return;
	g->charged = false;
	g->clock->charged--;
	vclock_touch(g);
}

/* It pays for the time that it took since it was looked at last, as far as the lab may go at all.
 */
static void charge(struct vclock *c, struct vclock_guest *g, int64_t wall_ns)
{
	double pace = c->pace > 0 ? c->pace : 1;
	int64_t took = (int64_t)((double)(wall_ns - g->turn_wall_ns) * pace);
	int64_t to = min_ns(time_plus(g->from_ns, took), c->until_ns);

	g->turn_wall_ns = wall_ns;
	c->due_wall_ns = min_ns(c->due_wall_ns, wall_ns + charge_wall_ns);
	if (c->stopped || to <= g->from_ns)
		return;
	g->from_ns = to;
	if (g->granted_ns < to)
		g->granted_ns = to;
	vclock_touch(g);
}

static void look_for_spin(struct vclock *c, struct vclock_guest *g, int64_t wall_ns)
{
	if (wall_ns - g->turn_wall_ns >= spin_wall_ns && vclock_guest_now_ns(g) > g->spin_ns) {
		/* Slow, but its clock goes on. */
		g->spin_ns = vclock_guest_now_ns(g);
		g->turn_wall_ns = wall_ns;
	}
	if (wall_ns - g->turn_wall_ns < spin_wall_ns) {
		c->due_wall_ns = min_ns(c->due_wall_ns, g->turn_wall_ns + spin_wall_ns);
		return;
	}
	g->spin_told = true;
	substrate_event(c->sub, "event spin %s", g->object.name);
	if (!c->charges_spin)
		return;
	begin_charge(c, g, wall_ns);
	c->due_wall_ns = wall_ns;
}

static void look_at_running(struct vclock *c, int64_t wall_ns)
{
	for (size_t i = 0; i < c->guests.n; i++) {
		struct vclock_guest *g = c->guests.at[i];

		if (g->state == VCLOCK_GUEST_RUNNING && g->charged)
			charge(c, g, wall_ns);
		else if (g->state == VCLOCK_GUEST_RUNNING && !g->spin_told)
			look_for_spin(c, g, wall_ns);
	}
}

/* Somebody is at work, and the lab waits for it. */
static bool is_busy(const struct vclock *c)
{
	return c->running > c->charged;
}

/* Nothing can be done just now: why, and when shall we look again? */
static void rest(struct vclock *c, const struct view *v, int64_t wall_ns)
{
	int64_t next = min_ns(v->event_ns, v->first);

	c->due_wall_ns = INT64_MAX;
	if (c->running)
		look_at_running(c, wall_ns);
	if (is_busy(c))
		return;
	int64_t paced = vclock_pace_limit_ns(c, wall_ns);

	if (next >= c->until_ns && c->until_ns != INT64_MAX && paced >= c->until_ns) {
		stand(c, c->until_ns);
		return;
	}
	next = min_ns(next, c->until_ns);
	if (next == INT64_MAX && !c->idle_told) {
		c->idle_told = true;
		substrate_event(c->sub, "event idle-forever");
	}
	if (c->pace > 0 && next != INT64_MAX)
		c->due_wall_ns = min_ns(
			c->due_wall_ns,
			c->pace_wall_ns + (int64_t)((double)(next - c->pace_ns) / c->pace) + 1);
}

/* What the pace allows by now; a lab that cannot keep up does not run after the time it lost. */
static int64_t paced_limit(struct vclock *c, const struct view *v, int64_t wall_ns)
{
	int64_t paced = vclock_pace_limit_ns(c, wall_ns);
	int64_t next = min_ns(v->event_ns, v->first);

	if (paced == INT64_MAX || next > paced - pace_behind_ns)
		return paced;
	c->pace_ns -= paced - next - pace_behind_ns;
	return next + pace_behind_ns;
}

static void begin(struct vclock *c)
{
	if (!c->started || !all_joined(c))
		return;
	c->begun = true;
	vclock_set_pace(c, c->pace);
}

void vclock_run(struct vclock *c)
{
	struct view v;

	if (!c->begun)
		begin(c);
	if (!c->begun)
		return;
	admit(c);
	if (c->stopped && !is_busy(c)) {
		c->due_wall_ns = INT64_MAX;
		return;
	}
	for (;;) {
		int64_t wall = c->pace > 0 ? clock_monotonic_ns() : loop_now_ns(c->sub->loop);

		if (c->cables_dirty)
			look_at_cables(c);
		look(c, &v);
		int64_t limit = min_ns(c->until_ns, paced_limit(c, &v, wall));

		if (fire_events(c, &v, limit))
			continue;
		if (!start_guests(c, &v, limit, wall)) {
			rest(c, &v, wall);
			return;
		}
	}
}

void vclock_set_pace(struct vclock *c, double pace)
{
	c->pace_ns = vclock_now_ns(c);
	c->pace_wall_ns = loop_now_ns(c->sub->loop);
	c->pace = pace;
}

void vclock_go(struct vclock *c, int64_t until_ns)
{
	vclock_set_pace(c, c->pace);
	channel_read_all(c->sub);
	c->until_ns = until_ns;
	c->stopped = false;
	c->idle_told = false;
	for (size_t i = 0; i < c->guests.n; i++) {
		vclock_guest_cut(c->guests.at[i], until_ns);
		/* While the clock stood nobody was charged. */
		if (c->guests.at[i]->charged)
			c->guests.at[i]->turn_wall_ns = loop_now_ns(c->sub->loop);
	}
}

void vclock_destroy(struct vclock *c)
{
	if (!c)
		return;
	vec_free(&c->guests);
	vec_free(&c->slots);
	vec_free(&c->touched);
	free(c);
}
