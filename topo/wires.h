/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which NICs of a graph hear each other without a router: over cables, hubs, switches with their
 * VLANs, and virtual links. A cable that the script cuts at once joins nothing.
 */
#ifndef TOPO_WIRES_H
#define TOPO_WIRES_H

#include "topo/graph.h"

struct wires;

/* NULL: so many NICs and VLANs that it is not looked at. */
struct wires *wires_create(const struct graph *g);
void wires_destroy(struct wires *w);
/* The wire that untagged frames of a NIC are on: equal for NICs that hear each other. */
size_t wires_of_nic(const struct wires *w, size_t node, size_t nic);
/* The same for what a hub or a switch without VLANs joins. */
size_t wires_of_device(const struct wires *w, size_t node);
/*
 * Calls fn with the index of each cable that closes a loop of hubs and switches, none of which has
 * a spanning tree.
 */
void wires_find_loops(const struct graph *g, void (*fn)(void *ctx, size_t cable), void *ctx);

#endif
