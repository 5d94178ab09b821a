/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The real clock: a lab stands still for a snapshot. Its substrate first, so that no frame moves;
 * then all guests at once, each of which writes itself. What is sent to agents waits.
 */
#ifndef VBET_SERVER_LAB_STILL_H
#define VBET_SERVER_LAB_STILL_H

#include "lib/err.h"
#include "lib/loop.h"

#include <stdbool.h>

struct guest;
struct lab;

struct still {
	bool asked;                 /* the substrate was told to stand */
	bool held;                  /* all of it does */
	int64_t at_ns;              /* where clocks of guests stand, by the host's */
	struct loop_timer deadline; /* guests that do not answer */
};

/* Of a guest that is being made. */
void still_init(struct guest *gu);
/* Before its kernel is started, which connects to it. 0 or -1. */
int still_listen(struct guest *gu, struct err *e);
/* True if its kernel can be told to stand. */
bool still_can(const struct guest *gu, struct err *e);
/* The substrate is told to stand; "held" is its answer. */
void still_begin(struct lab *lab);
/* So it does. Each guest that runs is told to write itself to the file of its name in dir. 0, with
 * their number in *n, or -1. */
int still_freeze(struct lab *lab, const char *dir, unsigned *n, struct err *e);
/* All guests go on, also those that were restored and wait. */
void still_run_guests(struct lab *lab);
/* All go on: guests, substrate, what waits for agents. Also when not all stand. */
void still_end(struct lab *lab);

#endif
