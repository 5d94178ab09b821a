/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtual clock: it schedules the guests together with the events of the substrate. */
#ifndef SUBSTRATE_CLOCK_VCLOCK_H
#define SUBSTRATE_CLOCK_VCLOCK_H

#include "lib/words.h"
#include "substrate/clock/vclock_guest.h"
#include "substrate/core/substrate.h"

/*
 * "clock virtual": the substrate's timekeeper from now on, before there is anything else. 0 or -1.
 */
int vclock_create(struct substrate *s, const struct words *w, struct err *e);
/* The guest that the words name by guest=; *g stays NULL with the real clock. 0 or -1. */
int vclock_find_guest(struct substrate *s, const struct words *w, struct vclock_guest **g,
		      struct err *e);

/* Commands of the control protocol (docs/protocols.md). 0, or -1 with the error set. */
int vclock_cmd_guest(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_start(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_freeze(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_moved(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_await(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_sleep(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_wake(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_now(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_pace(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_pause(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_run(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_step(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vclock_cmd_until(struct substrate *s, const struct words *w, FILE *answer, struct err *e);

#endif
