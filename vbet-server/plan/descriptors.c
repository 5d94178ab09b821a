/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A device has its connection and a socket for what it tells the guest by itself. By the real clock
 * also the pipe by which the guest is called; its kicks need none, and it does not listen while it
 * is connected. By the virtual clock it listens on, and calls and kicks are in memory. To that
 * come, for a guest, the stream to its agent and the socket for it, and by the virtual clock its
 * time: two sockets and two pipes; for a disk up to two images.
 */
#include "vbet-server/plan/descriptors.h"

#include "lib/xalloc.h"

#include <stdlib.h>

/* Measured: a vsubstrate with 10 guests of one NIC has 85 entries in /proc/PID/fd, or 125. */
enum {
	OTHERS = 32,
	PER_DEVICE = 3,
	STREAM = 2,
	TIME = 4,
	IMAGES = 2,
	PER_TRUNK = 8,
	SERVER_PER_GUEST = 4
};

size_t descriptors_of_node(const struct graph *g, size_t node)
{
	const struct graph_node *n = &g->nodes[node];
	size_t devices = 1 + n->n_nics; /* the agent's channel is one */

	if (!node_kind_is_guest(n->kind))
		return 0;
	return PER_DEVICE * devices + STREAM + (g->clock == CLOCK_REAL ? 0 : TIME) +
	       (graph_has_disk(n) ? PER_DEVICE + IMAGES : 0);
}

size_t descriptors_of_all(const struct graph *g)
{
	size_t all = 0;

	for (size_t i = 0; i < g->n_nodes; i++)
		all += descriptors_of_node(g, i);
	return all;
}

/* The process, the stream to its agent, what freezes it, and while it boots a pipe. */
size_t descriptors_of_server(const struct graph *g)
{
	size_t all = OTHERS;

	for (size_t i = 0; i < g->n_nodes; i++)
		all += node_kind_is_guest(g->nodes[i].kind) ? SERVER_PER_GUEST : 0;
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
