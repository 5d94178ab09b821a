/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files that print a graph share (the function for all is graph_print(), topo/graph.h). */
#ifndef TOPO_GRAPH_PRINT_H
#define TOPO_GRAPH_PRINT_H

#include "topo/graph.h"

#include <stdio.h>

/* True if the name can stand for itself in a script. */
bool graph_is_plain(const char *name);
/* True if a value of a link is a number with a unit, which needs no quotes. */
bool graph_is_quantity(const char *value);
/* In quotes. */
void graph_put_string(FILE *out, const char *text);
/* A node, link or vNet by its name. */
void graph_put_name(FILE *out, const char *name);
/* ", NAME = "VALUE"", if there is a value. */
void graph_put_param(FILE *out, const char *name, const char *value);
void graph_put_end(FILE *out, const struct graph *g, const struct graph_end *end);
/* The arguments of a cut: the cable by one of its NICs, and which part of it. */
void graph_put_side(FILE *out, const struct graph *g, const struct graph_cable *c,
		    struct graph_side side);
/* ", vnet = NAME": in which of them something of a node is meant; nothing if vnet is -1. */
void graph_put_vnet_of(FILE *out, const struct graph *g, int vnet);

/* graph_print_guest.c: the parameters of a guest beside its memory and name; nothing of others. */
void graph_put_guest(FILE *out, const struct graph_node *n);
/* graph_print_virtual.c: a definition; those of places, substrate links and virtual links. */
void graph_put_vnet(FILE *out, const struct graph_vnet *v);
void graph_put_virtual(FILE *out, const struct graph *g);

#endif
