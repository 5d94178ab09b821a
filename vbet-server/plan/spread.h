/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which of several substrate processes carries which node. Pure. What belongs together stays
 * together: a hub or switch and the guests that are plugged into nothing else, a substrate node and
 * the virtual nodes that it holds; then neighbours, as far as the processes get equal shares.
 * Substrate nodes have processes of their own while there are some that carry nothing.
 */
#ifndef VBET_SERVER_PLAN_SPREAD_H
#define VBET_SERVER_PLAN_SPREAD_H

#include "topo/graph.h"

enum { SPREAD_MAX = 64 }; /* processes */

/*
 * The number of a process, from 1 to n_processes (1 to SPREAD_MAX), for each node: malloc'ed, as
 * many as the graph has nodes. kept: for each node the process in which it is already, or 0; there
 * it stays. NULL: none is. descriptors_max: how many a process may have; guests of one device are
 * parted where they would need more. 0: no bound.
 */
unsigned *spread_nodes(const struct graph *g, unsigned n_processes, const unsigned *kept,
		       size_t descriptors_max);
/* The least number of processes in which none needs more than descriptors_max (0: no bound); if
 * there is none, the one in which the neediest needs least. */
unsigned spread_processes(const struct graph *g, size_t descriptors_max);

#endif
