/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest goes from one substrate process to another while it runs (docs/snapshots.md, "Moving a
 * node"). In virtual time, where there is one, it goes from one process of its own to another.
 */
#ifndef VBET_SERVER_LAB_MOVE_H
#define VBET_SERVER_LAB_MOVE_H

#include "lib/err.h"
#include "lib/loop.h"
#include "lib/words.h"

#include <stdbool.h>

struct guest;
struct lab;

struct move {
	struct guest *guest; /* borrowed; NULL: none is being moved */
	unsigned from, to;   /* processes */
	int64_t began_ns;    /* it was told to stand; monotonic */
	bool awaited;        /* virtual time: by the substrate, with the clock standing */
	struct loop_timer deadline;
	char *told; /* owned: how the last one went */
};

/*
 * Asks for one; to: "substrate.2", or its number; NULL in virtual time. -1: there can be none, and
 * why. Its end is as that of a snapshot (snapshot.h): step SNAPSHOT_NONE, with `failed`.
 */
int move_ask(struct lab *lab, const char *node, const char *to, struct err *e);
/* All of the substrate stands. */
void move_freeze(struct lab *lab);
/* Virtual time: "frozen", "thawed"... of the substrate. */
void move_hear(struct lab *lab, const struct words *w);
/* The real clock: its kernel stands, waits, or has gone (freezer.h). */
void move_hear_guest(struct lab *lab);
/* It ends, well or not, with what is left of it. */
void move_end(struct lab *lab);
void move_finish(struct lab *lab);

#endif
