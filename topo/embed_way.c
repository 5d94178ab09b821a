/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is used of the substrate, and the ways that are left for a virtual link.
 *
 * A way may have to pass stops (via) in order. So the search runs over places, which are pairs of a
 * node and how many stops are behind: with k stops each node exists k + 1 times. A search backwards
 * from the last place gives the hops that are left from every place; a walk forwards then takes
 * only steps that can still arrive within the limit, so that it never enters a dead end. The limit
 * grows from the shortest way by a few hops (DETOUR): longer ways would cost more than they could
 * ever save.
 *
 * When there is no way, the user should learn what to make wider. Links may then lack some rate:
 * the least tolerance with which a way exists is found by bisection over what each link lacks, and
 * the link that lacks most on that way is named.
 */
#include "topo/embed_way.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static void *array(struct arena *a, size_t n, size_t size)
{
	return arena_alloc(a, (n + 1) * size);
}

void embed_net_init(struct embed_net *net, struct arena *a, const struct embed_input *in)
{
	*net = (struct embed_net){.arena = a, .in = in};
	net->load.out_bps = array(a, in->n_ports, sizeof(int64_t));
	net->load.in_bps = array(a, in->n_ports, sizeof(int64_t));
	net->load.lan_bps = array(a, in->n_lans, sizeof(int64_t));
	net->load.share_bps = array(a, in->n_lans * in->n_vnets, sizeof(int64_t));
	net->first = array(a, in->n_nodes + 1, sizeof(*net->first));
	net->at = array(a, 2 * in->n_links, sizeof(*net->at));
	net->hops = array(a, in->n_nodes, sizeof(*net->hops));
	for (size_t i = 0; i < in->n_links; i++)
		for (int k = 0; k < 2; k++)
			net->first[in->links[i].node[k] + 1]++;
	for (size_t i = 0; i < in->n_nodes; i++)
		net->first[i + 1] += net->first[i];
	size_t most_via = 0;
	size_t *next = array(a, in->n_nodes, sizeof(*next));

	memcpy(next, net->first, in->n_nodes * sizeof(*next));
	for (size_t i = 0; i < in->n_links; i++)
		for (int k = 0; k < 2; k++)
			net->at[next[in->links[i].node[k]]++] = (int)i;
	for (size_t i = 0; i < in->n_vlinks; i++)
		if (in->vlinks[i].n_via > most_via)
			most_via = in->vlinks[i].n_via;
	net->left = array(a, (most_via + 1) * in->n_nodes, sizeof(*net->left));
	net->queue = array(a, (most_via + 1) * in->n_nodes, sizeof(*net->queue));
	net->usable = array(a, 2 * in->n_links, 1);
	net->seen = array(a, in->n_nodes, 1);
	net->stack = array(a, in->n_nodes, sizeof(*net->stack));
}

static int far_end(const struct embed_link *l, int node)
{
	return l->node[l->node[0] == node];
}

/* Computed for one node at a time, when somebody asks from there first: a search asks from few. */
unsigned embed_net_hops(struct embed_net *net, int from, int to)
{
	const struct embed_input *in = net->in;

	if (net->hops[from])
		return net->hops[from][to];
	uint16_t *row = net->hops[from] = array(net->arena, in->n_nodes, sizeof(*row));
	int *queue = array(net->arena, in->n_nodes, sizeof(*queue));
	size_t head = 0;
	size_t tail = 0;

	memset(row, 0xff, in->n_nodes * sizeof(*row));
	row[from] = 0;
	queue[tail++] = from;
	while (head < tail) {
		int node = queue[head++];

		for (size_t i = net->first[node]; i < net->first[node + 1]; i++) {
			int next = far_end(&in->links[net->at[i]], node);

			if (row[next] != EMBED_FAR)
				continue;
			row[next] = (uint16_t)(row[node] + 1);
			queue[tail++] = next;
		}
	}
	return row[to];
}

/* ---- rates ---- */

static int64_t share_of(const struct embed_input *in, int lan, int vnet)
{
	return (int64_t)((__int128)in->lans[lan].rate_bps * in->vnets[vnet].share_ppm / 1000000);
}

/* The minima of a virtual link over one link, that it enters at `node`. */
static void use_link(struct embed_net *net, const struct embed_vlink *v, int link, int node,
		     int sign)
{
	const struct embed_link *l = &net->in->links[link];
	int near = l->port[l->node[0] != node];
	int far = l->port[l->node[0] == node];
	int64_t ahead = v->min_bps[0] * sign;
	int64_t back = v->min_bps[1] * sign;

	net->load.out_bps[near] += ahead;
	net->load.in_bps[far] += ahead;
	net->load.out_bps[far] += back;
	net->load.in_bps[near] += back;
	if (l->lan < 0)
		return;
	net->load.lan_bps[l->lan] += ahead + back;
	net->load.share_bps[(size_t)l->lan * net->in->n_vnets + (size_t)v->vnet] += ahead + back;
}

void embed_net_use(struct embed_net *net, const struct embed_vlink *v, int from,
		   const struct embed_way *way, int sign)
{
	for (size_t i = 0; i < way->n_links; i++) {
		use_link(net, v, way->links[i], from, sign);
		from = far_end(&net->in->links[way->links[i]], from);
	}
}

/* Keeps the worst of the limits that a virtual link would break. */
static void weigh(struct embed_failure *worst, struct embed_failure f)
{
	if (f.want_bps - f.left_bps > worst->want_bps - worst->left_bps)
		*worst = f;
}

/* By how much the link is too narrow for the virtual link (0: it is not), and at which of its
 * limits. */
static int64_t shortage(const struct embed_net *net, const struct embed_vlink *v, int link,
			int node, struct embed_failure *why)
{
	const struct embed_input *in = net->in;
	const struct embed_link *l = &in->links[link];
	struct embed_failure worst = {.link = -1};

	for (int dir = 0; dir < 2; dir++) { /* ahead, then back */
		int sender = (l->node[0] == node) == (dir == 0) ? 0 : 1;
		const int port[2] = {l->port[sender], l->port[!sender]};
		const int64_t total[2] = {in->ports[port[0]].out_bps, in->ports[port[1]].in_bps};
		const int64_t used[2] = {net->load.out_bps[port[0]], net->load.in_bps[port[1]]};

		for (int i = 0; i < 2; i++)
			if (total[i] && v->min_bps[dir])
				weigh(&worst, (struct embed_failure){.why = EMBED_SHORT_LINK,
								     .link = link,
								     .node = l->node[sender],
								     .lan = -1,
								     .want_bps = v->min_bps[dir],
								     .left_bps = total[i] - used[i],
								     .total_bps = total[i]});
	}
	int64_t both = v->min_bps[0] + v->min_bps[1];

	if (l->lan >= 0 && both) {
		int64_t total = in->lans[l->lan].rate_bps;
		int64_t share = share_of(in, l->lan, v->vnet);
		size_t cell = (size_t)l->lan * in->n_vnets + (size_t)v->vnet;

		weigh(&worst, (struct embed_failure){.why = EMBED_SHORT_SHARE,
						     .link = link,
						     .node = node,
						     .lan = l->lan,
						     .want_bps = both,
						     .left_bps = share - net->load.share_bps[cell],
						     .total_bps = share});
		weigh(&worst, (struct embed_failure){.why = EMBED_SHORT_LAN,
						     .link = link,
						     .node = node,
						     .lan = l->lan,
						     .want_bps = both,
						     .left_bps = total - net->load.lan_bps[l->lan],
						     .total_bps = total});
	}
	if (why)
		*why = worst;
	return worst.want_bps - worst.left_bps;
}

/* ---- ways ---- */

struct search {
	struct embed_net *net;
	const struct embed_vlink *v;
	int to;
	int64_t tolerance_bps; /* links that lack no more than this are taken */
	uint16_t *left;        /* by place: hops that are left to `to`; EMBED_FAR: no way */
	size_t tail;           /* of the queue of places */
	size_t depth;          /* links so far, on the net's stack */
	size_t limit;          /* hops that the way shall have */
	struct embed_way *ways;
	size_t n_ways;
};

static size_t cell(const struct search *s, struct embed_place p)
{
	return p.stops * s->net->in->n_nodes + (size_t)p.node;
}

/* A stop that is a node counts as passed on arrival; several in a row may be the same node. */
static struct embed_place arrive(const struct embed_vlink *v, struct embed_place p)
{
	while (p.stops < v->n_via && !v->via[p.stops].is_link && v->via[p.stops].index == p.node)
		p.stops++;
	return p;
}

static struct embed_place step(const struct search *s, struct embed_place p, int link)
{
	const struct embed_vlink *v = s->v;

	if (p.stops < v->n_via && v->via[p.stops].is_link && v->via[p.stops].index == link)
		p.stops++;
	p.node = far_end(&s->net->in->links[link], p.node);
	return arrive(v, p);
}

/* Counts a place that leads to q by the link, unless one that is nearer is known. */
static void lead(struct search *s, struct embed_place p, struct embed_place q, int link)
{
	const struct embed_net *net = s->net;
	size_t side = net->in->links[link].node[0] != p.node;
	struct embed_place r = step(s, p, link);

	if (!net->usable[2 * (size_t)link + side] || s->left[cell(s, p)] != EMBED_FAR ||
	    r.node != q.node || r.stops != q.stops)
		return;
	s->left[cell(s, p)] = (uint16_t)(s->left[cell(s, q)] + 1);
	net->queue[s->tail++] = p;
}

/* Hops that are left from every place, by a breadth-first search from the last one backwards. */
static void measure(struct search *s)
{
	struct embed_net *net = s->net;
	const struct embed_vlink *v = s->v;
	size_t head = 0;

	memset(s->left, 0xff, (v->n_via + 1) * net->in->n_nodes * sizeof(*s->left));
	net->queue[s->tail++] = (struct embed_place){s->to, v->n_via};
	s->left[cell(s, net->queue[0])] = 0;
	while (head < s->tail) {
		struct embed_place q = net->queue[head++];

		for (size_t i = net->first[q.node]; i < net->first[q.node + 1]; i++) {
			int link = net->at[i];
			struct embed_place p = {far_end(&net->in->links[link], q.node), q.stops};

			lead(s, p, q, link);
			/* Before this step, the stop that it passes was still ahead. */
			while (p.stops && v->via[p.stops - 1].index ==
						  (v->via[p.stops - 1].is_link ? link : q.node)) {
				p.stops--;
				lead(s, p, q, link);
			}
		}
	}
	net->steps += s->tail / 16 + 1;
}

/*
 * Which links are wide enough is settled once for a search; during a walk the link's own minima are
 * booked as it goes, since a way may cross one LAN twice.
 */
static void begin(struct search *s, struct embed_net *net, const struct embed_vlink *v, int to,
		  int64_t tolerance_bps)
{
	*s = (struct search){.net = net, .v = v, .to = to, .tolerance_bps = tolerance_bps};
	s->left = net->left;
	for (size_t i = 0; i < 2 * net->in->n_links; i++)
		net->usable[i] = shortage(net, v, (int)(i / 2), net->in->links[i / 2].node[i % 2],
					  NULL) <= tolerance_bps;
	measure(s);
}

static void keep(struct search *s)
{
	struct embed_way *way = &s->ways[s->n_ways++];

	way->n_links = s->depth;
	way->links = array(s->net->arena, s->depth, sizeof(int));
	if (s->depth)
		memcpy(way->links, s->net->stack, s->depth * sizeof(int));
}

/* All ways of exactly s->limit hops that go on from here. No node is passed twice. */
static void walk(struct search *s, struct embed_place p)
{
	struct embed_net *net = s->net;

	net->steps++;
	if (p.node == s->to) {
		if (s->depth == s->limit && p.stops == s->v->n_via)
			keep(s);
		return;
	}
	s->net->seen[p.node] = 1;
	for (size_t i = net->first[p.node]; i < net->first[p.node + 1]; i++) {
		int link = net->at[i];
		struct embed_place q = step(s, p, link);

		if (s->n_ways == EMBED_MAX_WAYS || s->net->seen[q.node] ||
		    s->left[cell(s, q)] == EMBED_FAR ||
		    s->depth + 1 + s->left[cell(s, q)] > s->limit ||
		    shortage(net, s->v, link, p.node, NULL) > 0)
			continue;
		s->net->stack[s->depth++] = link;
		use_link(net, s->v, link, p.node, 1);
		walk(s, q);
		use_link(net, s->v, link, p.node, -1);
		s->depth--;
	}
	s->net->seen[p.node] = 0;
}

size_t embed_net_ways(struct embed_net *net, const struct embed_vlink *v, int from, int to,
		      struct embed_way *ways)
{
	enum { DETOUR = 3 }; /* hops more than the shortest way has, of those that are tried */
	struct search s;
	struct embed_place p = arrive(v, (struct embed_place){from, 0});
	size_t max_steps = net->in->max_steps ? net->in->max_steps : EMBED_MAX_STEPS;

	if (from == to && p.stops == v->n_via) {
		ways[0] = (struct embed_way){0};
		return 1;
	}
	begin(&s, net, v, to, 0);
	s.ways = ways;
	size_t least = s.left[cell(&s, p)];

	if (least == EMBED_FAR || from == to)
		return 0;
	for (s.limit = least; s.limit < net->in->n_nodes; s.limit++) {
		bool enough = s.n_ways && s.limit > least + DETOUR;

		if (enough || s.n_ways == EMBED_MAX_WAYS || net->steps > max_steps)
			break;
		walk(&s, p);
	}
	return s.n_ways;
}

/* ---- why there is none ---- */

static int compare_rates(const void *pa, const void *pb)
{
	const int64_t *a = pa;
	const int64_t *b = pb;

	return *a < *b ? -1 : *a > *b;
}

/* The link that lacks most on the shortest way within the tolerance. */
static void find_worst(struct search *s, struct embed_place p, struct embed_failure *why)
{
	struct embed_net *net = s->net;
	int64_t most = 0;

	while (s->left[cell(s, p)]) {
		size_t i = net->first[p.node];
		struct embed_failure f;

		while (s->left[cell(s, step(s, p, net->at[i]))] + 1u != s->left[cell(s, p)] ||
		       shortage(net, s->v, net->at[i], p.node, NULL) > s->tolerance_bps)
			i++;
		int64_t lacks = shortage(net, s->v, net->at[i], p.node, &f);

		if (lacks > most) {
			most = lacks;
			f.vlink = why->vlink;
			f.from = why->from;
			f.to = why->to;
			f.vnode = -1;
			*why = f;
		}
		p = step(s, p, net->at[i]);
	}
}

void embed_net_explain(struct embed_net *net, const struct embed_vlink *v, int from, int to,
		       struct embed_failure *why)
{
	const struct embed_input *in = net->in;
	struct embed_place p = arrive(v, (struct embed_place){from, 0});
	int64_t *lacks = array(net->arena, 2 * in->n_links, sizeof(*lacks));
	size_t low = 0;
	size_t high = 2 * in->n_links;
	struct search s;

	*why = (struct embed_failure){.why = EMBED_NO_WAY,
				      .vnode = -1,
				      .vlink = (int)(v - in->vlinks),
				      .from = from,
				      .to = to,
				      .link = -1,
				      .node = -1,
				      .lan = -1};
	for (size_t i = 0; i < high; i++)
		lacks[i] = shortage(net, v, (int)(i / 2), in->links[i / 2].node[i % 2], NULL);
	begin(&s, net, v, to, INT64_MAX);
	if (!high || s.left[cell(&s, p)] == EMBED_FAR || from == to)
		return;
	qsort(lacks, high, sizeof(*lacks), compare_rates);
	while (low < high) { /* the least tolerance with which there is a way */
		size_t middle = low + (high - low) / 2;

		begin(&s, net, v, to, lacks[middle]);
		if (s.left[cell(&s, p)] == EMBED_FAR)
			low = middle + 1;
		else
			high = middle;
	}
	begin(&s, net, v, to, lacks[low]);
	find_worst(&s, p, why);
}
