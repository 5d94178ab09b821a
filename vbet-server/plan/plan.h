/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The plan: a graph as ordered steps, each with what undoes it. Pure: the same graph and
 * environment give the same plan, to the byte. A change to a running lab is the difference of two
 * plans.
 */
#ifndef VBET_SERVER_PLAN_PLAN_H
#define VBET_SERVER_PLAN_PLAN_H

#include "lib/err.h"
#include "topo/graph.h"
#include "vbet-server/plan/plan_env.h"

#include <stdbool.h>
#include <stdio.h>

/* What the guests of a virtual lab take for the time of day at its time 0: 2026-01-01 00:00 UTC. */
#define PLAN_TIME_OF_DAY_S INT64_C(1767225600)

enum plan_op {
	PLAN_PROCESS,   /* name: of a substrate process, which is started; text: memory=BYTES */
	PLAN_DIR,       /* text: directory, relative to the lab's */
	PLAN_FILE,      /* name: path relative to the lab's directory; text: content */
	PLAN_SUBSTRATE, /* text: a line for a substrate process; undo: its reverse, or NULL */
	PLAN_OUTSIDE,   /* text: a line for the process that has the host's interfaces; undo */
	PLAN_GUEST,     /* name: node; argv: the launcher's */
	PLAN_PROGRAM,   /* name: "es1#1"; text: a command of the end system `node`, for /bin/sh */
	PLAN_BOUND,     /* name: of a group of processes; text: its bounds, as words FILE=VALUE */
	PLAN_OPS,
};

/* How a step is undone, and what becomes of one whose text has changed. */
enum plan_upkeep {
	PLAN_STAYS, /* not at all: what is there stays, and a change is written over it */
	PLAN_ENDS,  /* what has its name is ended; a change is done again in its place */
	PLAN_TELLS, /* by its line `undo`, if it has one; a change by its line `set`, or by both */
};

struct plan_step;
/* What there is to know of an operation before it is carried out. */
struct plan_op_kind {
	const char *name; /* the first word of its lines in plan_print() */
	void (*print)(FILE *out, const struct plan_step *s); /* the rest of them */
	enum plan_upkeep upkeep;
};
const struct plan_op_kind *plan_op_kind(enum plan_op op);

enum { PLAN_MAX_NEEDS = 2 };

struct plan_step {
	enum plan_op op;
	const char *name; /* unique among the steps of its op and process */
	const char *text;
	const char *undo;
	char *const *argv;
	size_t argc;
	int node;         /* index into the graph's nodes, or -1 */
	unsigned process; /* PLAN_PROCESS, PLAN_SUBSTRATE: number of the process, from 1; else 0 */
	/*
	 * If the text changes but `fixed` does not, the line `set` tells of it: what is there goes
	 * on, and is as the text says from then on. NULL: it is undone, and done again.
	 */
	const char *fixed, *set;
	/* Lines of any process without which this one does not stand: said again with them. */
	const char *needs[PLAN_MAX_NEEDS];
	size_t n_needs;
};

/* The substrate process that carries a node. */
struct plan_place {
	const char *node;
	unsigned process;
};

struct plan {
	struct arena arena;
	struct plan_step *steps;
	size_t n_steps;
	struct plan_place *places; /* of all nodes, in the order of the graph */
	size_t n_places;
};

/* Groups of PLAN_BOUND: the lab's own, which is the first; and in it that of the
 * server and the substrate's processes, and those of guests. */
#define PLAN_BOUND_LAB    "lab"
#define PLAN_BOUND_SERVER "server"
#define PLAN_BOUND_GUEST  "n." /* and the node's name */
/* Bytes that a substrate process may have in any case. */
#define PLAN_CARRIER_MIN (INT64_C(320) << 20)

/* True if anything of the lab is bounded that takes a group. */
bool plan_is_bounded(const struct graph *g, const struct plan_env *env);
/* Of all guests together, in bytes. */
int64_t plan_guests_memory(const struct graph *g);

/* The plan, or NULL with the error set. */
struct plan *plan_make(const struct graph *g, const struct plan_env *env, struct err *e);
void plan_destroy(struct plan *p);
void plan_print(FILE *out, const struct plan *p);
/* The process in which a substrate process knows that object; 0: none does. */
unsigned plan_process_of(const struct plan *p, const char *object);

enum plan_change { PLAN_ADD, PLAN_REMOVE, PLAN_SET };
struct plan_diff_item {
	enum plan_change change;
	const struct plan_step *step; /* of the new plan; PLAN_REMOVE: of the old one */
};
/*
 * What turns the world of `from` into that of `to`, in the order in which it must be done: removals
 * backwards, then changes and additions forwards. Items are malloc'ed. Returns their number.
 */
size_t plan_diff(const struct plan *from, const struct plan *to, struct plan_diff_item **items);

#endif
