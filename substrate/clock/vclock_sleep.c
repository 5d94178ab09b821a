/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests of a lab that was restored, and that nothing has happened to since. Each is what its file
 * says until its next turn or its next event, and whatever reaches a guest is one of the two. So
 * its kernel is not started before: it is asleep. Virtual time goes on without it, up to there;
 * then it is asked for ("event wake NAME"), and nothing happens to it before it and its devices are
 * whole. Neither can be seen in the lab, as no time passes while somebody is waited for.
 *
 * To start one after the other would take longer than all at once. So those are woken with it that
 * will be needed a little later; if somebody else is needed right behind that, twice as much later.
 */
#include "lib/minmax.h"
#include "substrate/clock/vclock_priv.h"
#include "substrate/core/thaw.h"

static const int64_t first_ahead_ns = 1000000;

/* While the lab is restored all wait for all that are awaited; but not for those that sleep. */
void vclock_guest_await_device(struct vclock_guest *g, struct substrate *s)
{
	if (g)
		g->missing++;
	if (!g || !vclock_guest_is_away(g))
		substrate_await(s);
}

void vclock_guest_device_came(struct vclock_guest *g, struct substrate *s)
{
	if (g)
		vclock_guest_came(g);
	else
		substrate_came(s);
}

void vclock_guest_came(struct vclock_guest *g)
{
	g->missing--;
	if (!vclock_guest_is_away(g)) {
		substrate_came(g->object.sub);
		return;
	}
	if (g->missing)
		return;
	g->clock->waking -= g->waking;
	g->asleep = g->waking = false;
	vclock_touch(g);
	substrate_event(g->object.sub, "event awake %s", g->object.name);
}

/* What comes without delay is no event: it would find nobody. */
static bool is_reached_at_once(const struct vclock_guest *g)
{
	return g->in_ns <= 0;
}

int vclock_guest_sleep(struct vclock_guest *g, struct err *e)
{
	if (!g->awaited || vclock_guest_is_away(g))
		return err_set(e, ERR_ENV, "%s is not awaited", g->object.name);
	vclock_look_at_cables(g->clock);
	if (is_reached_at_once(g))
		return err_set(e, ERR_ENV, "frames reach %s without delay", g->object.name);
	g->asleep = true;
	vclock_touch(g);
	for (unsigned i = 0; i < g->missing; i++)
		substrate_came(g->object.sub);
	return 0;
}

void vclock_guest_wake(struct vclock_guest *g)
{
	if (!g->asleep)
		return;
	g->asleep = false;
	g->waking = true;
	g->clock->waking++;
	substrate_event(g->object.sub, "event wake %s", g->object.name);
}

/* When it is needed if nothing else happens. */
static int64_t needed_ns(const struct vclock_guest *g)
{
	return min_i64(g->request_ns, calendar_next_ns(&g->calendar));
}

void vclock_need(struct vclock *c, const struct vclock_guest *g)
{
	if (!g->asleep)
		return;
	int64_t now_ns = needed_ns(g);
	bool too_few = now_ns <= time_plus(c->woken_ns, c->ahead_ns);

	c->ahead_ns = too_few ? time_plus(c->ahead_ns, c->ahead_ns) : first_ahead_ns;
	c->woken_ns = time_plus(now_ns, c->ahead_ns);
	for (size_t i = 0; i < c->guests.n; i++)
		if (c->guests.at[i]->asleep && needed_ns(c->guests.at[i]) <= c->woken_ns)
			vclock_guest_wake(c->guests.at[i]);
}
