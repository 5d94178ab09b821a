/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real clock: time is CLOCK_MONOTONIC, and one calendar has all events. Each is due when its
 * time has come and happens with the time that it was due at, so that what follows from it does not
 * add up delays; frames that come by descriptor have the time of the loop's turn.
 */
#include "substrate/core/timekeeper.h"

#include "substrate/core/substrate.h"

enum { BATCH_EVENTS = 4096 }; /* before descriptors get their turn */

static int64_t now_ns(const struct substrate *s)
{
	return s->clock_ns ? *s->clock_ns : loop_now_ns(s->loop);
}

static int64_t due_ns(const struct substrate *s)
{
	return calendar_next_ns(&s->calendar);
}

static void run(struct substrate *s)
{
	/* Not the loop's time: that is from before descriptors had their turn. */
	int64_t now = clock_monotonic_ns();

	for (int i = 0; i < BATCH_EVENTS && calendar_next_ns(&s->calendar) <= now; i++)
		calendar_fire(&s->calendar);
	substrate_drain(s, now);
}

static void add(struct substrate *s, struct vclock_guest *g, struct event *ev, int64_t at_ns,
		struct event_source *from)
{
	calendar_add(&s->calendar, ev, at_ns, from);
}

static void cancel(struct substrate *s, struct vclock_guest *g, struct event *ev)
{
	calendar_cancel(&s->calendar, ev);
}

static void cables_changed(struct substrate *s)
{
	/* Guests run whenever they like. */
}

static void stand_soon(struct substrate *s, int64_t now_ns)
{
	/* Real time does not stand. */
}

static void status(const struct substrate *s, struct json *j)
{
}

static void destroy(struct substrate *s)
{
}

const struct timekeeper timekeeper_real = {
	.name = "real",
	/* Timers come late by tenths of a millisecond, by more on a busy machine. */
	.late_ns = 2000000,
	.now_ns = now_ns,
	.due_ns = due_ns,
	.run = run,
	.add = add,
	.cancel = cancel,
	.cables_changed = cables_changed,
	.stand_soon = stand_soon,
	.status = status,
	.destroy = destroy,
};
