/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Branch and bound over a fixed list of decisions: the place of a node, the way of a link.
 *
 * The order of the list is what makes the search short. Links between nodes whose place is given
 * come first; then, again and again, the node that is bound most tightly (by minimum rates) to
 * those placed before it, and behind it its links to them, the widest first. So what can fail fails
 * early, and a failure is found next to its cause.
 *
 * Each decision tries its options from the best to the worst: places by revisits, then by what the
 * links to placed nodes would cost at least; ways by their hops. A choice is made by adding its
 * loads to the net (embed_way.c) and unmade by taking them away again, so that no state is ever
 * copied.
 *
 * cost is what the ways chosen so far cost; bound is what those still open must cost at least, each
 * with the hops between its ends if rates did not matter. A link whose ends are placed counts in
 * bound from that moment, and moves to cost when its way is chosen. When cost + bound is no better
 * than the best solution known, the branch is given up: that loses nothing, as neither can shrink
 * further down.
 *
 * Steps are counted, not time, so that the same script is embedded alike on every machine. At the
 * limit the best so far is taken. Without any solution, the failure reported is the deepest one:
 * what was decided before it could be done, so it is the likeliest reason.
 */
#include "topo/embed.h"

#include "lib/xalloc.h"
#include "topo/embed_way.h"

#include <stdlib.h>
#include <string.h>

/* One decision after the other: the place of a node, the way of a link. */
struct choice {
	bool is_link;
	int index;      /* of the virtual node or link */
	size_t n, next; /* what can be chosen, and which is next */
	int *places;
	struct embed_way ways[EMBED_MAX_WAYS];
	bool is_made; /* ways[next - 1] or places[next - 1] holds */
};

/* Virtual links at a virtual node. */
struct incidence {
	size_t *first;
	int *at;
};

struct embedding {
	const struct embed_input *in;
	struct arena *arena;
	struct embed_net net;
	struct incidence links;
	struct choice *choices;
	size_t n_choices;
	int *places;       /* by virtual node; -1: not yet */
	int *held;         /* by substrate node */
	unsigned *routers; /* by vNet and substrate node */
	unsigned revisits;
	uint64_t cost, bound; /* of the ways that are chosen; a lower bound of the open ones */
	bool has_best;
	struct embed_result best;
	size_t furthest; /* depth of the failure that is kept, from 1; 0: none yet */
	struct embed_failure failure;
};

/* What a hop of the virtual link costs. */
static uint64_t weight(const struct embed_vlink *v)
{
	return (uint64_t)(v->min_bps[0] + v->min_bps[1]) / 1000 + 1;
}

static int other_end(const struct embed_vlink *v, int vnode)
{
	return v->end[v->end[0] == vnode];
}

static void find_incidence(struct embedding *e)
{
	const struct embed_input *in = e->in;
	size_t *first = arena_alloc(e->arena, (in->n_vnodes + 2) * sizeof(*first));
	size_t *next = arena_alloc(e->arena, (in->n_vnodes + 2) * sizeof(*next));

	e->links.at = arena_alloc(e->arena, (2 * in->n_vlinks + 1) * sizeof(int));
	for (size_t i = 0; i < in->n_vlinks; i++)
		for (int k = 0; k < 2; k++)
			first[in->vlinks[i].end[k] + 1]++;
	for (size_t i = 0; i < in->n_vnodes; i++)
		first[i + 1] += first[i];
	memcpy(next, first, (in->n_vnodes + 1) * sizeof(*next));
	for (size_t i = 0; i < in->n_vlinks; i++)
		for (int k = 0; k < 2; k++)
			e->links.at[next[in->vlinks[i].end[k]]++] = (int)i;
	e->links.first = first;
}

/* ---- in which order things are decided ---- */

static void decide(struct embedding *e, bool is_link, int index)
{
	struct choice *c = &e->choices[e->n_choices++];

	c->is_link = is_link;
	c->index = index;
}

struct ranked {
	int vlink;
	uint64_t weight;
};

/* Wide ones first: they are the hardest to lay. */
static int compare_ranked(const void *pa, const void *pb)
{
	const struct ranked *a = pa;
	const struct ranked *b = pb;

	if (a->weight != b->weight)
		return a->weight > b->weight ? -1 : 1;
	return a->vlink - b->vlink;
}

static void decide_links(struct embedding *e, struct ranked *list, size_t n)
{
	if (n > 1)
		qsort(list, n, sizeof(*list), compare_ranked);
	for (size_t i = 0; i < n; i++)
		decide(e, true, list[i].vlink);
}

/* Links of the node to those that are placed before it. */
static void decide_links_of(struct embedding *e, int vnode, const bool *placed, struct ranked *list)
{
	size_t n = 0;

	for (size_t i = e->links.first[vnode]; i < e->links.first[vnode + 1]; i++) {
		int v = e->links.at[i];

		if (placed[other_end(&e->in->vlinks[v], vnode)])
			list[n++] = (struct ranked){v, weight(&e->in->vlinks[v])};
	}
	decide_links(e, list, n);
}

/* Of nodes that have no place yet, the one with the most weight of links to placed ones; or -1. */
static int tightest(const struct embedding *e, const bool *placed, const uint64_t *bound)
{
	int best = -1;

	for (size_t i = 0; i < e->in->n_vnodes; i++)
		if (!placed[i] && (best < 0 || bound[i] > bound[best]))
			best = (int)i;
	return best;
}

static void order_choices(struct embedding *e)
{
	const struct embed_input *in = e->in;
	bool *placed = arena_alloc(e->arena, in->n_vnodes + 1);
	uint64_t *bound = arena_alloc(e->arena, (in->n_vnodes + 1) * sizeof(*bound));
	struct ranked *list = arena_alloc(e->arena, (in->n_vlinks + 1) * sizeof(*list));
	size_t n = 0;
	int next;

	for (size_t i = 0; i < in->n_vnodes; i++)
		placed[i] = in->vnodes[i].place >= 0;
	for (size_t i = 0; i < in->n_vlinks; i++) {
		const struct embed_vlink *v = &in->vlinks[i];

		if (placed[v->end[0]] && placed[v->end[1]])
			list[n++] = (struct ranked){(int)i, weight(v)};
		for (int k = 0; k < 2; k++)
			if (placed[v->end[k]])
				bound[v->end[!k]] += weight(v);
	}
	decide_links(e, list, n);
	while ((next = tightest(e, placed, bound)) >= 0) {
		decide(e, false, next);
		decide_links_of(e, next, placed, list);
		placed[next] = true;
		for (size_t i = e->links.first[next]; i < e->links.first[next + 1]; i++) {
			const struct embed_vlink *v = &in->vlinks[e->links.at[i]];

			bound[other_end(v, next)] += weight(v);
		}
	}
}

/* ---- places ---- */

static unsigned *routers_at(const struct embedding *e, int vnode, int place)
{
	return &e->routers[(size_t)e->in->vnodes[vnode].vnet * e->in->n_nodes + (size_t)place];
}

/* Routers of the same network that are there, if the node is one. */
static unsigned revisits_at(const struct embedding *e, int vnode, int place)
{
	return e->in->vnodes[vnode].is_router ? *routers_at(e, vnode, place) : 0;
}

static void occupy(struct embedding *e, int vnode, int place)
{
	e->places[vnode] = place;
	e->held[place]++;
	*routers_at(e, vnode, place) += e->in->vnodes[vnode].is_router;
}

static void vacate(struct embedding *e, int vnode, int place)
{
	e->places[vnode] = -1;
	e->held[place]--;
	*routers_at(e, vnode, place) -= e->in->vnodes[vnode].is_router;
}

/* What its links to placed nodes cost at least if the node is there. Where no way leads, EMBED_FAR
 * hops make that huge. */
static uint64_t pull(struct embedding *e, int vnode, int place)
{
	uint64_t sum = 0;

	for (size_t i = e->links.first[vnode]; i < e->links.first[vnode + 1]; i++) {
		const struct embed_vlink *v = &e->in->vlinks[e->links.at[i]];
		int there = e->places[other_end(v, vnode)];

		if (there >= 0)
			sum += weight(v) * embed_net_hops(&e->net, there, place);
	}
	return sum;
}

struct rated {
	int place;
	unsigned revisits;
	uint64_t cost;
};

static int compare_rated(const void *pa, const void *pb)
{
	const struct rated *a = pa;
	const struct rated *b = pb;

	if (a->revisits != b->revisits)
		return a->revisits < b->revisits ? -1 : 1;
	if (a->cost != b->cost)
		return a->cost < b->cost ? -1 : 1;
	return a->place - b->place;
}

static bool may_be_at(const struct embedding *e, const struct embed_vnode *n, size_t place)
{
	int room = e->in->nodes[place].room;

	return (!n->may || n->may[place]) && (room < 0 || e->held[place] < room);
}

static void find_places(struct embedding *e, struct choice *c)
{
	const struct embed_input *in = e->in;
	struct rated *rated = xcalloc(in->n_nodes + 1, sizeof(*rated));

	c->n = 0;
	if (!c->places)
		c->places = arena_alloc(e->arena, (in->n_nodes + 1) * sizeof(int));
	for (size_t i = 0; i < in->n_nodes; i++)
		if (may_be_at(e, &in->vnodes[c->index], i))
			rated[c->n++] = (struct rated){(int)i, revisits_at(e, c->index, (int)i),
						       pull(e, c->index, (int)i)};
	if (c->n > 1)
		qsort(rated, c->n, sizeof(*rated), compare_rated);
	for (size_t i = 0; i < c->n; i++)
		c->places[i] = rated[i].place;
	free(rated);
	e->net.steps += in->n_nodes / 16 + 1;
}

/* ---- making and unmaking a choice ---- */

static void make_place(struct embedding *e, const struct choice *c, int place)
{
	e->revisits += revisits_at(e, c->index, place);
	e->bound += pull(e, c->index, place);
	occupy(e, c->index, place);
}

static void unmake_place(struct embedding *e, const struct choice *c, int place)
{
	vacate(e, c->index, place);
	e->bound -= pull(e, c->index, place);
	e->revisits -= revisits_at(e, c->index, place);
}

/* Chosen: the link moves from `bound`, where it counted with the fewest hops there can be, to
 * `cost`. */
static void turn_way(struct embedding *e, const struct choice *c, const struct embed_way *way,
		     int sign)
{
	const struct embed_vlink *v = &e->in->vlinks[c->index];
	int from = e->places[v->end[0]];
	uint64_t least = weight(v) * embed_net_hops(&e->net, from, e->places[v->end[1]]);
	uint64_t cost = weight(v) * way->n_links;

	embed_net_use(&e->net, v, from, way, sign);
	e->cost += sign > 0 ? cost : -cost;
	e->bound += sign > 0 ? -least : least;
}

static void turn(struct embedding *e, struct choice *c, size_t i, bool on)
{
	c->is_made = on;
	if (c->is_link)
		turn_way(e, c, &c->ways[i], on ? 1 : -1);
	else if (on)
		make_place(e, c, c->places[i]);
	else
		unmake_place(e, c, c->places[i]);
}

/* ---- the search ---- */

static void find_options(struct embedding *e, struct choice *c)
{
	const struct embed_vlink *v = &e->in->vlinks[c->index];

	c->next = 0;
	if (c->is_link)
		c->n = embed_net_ways(&e->net, v, e->places[v->end[0]], e->places[v->end[1]],
				      c->ways);
	else
		find_places(e, c);
}

static void explain(struct embedding *e, const struct choice *c)
{
	const struct embed_vlink *v = &e->in->vlinks[c->index];

	if (c->is_link)
		embed_net_explain(&e->net, v, e->places[v->end[0]], e->places[v->end[1]],
				  &e->failure);
	else
		e->failure = (struct embed_failure){.why = EMBED_NO_PLACE,
						    .vnode = c->index,
						    .vlink = -1,
						    .from = -1,
						    .to = -1,
						    .link = -1,
						    .node = -1,
						    .lan = -1};
}

static bool is_hopeless(const struct embedding *e)
{
	if (!e->has_best || e->revisits < e->best.revisits)
		return false;
	return e->revisits > e->best.revisits || e->cost + e->bound >= e->best.cost;
}

static void keep_best(struct embedding *e)
{
	const struct embed_input *in = e->in;

	e->has_best = true;
	e->best.revisits = e->revisits;
	e->best.cost = e->cost;
	memcpy(e->best.places, e->places, in->n_vnodes * sizeof(int));
	for (size_t i = 0; i < e->n_choices; i++)
		if (e->choices[i].is_link)
			e->best.ways[e->choices[i].index] =
				e->choices[i].ways[e->choices[i].next - 1];
}

/* Depth first, until all was tried or the limit is reached. */
static void search(struct embedding *e, size_t max_steps)
{
	size_t depth = 0;

	if (!e->n_choices) {
		keep_best(e);
		return;
	}
	find_options(e, &e->choices[0]);
	while (e->net.steps <= max_steps) {
		struct choice *c = &e->choices[depth];

		if (c->is_made)
			turn(e, c, c->next - 1, false);
		if (!c->n && depth + 1 > e->furthest) {
			e->furthest = depth + 1;
			explain(e, c);
		}
		if (c->next == c->n && !depth)
			return;
		if (c->next == c->n) {
			depth--;
			continue;
		}
		turn(e, c, c->next++, true);
		e->net.steps++;
		if (is_hopeless(e))
			continue;
		if (depth + 1 == e->n_choices)
			keep_best(e);
		else
			find_options(e, &e->choices[++depth]);
	}
	if (!e->furthest)
		explain(e, &e->choices[depth]);
}

int embed_run(struct arena *a, const struct embed_input *in, struct embed_result *out,
	      struct embed_failure *why)
{
	struct embedding e = {.in = in, .arena = a};
	size_t max_steps = in->max_steps ? in->max_steps : EMBED_MAX_STEPS;

	embed_net_init(&e.net, a, in);
	e.choices = xcalloc(in->n_vnodes + in->n_vlinks + 1, sizeof(*e.choices));
	e.places = arena_alloc(a, (in->n_vnodes + 1) * sizeof(int));
	e.held = arena_alloc(a, (in->n_nodes + 1) * sizeof(int));
	e.best.places = arena_alloc(a, (in->n_vnodes + 1) * sizeof(int));
	e.best.ways = arena_alloc(a, (in->n_vlinks + 1) * sizeof(*e.best.ways));
	e.routers = arena_alloc(a, (in->n_nodes * in->n_vnets + 1) * sizeof(*e.routers));
	for (size_t i = 0; i < in->n_vnodes; i++) {
		e.places[i] = -1;
		if (in->vnodes[i].place >= 0)
			occupy(&e, (int)i, in->vnodes[i].place);
	}
	find_incidence(&e);
	order_choices(&e);
	for (size_t i = 0; i < in->n_vlinks; i++) {
		const struct embed_vlink *v = &in->vlinks[i];
		int from = e.places[v->end[0]];
		int to = e.places[v->end[1]];

		if (from >= 0 && to >= 0)
			e.bound += weight(v) * embed_net_hops(&e.net, from, to);
	}
	search(&e, max_steps);
	free(e.choices);
	e.best.is_best = e.net.steps <= max_steps;
	*out = e.best;
	e.failure.gave_up = !e.best.is_best;
	*why = e.failure;
	return e.has_best ? 0 : -1;
}
