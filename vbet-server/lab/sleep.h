/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests of a restored lab whose kernels are not started before they are needed. For all but their
 * processes such a guest is what it was: its state, its agent's stream, its place in the calendar.
 */
#ifndef VBET_SERVER_LAB_SLEEP_H
#define VBET_SERVER_LAB_SLEEP_H

#include "lib/err.h"
#include "lib/loop.h"
#include "lib/words.h"
#include "vbet-server/store/snapshot_dir.h"

#include <stdbool.h>
#include <stdint.h>

struct guest;
struct lab;

enum sleep_state {
	SLEEP_NONE,   /* its kernel has been started */
	SLEEP_ASLEEP, /* it is in its file */
	SLEEP_CALLED, /* the same, and it is needed: it will be started soon */
	SLEEP_WAKING, /* its kernel has been started, and is not back yet */
};

struct sleep {
	enum sleep_state state;
	int fd;                /* its file; -1: none */
	enum snapshot_use use; /* of that file */
	/* Real clock: */
	bool wants_news;       /* it is to be told first that it was restored (warm.h) */
	int64_t needs_ns;      /* so long after the lab goes on it has something to do; 0: it has */
	int64_t behind_ns;     /* when the lab goes on its clock has stood for so long */
	struct loop_timer due; /* then it has */
};

void sleep_init(struct guest *gu);
/* Whether it is worth while, of one that is restored. */
bool sleep_may_begin(const struct guest *gu);
/*
 * The guest goes on from the file of that name when it is needed. It has
 * its agent's stream. 0 or -1.
 */
int sleep_begin(struct guest *gu, const char *file, enum snapshot_use use, struct err *e);
/* True: there is nobody in a file, nor on the way back. Else all are called, and soon it is. */
bool sleep_wake_all(struct lab *lab);
bool sleep_is_settled(const struct guest *gu);
bool sleep_all_settled(struct lab *lab);
/* It has no processes: its file is what there is of it. */
bool sleep_is_in_file(const struct guest *gu);
/* What it has ends. True if it was not awake: nobody else tells the substrate that it has gone. */
bool sleep_end(struct guest *gu);
/* A copy of the state of a guest that is asleep. 0 or -1. */
int sleep_save(const struct guest *gu, const char *to, struct err *e);
/*
 * Real clock: it is needed. It is started at once, or when a snapshot that is under way has come to
 * its end: sleep_start_called().
 */
void sleep_call(struct guest *gu);
void sleep_start_called(struct lab *lab);
/* Real clock: all who wait go on now, and who sleeps will be started in time. */
void sleep_go_on(struct lab *lab);
/* Real clock: its kernel waits. True: it had been asleep, and goes on. */
bool sleep_hear_guest(struct guest *gu);
/*
 * In a server that was restored: the lab had gone on at went_on_ns, and stood at stood_ns, both by
 * the host's clock of that time.
 */
void sleep_forget(struct guest *gu, int64_t went_on_ns, int64_t stood_ns);
/* "wake NAME", "awake NAME" */
void sleep_hear(struct lab *lab, const struct words *w);
/* Real clock, "asked NAME ADDRESS": somebody asks all whose that is. */
void sleep_hear_asked(struct lab *lab, const struct words *w);

#endif
