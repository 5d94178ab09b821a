/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtual clock: it schedules the guests together with the events of the substrate. */
#ifndef SUBSTRATE_CLOCK_VCLOCK_H
#define SUBSTRATE_CLOCK_VCLOCK_H

#include "lib/words.h"
#include "substrate/clock/vclock_guest.h"
#include "substrate/core/substrate.h"

struct vclock;

/* The calendar for events that touch guest g (NULL: none). With the real clock there is one. */
struct calendar *vclock_calendar(struct substrate *s, struct vclock_guest *g);
/* Puts an event into that calendar; what g may do until then is cut short. */
void vclock_add(struct substrate *s, struct vclock_guest *g, struct event *ev, int64_t at_ns,
		struct event_source *from);
/* The guest that the words name by guest=; *g stays NULL with the real clock. 0 or -1. */
int vclock_find_guest(struct substrate *s, const struct words *w, struct vclock_guest **g,
		      struct err *e);
/* Whose NIC or channel an object is; NULL: nobody's. */
struct vclock_guest *vclock_guest_of(struct object *o);
/* Cables came, went or changed: how soon can guests reach each other? */
void vclock_cables_changed(struct substrate *s);
/*
 * Something happened at now_ns that others must be told of before the lab goes far: the clock will
 * stand at the first time that every guest can be stopped at, which is the same in each run ("event
 * time T ahead"). Nothing with the real clock, or if it stands.
 */
void vclock_stand_soon(struct substrate *s, int64_t now_ns);
/* The time at which something from outside may happen now. */
int64_t vclock_now_ns(const struct vclock *c);
int64_t vclock_due_ns(const struct vclock *c);
void vclock_run(struct vclock *c);
void vclock_destroy(struct vclock *c);
/* "clock virtual": 0 or -1. */
int vclock_create(struct substrate *s, const struct words *w, struct err *e);
/* Members of an open JSON object; nothing with the real clock. */
void vclock_status(struct substrate *s, struct json *j);

/* Commands of the control protocol (docs/protocols.md). 0, or -1 with the error set. */
int vclock_cmd_guest(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_start(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_now(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_pace(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_pause(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_run(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_step(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_until(struct substrate *s, const struct words *w, FILE *answer, struct err *e);

#endif
