/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names for what the script leaves without one, in the order in which one is made of another:
 * nodes, interfaces of the host (topo/outside.h), cables, substrate links, virtual networks and
 * links. The same script gives the same names.
 */
#ifndef TOPO_NAMING_H
#define TOPO_NAMING_H

#include "topo/eval.h"

/* After the variable of the function that made them, or their kind. */
void naming_nodes(struct eval *ev);
/* Cables of substrate links that have a name are called as those. */
void naming_slink_cables(struct eval *ev);
/* "r1.eth0-r2.eth0"; needs the names of nodes and of the host's interfaces. */
void naming_cables(struct eval *ev);
/* vNets, substrate links, virtual links; needs the names of cables. */
void naming_virtual(struct eval *ev);

#endif
