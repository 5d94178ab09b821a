/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Nodes that stand for what is outside of the lab: interfaces of the host, and the way out. */
#ifndef TOPO_OUTSIDE_H
#define TOPO_OUTSIDE_H

#include "topo/eval.h"
#include "topo/kept.h"

/* Interfaces of the host without a name are called as their node. */
void outside_name_interfaces(struct eval *ev);
/* Gives the routers that lead outside their addresses, where the script gives none. */
void outside_give_addresses(struct eval *ev, const struct kept *kept);
/*
 * Guests that got their address beside such a router get a default route to it, and its name
 * server, unless the script gives them their own. Needs nic->segment.
 */
void outside_give_routes(struct eval *ev);
/* Reports what cannot be. */
void outside_check(struct eval *ev);
/* The address of that family, from the script or given; NULL: none. */
const struct addr *outside_address(const struct world_nic *nic, int family);

#endif
