/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests that compute and let no time pass, as a daemon that polls: in virtual time computing costs
 * nothing, so a turn of theirs never ends, and all others wait for ever. Who has not let time pass
 * for some seconds of the wall clock is told of ("event spin"); if the lab was made so
 * (spin=charge), it also pays: its clock follows the wall clock until it has done, and meanwhile
 * keeps nobody. Such a run does not repeat.
 */
#include "lib/minmax.h"
#include "substrate/clock/vclock_priv.h"

static const int64_t spin_wall_ns = INT64_C(5000000000);
static const int64_t charge_wall_ns = 10000000; /* how often who spins is charged */

/* Its slot changes: what it may still be told of no longer bounds the others (vclock_turn.c). */
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

/* It pays for the time since it was looked at last, as far as the lab may go at all. */
static void charge(struct vclock *c, struct vclock_guest *g, int64_t wall_ns)
{
	double pace = c->pace > 0 ? c->pace : 1;
	int64_t took = (int64_t)((double)(wall_ns - g->turn_wall_ns) * pace);
	int64_t to = min_i64(time_plus(g->from_ns, took), c->until_ns);

	g->turn_wall_ns = wall_ns;
	c->due_wall_ns = min_i64(c->due_wall_ns, wall_ns + charge_wall_ns);
	if (c->stopped || to <= g->from_ns)
		return;
	g->from_ns = to;
	if (g->granted_ns < to)
		g->granted_ns = to;
	vclock_touch(g);
}

/*
 * An honest turn takes far less than five seconds of the wall clock, on a busy machine as well. A
 * guest whose clock moves at all is slow, and not stuck: it gets another five.
 */
static void look_for_spin(struct vclock *c, struct vclock_guest *g, int64_t wall_ns)
{
	if (wall_ns - g->turn_wall_ns >= spin_wall_ns && vclock_guest_now_ns(g) > g->spin_ns) {
		/* Slow, but its clock goes on. */
		g->spin_ns = vclock_guest_now_ns(g);
		g->turn_wall_ns = wall_ns;
	}
	if (wall_ns - g->turn_wall_ns < spin_wall_ns) {
		c->due_wall_ns = min_i64(c->due_wall_ns, g->turn_wall_ns + spin_wall_ns);
		return;
	}
	g->spin_told = true;
	substrate_event(c->sub, "event spin %s", g->object.name);
	/* Told of once a turn; what is to be done about it is said elsewhere. */
	if (!c->charges_spin)
		return;
	begin_charge(c, g, wall_ns);
	c->due_wall_ns = wall_ns;
}

void vclock_look_at_running(struct vclock *c, int64_t wall_ns)
{
	for (size_t i = 0; i < c->guests.n; i++) {
		struct vclock_guest *g = c->guests.at[i];

		if (g->state == VCLOCK_GUEST_RUNNING && g->charged)
			charge(c, g, wall_ns);
		else if (g->state == VCLOCK_GUEST_RUNNING && !g->spin_told)
			look_for_spin(c, g, wall_ns);
	}
}
