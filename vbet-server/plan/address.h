/* SPDX-License-Identifier: GPL-3.0-or-later */
/* By which address does one node call another? */
#ifndef VBET_SERVER_PLAN_ADDRESS_H
#define VBET_SERVER_PLAN_ADDRESS_H

#include "topo/graph.h"

#include <stdbool.h>

/* Networks are vNets, by their index in the graph, and these. */
enum {
	ADDRESS_ORDINARY = -1,
	ADDRESS_ANY = -2,
	ADDRESS_NETWORKS_MAX = 17, /* of a node: WORLD_MAX_VNETS_OF_NODE and the ordinary one */
};

/* Is the node in that network? A virtual node with a cable is in the ordinary one, too. */
bool address_is_in(const struct graph_node *n, int vnet);
/* The networks that both are in, into vnets (ADDRESS_NETWORKS_MAX); returns how many. */
size_t address_shared(const struct graph_node *a, const struct graph_node *b, int *vnets);

/* The first address of the first NIC that has one (of the family, if not 0); or NULL. */
const struct addr *address_first(const struct graph_node *n, int family);
/*
 * The address of `to` that `from` reaches without a router, if they share a subnet; else the first
 * one in a network that they share: the same address in another vNet is somebody else's. family 0:
 * any. NULL if there is none.
 */
const struct addr *address_for(const struct graph_node *from, const struct graph_node *to,
			       int family);

/* The same in one network only. */
const struct addr *address_in(const struct graph_node *from, const struct graph_node *to, int vnet,
			      int family);

/*
 * True if the two are in one network: in the same virtual one, or in the ordinary one, to which a
 * virtual node belongs too if it has a cable (a gateway).
 */
bool address_are_together(const struct graph_node *a, const struct graph_node *b);

#endif
