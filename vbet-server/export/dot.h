/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A graph as a drawing for Graphviz (graphviz.org, "The DOT Language"). Pure. */
#ifndef VBET_SERVER_EXPORT_DOT_H
#define VBET_SERVER_EXPORT_DOT_H

#include "topo/graph.h"

#include <stdio.h>

/*
 * Shapes by kind of node; addresses at the ends of cables, what cables do to frames, VLANs and
 * virtual networks in colour. Of more than DOT_MANY_NODES nodes, the names and lines alone.
 */
enum { DOT_MANY_NODES = 60 };
void dot_write(FILE *out, const struct graph *g);

/* Two neighbours of a routing protocol. */
struct dot_adjacency {
	int a, b; /* nodes of the graph */
	const char *text;
	bool is_up; /* as far as the protocol gets */
};
/* The same, of a lab that is up, with them as further lines. */
void dot_write_living(FILE *out, const struct graph *g, const struct dot_adjacency *adjacencies,
		      size_t n);

#endif
