/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * By the real clock each ring of vhost-user has a descriptor by which the guest kicks and one by
 * which it is called. A guest's channel to its agent has seven rings, a NIC two or three, and each
 * device its socket, its connection and the guest's memory. By the virtual clock kicks and calls
 * are messages of the connection, and there is but one process.
 */
#include "vbet-server/plan/descriptors.h"

#include "lib/xalloc.h"

#include <stdlib.h>

/* Measured: a vsubstrate with 100 guests of one NIC has 2,405 entries in /proc/PID/fd. */
enum { OTHERS = 32, PER_GUEST = 17, PER_NIC = 7, PER_DISK = 7, PER_TRUNK = 8 };

size_t descriptors_of_node(const struct graph *g, size_t node)
{
	const struct graph_node *n = &g->nodes[node];

	if (g->clock != CLOCK_REAL || !node_kind_is_guest(n->kind))
		return 0;
	return PER_GUEST + PER_NIC * n->n_nics + (graph_has_disk(n) ? PER_DISK : 0);
}

size_t descriptors_of_all(const struct graph *g)
{
	size_t all = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		all += descriptors_of_node(g, i);
	return all;
}

size_t descriptors_of_process(unsigned n_processes)
{
	return OTHERS + PER_TRUNK * (size_t)(n_processes - 1);
}

size_t descriptors_most(const struct graph *g, const unsigned *process, unsigned n_processes)
{
	size_t *need = xcalloc(n_processes + 1, sizeof(*need));
	size_t most = 0;

	for (size_t i = 0; i < g->n_nodes; i++) {
		need[process[i]] += descriptors_of_node(g, i);
		if (need[process[i]] > most)
			most = need[process[i]];
	}
	free(need);
	return most + descriptors_of_process(n_processes);
}
