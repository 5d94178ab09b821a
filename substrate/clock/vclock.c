/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual clock: it lets guests run in turns, and fires the events of the calendars between
 * them, so that all of it happens in one order that depends on nothing but what was said.
 *
 * run() does what can be done now and rests: as long as there is something that nobody can come
 * before any more it fires the next events (those of one calendar at one time); else it starts all
 * guests that may run (vclock_turn.c), each up to its horizon. Guests run by themselves, on other
 * CPUs, until each says that it stands still; only then are its frames looked at, with the times at
 * which it sent them (vclock_guest.c), and run() is called again.
 *
 * Every guest has a calendar of its own, of what happens to it, so that its next event is known at
 * once; all that touches no guest is in the substrate's. While a guest's doings are looked at
 * (kicking) its turn may not be over: whatever follows from them cuts it short, at the time of the
 * event if it comes back to this guest, as much later as cables to it are long if it goes
 * elsewhere.
 *
 * The wall clock is looked at for two things alone: a pace, which holds turns back, and guests that
 * spin (vclock_charge.c). What comes from outside happens at now_ns(), which no guest has passed.
 */
#include "substrate/clock/vclock.h"

#include "lib/container_of.h"
#include "lib/minmax.h"
#include "lib/sock.h"
#include "substrate/cable/cable.h"
#include "substrate/clock/cpu.h"
#include "substrate/clock/vclock_priv.h"

#include <stdlib.h>

static const int64_t second_ns = 1000000000;
static const int64_t pace_slack_ns = 5000000;    /* a paced guest may be that much ahead */
static const int64_t pace_behind_ns = 500000000; /* more than this is not caught up */
/* Where guests are closer than that they rarely have anything to do at the same time. */
static const int64_t apart_ns = 100000;

void vclock_touch(struct vclock_guest *g)
{
	if (g->touched)
		return;
	g->touched = true;
	vec_push(&g->clock->touched, g);
}

/*
 * Slots lie side by side in one table, in the order of the guests: deciding whose turn it is reads
 * nothing else. When a guest comes or goes all numbers are given anew, which is rare.
 */
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

static struct calendar *calendar_of(struct substrate *s, struct vclock_guest *g)
{
	/* Whoever asks is about to change it. */
	if (g)
		vclock_touch(g);
	return g ? &g->calendar : &s->calendar;
}

static void add(struct substrate *s, struct vclock_guest *g, struct event *ev, int64_t at_ns,
		struct event_source *from)
{
	struct vclock *c = vclock_of(s);

	calendar_add(calendar_of(s, g), ev, at_ns, from);
	c->idle_told = false;
	if (c->kicking == g && g)
		vclock_guest_cut(g, at_ns);
	else if (c->kicking)
		vclock_guest_cut(c->kicking, time_plus(at_ns, c->kicking->in_ns));
}

static void cancel(struct substrate *s, struct vclock_guest *g, struct event *ev)
{
	calendar_cancel(calendar_of(s, g), ev);
}

static void cables_changed(struct substrate *s)
{
	vclock_of(s)->cables_dirty = true;
}

/*
 * The lookahead of each guest: the shortest delay of any cable that leads to it, and of any that
 * leads away. Only a guest's own cables count. The frame that a switch sends on comes out of the
 * switch's end of such a cable, so whatever reaches the guest has passed one of them.
 */
void vclock_look_at_cables(struct vclock *c)
{
	struct substrate *s = c->sub;

	if (!c->cables_dirty)
		return;
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
		int64_t in = cable_min_delay_ns(n, true);
		int64_t out = cable_min_delay_ns(n, false);

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
	pid_t pid = sock_peer_pid(g->conn.fd);

	vclock_look_at_cables(c);
	if (!pid || are_guests_apart(c))
		return;
	if (c->core < 0) {
		c->core = cpu_pick(&c->cores);
		cpu_tie(0, c->core);
	}
	cpu_tie(pid, c->core);
}

void vclock_release(struct vclock *c, struct vclock_guest *g)
{
	pid_t pid = sock_peer_pid(g->conn.fd);

	if (pid && c->core >= 0)
		cpu_untie(pid, &c->cores);
}

int64_t vclock_pace_limit_ns(const struct vclock *c, int64_t wall_ns)
{
	if (c->pace <= 0)
		return INT64_MAX;
	return c->pace_ns + (int64_t)((double)(wall_ns - c->pace_wall_ns) * c->pace);
}

/*
 * An event, or what a guest did, has its own time. What comes from outside must not come into the
 * past of any guest: so it is as late as the guest that was granted the most time, which depends on
 * how fast each was. A paced clock that goes on while nobody runs shows the time by its pace.
 */
int64_t vclock_now_ns(const struct vclock *c)
{
	int64_t now = c->floor_ns;

	if (!c->begun)
		return 0;
	if (c->kicking)
		return c->kicking->from_ns;
	if (c->firing_ns != INT64_MAX)
		return c->firing_ns;
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

void vclock_guest_left(struct vclock *c, struct vclock_guest *g)
{
	if (g->state == VCLOCK_GUEST_RUNNING)
		c->running--;
	vclock_end_charge(g);
	/* What it sent is under way, and arrives. Who boots next joins at the time of the lab. */
	g->state = VCLOCK_GUEST_ABSENT;
	vclock_touch(g);
	g->request_ns = INT64_MAX;
}

static struct vclock_guest *owner_of(struct vclock *c, struct calendar *cal)
{
	if (cal == &c->sub->calendar)
		return NULL;
	return container_of(cal, struct vclock_guest, calendar);
}

/* The guest is needed for the next event of its calendar. */
static bool touches_guest(const struct vclock_guest *g)
{
	const struct event *ev = calendar_first(&g->calendar);

	return !ev->is_idle || !ev->is_idle(ev);
}

/* The next event of a calendar. False: it has to wait for the guest, which is not there. */
static bool may_fire(struct vclock *c, struct vclock_guest *g)
{
	if (!g || !touches_guest(g))
		return true;
	if (vclock_guest_is_away(g)) {
		vclock_need(c, g);
		return false;
	}
	g->moves++;
	return true;
}

/* Fires the events of one calendar at one time, if nothing can come before them. */
static bool fire_events(struct vclock *c, const struct vclock_view *v, int64_t limit_ns)
{
	struct vclock_guest *g = v->soonest ? owner_of(c, v->soonest) : NULL;
	int64_t at = v->event_ns;

	if (!v->soonest || at >= limit_ns || at > v->wish_ns || at >= v->reach_ns)
		return false;
	if (g && g->state == VCLOCK_GUEST_RUNNING)
		return false;
	if (!may_fire(c, g))
		return false;
	if (at > c->floor_ns)
		c->floor_ns = at;
	if (g)
		vclock_touch(g);
	c->firing_ns = at;
	/* All of this time at once: nothing can come between them. */
	do {
		calendar_fire(v->soonest);
		c->fired++;
	} while (calendar_next_ns(v->soonest) == at && may_fire(c, g));
	substrate_drain(c->sub, at);
	c->firing_ns = INT64_MAX;
	return true;
}

static void run_guest(struct vclock *c, const struct vclock_view *v, size_t i, int64_t wall_ns)
{
	struct vclock_guest *g = c->guests.at[i];
	int64_t at = g->request_ns;
	/* Alone it could go on for ever: then nobody could stop the clock any more. */
	int64_t until = min_i64(vclock_horizon_ns(c, v, i), time_plus(at, second_ns));

	if (c->pace > 0) {
		int64_t paced = vclock_pace_limit_ns(c, wall_ns);

		until = min_i64(until, time_plus(paced > at ? paced : at, pace_slack_ns));
	}
	until = min_i64(until, c->until_ns);
	vclock_guest_run(g, at, until < at ? at : until, wall_ns);
}

/* As many as may run side by side; each that starts changes what the others may. */
static bool start_guests(struct vclock *c, struct vclock_view *v, int64_t limit_ns, int64_t wall_ns)
{
	bool any = false;

	/* Who is charged keeps nobody from running. */
	for (size_t i = 0; i < c->slots.n && c->running - c->charged < c->at_once; i++) {
		const struct slot *s = &c->slots.at[i];

		if (s->state == VCLOCK_GUEST_RUNNING || s->at_ns >= limit_ns ||
		    !vclock_may_start(c, v, i))
			continue;
		if (s->away) {
			vclock_need(c, c->guests.at[i]);
			continue;
		}
		run_guest(c, v, i, wall_ns);
		any = true;
		vclock_look(c, v);
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

static void stand_soon(struct substrate *s, int64_t now_ns)
{
	struct vclock *c = vclock_of(s);
	int64_t soon_ns = now_ns;

	if (!c->begun || c->stopped)
		return;
	/*
	 * As far as any guest may ever be ahead of what happens elsewhere. Where they are now
	 * depends on how fast each was: it must not be asked.
	 */
	for (size_t i = 0; i < c->guests.n; i++) {
		const struct vclock_guest *g = c->guests.at[i];

		if (g->in_ns != INT64_MAX && time_plus(now_ns, g->in_ns) > soon_ns)
			soon_ns = time_plus(now_ns, g->in_ns);
		/* Those that no cable leads to are where they are. */
		if (g->granted_ns > soon_ns)
			soon_ns = g->granted_ns;
	}
	c->until_ns = min_i64(c->until_ns, soon_ns);
	for (size_t i = 0; i < c->guests.n; i++)
		vclock_guest_cut(c->guests.at[i], c->until_ns);
	substrate_event(c->sub, "event time %lld ahead", (long long)c->until_ns);
}

/* Somebody is at work, and the lab waits for it. */
static bool is_busy(const struct vclock *c)
{
	return c->running > c->charged;
}

/* Nothing can be done just now: why, and when shall we look again? */
static void rest(struct vclock *c, const struct vclock_view *v, int64_t wall_ns)
{
	int64_t next = min_i64(v->event_ns, v->first);

	c->due_wall_ns = INT64_MAX;
	if (c->running)
		vclock_look_at_running(c, wall_ns);
	/* Who is waited for is heard of. */
	if (is_busy(c) || c->waking)
		return;
	int64_t paced = vclock_pace_limit_ns(c, wall_ns);

	/* A paced clock goes on to where it is to stop, also if nothing happens on the way. */
	if (next >= c->until_ns && c->until_ns != INT64_MAX && paced >= c->until_ns) {
		stand(c, c->until_ns);
		return;
	}
	next = min_i64(next, c->until_ns);
	if (next == INT64_MAX && !c->idle_told) {
		c->idle_told = true;
		substrate_event(c->sub, "event idle-forever");
	}
	if (c->pace > 0 && next != INT64_MAX)
		c->due_wall_ns = min_i64(
			c->due_wall_ns,
			c->pace_wall_ns + (int64_t)((double)(next - c->pace_ns) / c->pace) + 1);
}

/* What the pace allows by now; a lab that cannot keep up does not run after the time it lost. */
static int64_t paced_limit(struct vclock *c, const struct vclock_view *v, int64_t wall_ns)
{
	int64_t paced = vclock_pace_limit_ns(c, wall_ns);
	int64_t next = min_i64(v->event_ns, v->first);

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

static void run(struct substrate *s)
{
	struct vclock *c = vclock_of(s);
	struct vclock_view v;

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
		/* Only a pace needs the exact time; that of the loop costs nothing. */
		int64_t wall = c->pace > 0 ? clock_monotonic_ns() : loop_now_ns(c->sub->loop);

		vclock_look_at_cables(c);
		vclock_look(c, &v);
		int64_t limit = min_i64(c->until_ns, paced_limit(c, &v, wall));

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
	/* What clients wrote before they let us go on is heard before it goes on (protocols.md). */
	for (size_t i = 0; i < c->sub->objects.n; i++) {
		struct object *o = c->sub->objects.at[i];

		if (o->kind->catch_up)
			o->kind->catch_up(o);
	}
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

static int64_t now_ns(const struct substrate *s)
{
	return vclock_now_ns(vclock_of(s));
}

static int64_t due_ns(const struct substrate *s)
{
	return vclock_of(s)->due_wall_ns;
}

static void status(const struct substrate *s, struct json *j)
{
	const struct vclock *c = vclock_of(s);

	json_bool(j, "begun", c->begun);
	json_bool(j, "stopped", c->stopped);
	json_uint(j, "running", c->running);
	json_uint(j, "most_at_once", c->most_at_once);
	json_uint(j, "events", c->fired);
}

static int freeze(const struct substrate *s, struct err *e)
{
	const struct vclock *c = vclock_of(s);

	if (c->begun && (!c->stopped || is_busy(c)))
		return err_set(e, ERR_USAGE, "the clock does not stand: 'until' first");
	if (c->waking)
		return err_set(e, ERR_USAGE, "a guest is on its way back");
	return 0;
}

static void destroy(struct substrate *s)
{
	struct vclock *c = vclock_of(s);

	s->time = &timekeeper_real;
	vec_free(&c->guests);
	vec_free(&c->slots);
	vec_free(&c->touched);
	free(c);
}

/*
 * Computing costs nothing here, so a cable without a rate would carry any number of frames at one
 * instant, and one without a delay would let no two guests run at the same time: where nothing is
 * said, it is 100 m of gigabit Ethernet.
 */
static const struct timekeeper timekeeper_virtual = {
	.name = "virtual",
	.is_exact = true,
	.cable_rate_bps = 1000000000,
	.cable_delay_ns = 500,
	.now_ns = now_ns,
	.due_ns = due_ns,
	.run = run,
	.add = add,
	.cancel = cancel,
	.cables_changed = cables_changed,
	.stand_soon = stand_soon,
	.status = status,
	.freeze = freeze,
	.destroy = destroy,
};

struct vclock *vclock_of(const struct substrate *s)
{
	return s->time->destroy == destroy ? container_of(s->time, struct vclock, time) : NULL;
}

void vclock_take_over(struct vclock *c, struct substrate *s)
{
	c->sub = s;
	c->time = timekeeper_virtual;
	c->until_ns = c->due_wall_ns = c->firing_ns = INT64_MAX;
	c->core = -1;
	event_source_init(&c->source, s);
	s->time = &c->time;
	s->epoch_ns = c->tod_ns;
}
