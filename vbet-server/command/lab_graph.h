/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The graph of a script, or of a lab that is up as it is now. */
#ifndef VBET_SERVER_COMMAND_LAB_GRAPH_H
#define VBET_SERVER_COMMAND_LAB_GRAPH_H

#include "vbet-server/store/load.h"

struct lab_graph {
	struct graph *graph;  /* NULL: the script has mistakes, which were printed */
	const char *lab;      /* of one that is up: its name, borrowed; else NULL */
	struct loaded loaded; /* where the graph comes from: one of the two */
	struct topo_script *script;
	struct graph *running;
};

/*
 * name: a script, or a directory with lab.vbet; if there is no such file, a lab that is up. 0, or
 * -1 with the error set. Not to be moved.
 */
int lab_graph_load(struct lab_graph *l, const char *name, struct err *e);
void lab_graph_finish(struct lab_graph *l);

#endif
