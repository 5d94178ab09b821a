/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens when: a heap of events. The order is total and does not depend on who came first on
 * the wall clock: (time, source, number within the source). A source is an object that makes events
 * (a direction of a cable, a NIC, a device); its numbers only grow.
 */
#ifndef SUBSTRATE_CORE_CALENDAR_H
#define SUBSTRATE_CORE_CALENDAR_H

#include "lib/vec.h"

#include <stdbool.h>
#include <stdint.h>

/* Embed it in what shall happen; zero-initialise. */
struct event {
	void (*fire)(struct event *ev, int64_t now_ns);
	/*
	 * True if nothing of it would come to the guest that it is about, as things stand. NULL:
	 * something does.
	 */
	bool (*is_idle)(const struct event *ev);
	uint32_t heap_index; /* the calendar's own; 0: not in a calendar */
};

struct event_source {
	uint32_t id;   /* distinct per object: by order of declaration */
	uint64_t next; /* number of its next event */
};

struct calendar_entry {
	int64_t at_ns;
	uint64_t number;
	uint32_t source;
	struct event *ev;
};

struct calendar {
	VEC(struct calendar_entry) heap; /* index 0 is not used */
};

void calendar_init(struct calendar *c);
/* Forgets all events; their owners keep them. */
void calendar_finish(struct calendar *c);
/* Puts an event in; one that is in already is moved. */
void calendar_add(struct calendar *c, struct event *ev, int64_t at_ns, struct event_source *from);
/* Takes an event out, if it is in. */
void calendar_cancel(struct calendar *c, struct event *ev);
/* Time of the first event; INT64_MAX: none. */
int64_t calendar_next_ns(const struct calendar *c);
/* The first event; there is one. */
const struct event *calendar_first(const struct calendar *c);
/* True if the first event of a comes before the first of b (both have one). */
bool calendar_is_before(const struct calendar *a, const struct calendar *b);
/* Takes the first event out and calls its fire() with its time. Returns that time. */
int64_t calendar_fire(struct calendar *c);

#endif
