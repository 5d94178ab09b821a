/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Streaming partition with linear deterministic greedy (Stanton and Kliot, KDD 2012): clusters come
 * in breadth-first order, each goes to the process that has most cables to it, weighed by the room
 * that is left there.
 */
#include "vbet-server/plan/spread.h"

#include "lib/xalloc.h"
#include "vbet-server/plan/descriptors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A cluster is named by the index of one of its nodes, its head. */
struct spread {
	const struct graph *g;
	unsigned n;        /* processes */
	unsigned *process; /* by node; 0: not placed */
	size_t *head;      /* by node */
	uint64_t *weight;  /* by head */
	uint64_t room;     /* what a process should carry at most */
	uint64_t load[SPREAD_MAX + 1];
};

static size_t far_node(const struct graph *g, const struct graph_nic *c)
{
	return (size_t)g->cables[c->cable].end[!c->cable_end].node;
}

/* Where a virtual node is; the device that all NICs of a guest are plugged into; or itself. */
static size_t head_of(const struct graph *g, size_t node)
{
	const struct graph_node *n = &g->nodes[node];
	size_t head = node;

	if (n->place >= 0)
		return (size_t)n->place;
	if (!node_kind_is_guest(n->kind))
		return node;
	for (size_t i = 0; i < n->n_nics; i++) {
		if (n->nics[i].cable < 0)
			continue;
		size_t far = far_node(g, &n->nics[i]);

		if (node_kind_is_guest(g->nodes[far].kind) || (head != node && head != far))
			return node;
		head = far;
	}
	return head;
}

/*
 * What a node costs. Copying into a guest's memory takes far longer than deciding where a frame
 * goes, so a guest counts by its NICs.
 */
static uint64_t weight_of(const struct graph_node *n)
{
	return node_kind_is_guest(n->kind) && n->n_nics ? n->n_nics : 1;
}

static void put(struct spread *s, size_t node, unsigned process)
{
	s->process[node] = process;
	s->load[process] += weight_of(&s->g->nodes[node]);
}

/* Cables between a cluster and what each process has already. */
static void count_cables(const struct spread *s, size_t head, uint64_t count[SPREAD_MAX + 1])
{
	memset(count, 0, (SPREAD_MAX + 1) * sizeof(*count));
	for (size_t i = 0; i < s->g->n_cables; i++) {
		const struct graph_cable *c = &s->g->cables[i];

		for (int k = 0; k < 2; k++)
			if (s->head[c->end[k].node] == head)
				count[s->process[c->end[!k].node]]++;
	}
}

/* Where a cluster goes: to a member that is placed, else where it has neighbours and room. */
static unsigned choose(const struct spread *s, size_t head)
{
	uint64_t cables[SPREAD_MAX + 1];
	uint64_t best_score = 0;
	unsigned best = 0;
	unsigned emptiest = 1;

	if (s->process[head])
		return s->process[head];
	/*
	 * A substrate node stands for a machine: it gets a process of its own, while there are
	 * any.
	 */
	for (unsigned p = 1; s->g->nodes[head].kind == NODE_SUBSTRATE && p <= s->n; p++)
		if (!s->load[p])
			return p;
	count_cables(s, head, cables);
	for (unsigned p = 1; p <= s->n; p++) {
		uint64_t score = 0;

		if (s->load[p] + s->weight[head] <= s->room)
			score = cables[p] * (s->room - s->load[p]);
		if (score > best_score) {
			best_score = score;
			best = p;
		}
		if (s->load[p] < s->load[emptiest])
			emptiest = p;
	}
	return best ? best : emptiest;
}

static void place(struct spread *s, size_t head)
{
	unsigned p = choose(s, head);

	for (size_t i = 0; i < s->g->n_nodes; i++)
		if (s->head[i] == head && !s->process[i])
			put(s, i, p);
}

/* Breadth first from one cluster over all that its cables lead to. */
static void place_component(struct spread *s, size_t first, size_t *queue, bool *seen)
{
	size_t n = 0;

	queue[n++] = first;
	seen[first] = true;
	for (size_t done = 0; done < n; done++) {
		place(s, queue[done]);
		for (size_t i = 0; i < s->g->n_cables; i++) {
			const struct graph_cable *c = &s->g->cables[i];
			size_t ends[2] = {s->head[c->end[0].node], s->head[c->end[1].node]};

			for (int k = 0; k < 2; k++) {
				if (ends[k] != queue[done] || seen[ends[!k]])
					continue;
				seen[ends[!k]] = true;
				queue[n++] = ends[!k];
			}
		}
	}
}

/*
 * Heads and weights. Of a device with more guests than fit into a process, those beyond an equal
 * share are heads of their own: their frames take a trunk, which is slower than to be refused.
 */
static void find_heads(struct spread *s, size_t descriptors_max)
{
	const struct graph *g = s->g;
	size_t *need = xcalloc(g->n_nodes + 1, sizeof(*need));
	size_t most = SIZE_MAX;
	size_t all = descriptors_of_all(g);

	if (descriptors_max && all + descriptors_of_process(s->n) > descriptors_max)
		most = all / s->n;
	for (size_t i = 0; i < g->n_nodes; i++) {
		size_t head = head_of(g, i);

		need[head] += descriptors_of_node(g, i);
		s->head[i] = need[head] > most ? i : head;
		s->weight[s->head[i]] += weight_of(&g->nodes[i]);
	}
	free(need);
}

unsigned *spread_nodes(const struct graph *g, unsigned n_processes, const unsigned *kept,
		       size_t descriptors_max)
{
	struct spread s = {.g = g, .n = n_processes};
	size_t *queue = xcalloc(g->n_nodes + 1, sizeof(*queue));
	bool *seen = xcalloc(g->n_nodes + 1, sizeof(*seen));
	uint64_t total = 0;

	s.process = xcalloc(g->n_nodes + 1, sizeof(*s.process));
	s.head = xcalloc(g->n_nodes + 1, sizeof(*s.head));
	s.weight = xcalloc(g->n_nodes + 1, sizeof(*s.weight));
	find_heads(&s, descriptors_max);
	for (size_t i = 0; i < g->n_nodes; i++) {
		total += weight_of(&g->nodes[i]);
		if (kept && kept[i])
			put(&s, i, kept[i]);
	}
	s.room = (total + n_processes - 1) / n_processes;
	for (size_t i = 0; i < g->n_nodes; i++)
		if (s.head[i] == i && !seen[i])
			place_component(&s, i, queue, seen);
	free(queue);
	free(seen);
	free(s.head);
	free(s.weight);
	return s.process;
}

unsigned spread_processes(const struct graph *g, size_t descriptors_max)
{
	size_t least = descriptors_of_all(g) + descriptors_of_process(1);
	unsigned best = 1;

	if (!descriptors_max || g->clock != CLOCK_REAL)
		return best;
	/* More processes have more trunks: at some number each needs more again. */
	for (unsigned n = 2; n <= SPREAD_MAX && least > descriptors_max; n++) {
		unsigned *process = spread_nodes(g, n, NULL, descriptors_max);
		size_t most = descriptors_most(g, process, n);

		free(process);
		if (most < least) {
			least = most;
			best = n;
		}
	}
	return best;
}
