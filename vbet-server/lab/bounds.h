/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a lab may take of the machine: its groups of processes (lib/cgroup.h), where it may have
 * some. */
#ifndef VBET_SERVER_LAB_BOUNDS_H
#define VBET_SERVER_LAB_BOUNDS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdio.h>

struct child;
struct lab;
struct plan_step;

struct bounds {
	bool is_open;
	char *group;          /* owned: directory of the lab's group; NULL: it has none */
	char *rest;           /* owned: the one that the server goes to at the end */
	char *why;            /* owned: why there is no group, or NULL */
	unsigned controllers; /* of the lab's groups: bits of enum cgroup_controller */
	unsigned long oom_kills;
};

/*
 * Finds a delegated group and makes that of the lab, if anything of the lab is bounded. Where there
 * is none the lab runs without (bounds_tell()). -1 with the error set: the lab's memory cannot be
 * held to what the user says, or our own group cannot be made.
 */
int bounds_open(struct lab *lab, struct err *e);
/* A step PLAN_BOUND: makes the group, and writes the bounds that there are controllers for. */
int bounds_make(struct lab *lab, const struct plan_step *s, struct err *e);
/* The file that places a process into that guest's group, malloc'ed; NULL: it has none. */
char *bounds_place(const struct lab *lab, const char *node);
/* A substrate process is held to its memory ("memory=BYTES" of its step), or to more than before.
 */
void bounds_hold_carrier(const struct child *c, const char *text);
/* True if processes were ended since the last call because the lab's memory was full. */
bool bounds_ran_out(struct bounds *b);
/*
 * One line of what the script or the user bounds and nothing holds, with the reason and what to do;
 * no line if there is no such thing.
 */
void bounds_tell(const struct lab *lab, FILE *out);
/* In a server that was restored: the groups are those of another, so new ones are made. 0 or -1. */
int bounds_thaw(struct lab *lab, struct err *e);
/* Leaves the lab's group, ends whoever is left in it, and removes it. */
void bounds_finish(struct bounds *b);

/* The file of a run directory that names the lab's group. */
#define BOUNDS_FILE "cgroup"
/*
 * Of a lab whose server was killed: ends what is left in its group, and removes that. dir: its run
 * directory, whose lock the caller holds. True: there was one.
 */
bool bounds_clean(const char *dir);

#endif
