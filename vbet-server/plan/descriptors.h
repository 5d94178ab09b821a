/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How many open files the processes of a lab need. Pure. Counted before anything starts,
 * as too few show late and as something else: a NIC that is not there.
 */
#ifndef VBET_SERVER_PLAN_DESCRIPTORS_H
#define VBET_SERVER_PLAN_DESCRIPTORS_H

#include "topo/graph.h"

#include <stddef.h>

/* What a node adds to the process that carries it. */
size_t descriptors_of_node(const struct graph *g, size_t node);
/* What all nodes add together. */
size_t descriptors_of_all(const struct graph *g);
/* What the lab's server needs, in its own process. */
size_t descriptors_of_server(const struct graph *g);
/* What any process has besides, if there are so many of them. */
size_t descriptors_of_process(unsigned n_processes);
/* The most that any of n_processes needs. process: for each node the number of its own, from 1. */
size_t descriptors_most(const struct graph *g, const unsigned *process, unsigned n_processes);

#endif
