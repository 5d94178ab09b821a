/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Changes to the cables of a running lab: link, plug, unplug. */
#ifndef VBET_SERVER_LAB_LINK_H
#define VBET_SERVER_LAB_LINK_H

#include "lib/vec.h"
#include "lib/words.h"
#include "topo/graph.h"

#include <stdio.h>

struct lab;

/* What can be changed of a cable. */
struct link_state {
	struct graph_cut cut;
	struct linkspec dir[2];
};

/* A cable that was changed by hand. */
struct link_touched {
	char *name;               /* owned */
	struct link_state script; /* as the script has it */
	unsigned said_up, said_link;
	struct link_state agreed; /* what the substrate took last */
	unsigned asked;           /* changes that it has not answered yet */
	bool refused;             /* one of them */
};

struct links {
	VEC(struct link_touched) touched;
};

/*
 * "link A B up|down [--one-way | end=NODE]", "link A B show|reset", "link A B set key=value..." (A
 * and B: a node or node:nic; "ab." and "ba." before a key: that direction only), "link END
 * up|down...", "plug END", "unplug END".
 */
int link_command(struct lab *lab, const struct words *w, FILE *out, struct err *e);
/* How a cable is, and what it does each way, for people. */
void link_show(FILE *out, const struct graph *g, const struct graph_cable *c);
/* The statement that lays a cable between two NICs, in the arena; NULL with the error set. */
char *link_statement(const struct lab *lab, struct arena *a, const char *end1, const char *end2,
		     struct err *e);
/*
 * Brings a new graph in. What was changed by hand stays, for cables of which the script still says
 * the same. Takes the graph over.
 */
int link_change_graph(struct lab *lab, struct graph *g, struct err *e);
/*
 * step.c's: a change of the cable is under way; the substrate has taken it, or has refused it: then
 * the graph, too, gets back what was there before. Other names are ignored.
 */
void link_asked(struct lab *lab, const char *name);
void link_answered(struct lab *lab, const char *name, bool ok);
void link_finish(struct lab *lab);

#endif
