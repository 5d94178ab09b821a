/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtual clock: guests of a restored lab whose kernels are not started before they are needed. For
 * all but their processes such a guest is what it was: its state, its agent's stream, its place in
 * the calendar.
 */
#ifndef VBET_SERVER_LAB_SLEEP_H
#define VBET_SERVER_LAB_SLEEP_H

#include "lib/err.h"
#include "lib/words.h"

#include <stdbool.h>

struct guest;
struct lab;

enum sleep_state {
	SLEEP_NONE,   /* its kernel has been started */
	SLEEP_ASLEEP, /* it is in its file */
	SLEEP_CALLED, /* the substrate was told that it is needed, or says so */
	SLEEP_WAKING, /* its kernel has been started, and is not back yet */
};

struct sleep {
	enum sleep_state state;
	int fd;     /* its file; -1: none */
	bool adopt; /* its kernel may go on in that file */
};

void sleep_init(struct guest *gu);
/*
 * The guest goes on from the file of that name when it is needed; adopt: nobody else will. It has
 * its agent's stream. 0 or -1.
 */
int sleep_begin(struct guest *gu, const char *file, bool adopt, struct err *e);
/* True: there is nobody in a file, nor on the way back. Else all are called, and soon it is. */
bool sleep_wake_all(struct lab *lab);
bool sleep_is_settled(const struct guest *gu);
/* What it has ends. True if it was not awake: nobody else tells the substrate that it has gone. */
bool sleep_end(struct guest *gu);
/* A copy of the state of a guest that is asleep. 0 or -1. */
int sleep_save(const struct guest *gu, const char *to, struct err *e);
/* "wake NAME", "awake NAME" */
void sleep_hear(struct lab *lab, const struct words *w);

#endif
