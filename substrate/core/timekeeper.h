/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who keeps the time of a lab. Everybody else asks for the time and puts events into the calendar
 * (substrate.h) without knowing who that is: the real clock, which is here, or the virtual one
 * (clock/vclock.h), which takes its place when it is made.
 */
#ifndef SUBSTRATE_CORE_TIMEKEEPER_H
#define SUBSTRATE_CORE_TIMEKEEPER_H

#include "lib/json.h"
#include "substrate/core/calendar.h"

#include <stdbool.h>
#include <stdint.h>

struct err;
struct substrate;
struct vclock_guest; /* a guest whose turns are scheduled; with the real clock there are none */

struct timekeeper {
	const char *name; /* "real" */
	/*
	 * A run depends on nothing but what was said: ends keep digests of what passes, and what is
	 * outside of the lab cannot take part.
	 */
	bool is_exact;
	/* What a cable has of which nothing is said; 0: no bound, no delay. */
	int64_t cable_rate_bps, cable_delay_ns;
	int64_t late_ns; /* an event may come so much later than it should */
	int64_t (*now_ns)(const struct substrate *s);
	/* When run() wants to be called (CLOCK_MONOTONIC); INT64_MAX: only after a descriptor. */
	int64_t (*due_ns)(const struct substrate *s);
	/* Does all that is due, frames in hand last. */
	void (*run)(struct substrate *s);
	/* substrate_schedule(), substrate_cancel() */
	void (*add)(struct substrate *s, struct vclock_guest *g, struct event *ev, int64_t at_ns,
		    struct event_source *from);
	void (*cancel)(struct substrate *s, struct vclock_guest *g, struct event *ev);
	/* Cables came, went or changed, and with them how soon guests can reach each other. */
	void (*cables_changed)(struct substrate *s);
	/*
	 * Something happened at now_ns that others must be told of before the lab goes far. The
	 * virtual clock will stand at the first time that every guest can be stopped at, which is
	 * the same in each run ("event time T ahead"); nothing if it stands.
	 */
	void (*stand_soon)(struct substrate *s, int64_t now_ns);
	/* Members of an open JSON object, besides the name. */
	void (*status)(const struct substrate *s, struct json *j);
	/* A snapshot is about to be taken: 0, or -1 if time does not stand. NULL: whenever. */
	int (*freeze)(const struct substrate *s, struct err *e);
	/* Frees what the timekeeper has; guests went before, as objects. */
	void (*destroy)(struct substrate *s);
};

extern const struct timekeeper timekeeper_real;

#endif
