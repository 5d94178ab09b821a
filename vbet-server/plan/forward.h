/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the routes of all nodes together lead, hop by hop, with no packet sent. Pure: the tables
 * are those that the guests' kernels told.
 */
#ifndef VBET_SERVER_PLAN_FORWARD_H
#define VBET_SERVER_PLAN_FORWARD_H

#include "lib/addr.h"
#include "topo/graph.h"

#include <stdbool.h>
#include <stdio.h>

struct forward;

/* The graph is borrowed; its cables are as they are now (cut or not). NULL: it is too large. */
struct forward *forward_create(const struct graph *g);
void forward_destroy(struct forward *f);
/* A node is there, with these addresses beside those of the graph. Of others nothing is known. */
void forward_add_address(struct forward *f, size_t node, const char *nic, const struct addr *addr);
/*
 * What a node said (WIRE_LOOK "fib"): lines "DEST [via=ADDR] [dev=NIC] proto=N metric=N type=N",
 * and "forwards 4|6 0|1". A guest is not trusted: what makes no sense is not heard.
 */
void forward_add_table(struct forward *f, size_t node, const char *text);

/*
 * All ways from a node to an address, a line each: "r1 r3" (the nodes in between), with what goes
 * wrong behind them: "r1: r3 has no route". *all_arrive: none goes wrong, and there is one. The
 * lines are sorted, at most FORWARD_WAYS.
 */
enum { FORWARD_WAYS = 64 };
void forward_find_ways(const struct forward *f, size_t from, const struct addr *to, FILE *out,
		       bool *all_arrive);
/* Whether packets to some address of a node (at a NIC that hears somebody) go in circles; each
 * circle found is told. */
bool forward_has_loop(const struct forward *f, FILE *out);
/* Whether a node sends packets to some address of a node where they get lost; each is told. */
bool forward_has_hole(const struct forward *f, FILE *out);
/*
 * Who does not reach whom, a line "FROM TO" (IPv6: "FROM TO ipv6") for each two nodes that are
 * there: the first has an address of the family, and from it no address of the second is reached on
 * every way. Addresses at NICs that hear nobody count as not reached.
 */
void forward_print_unreached(const struct forward *f, FILE *out);

#endif
