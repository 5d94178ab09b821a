/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Who is at the other end: "eth0 of r1 (router), 10.0.0.1/24, cable to s1:3". For people who see
 * one name out of a lab of hundreds: in captures it is the description of an interface, which
 * Wireshark shows.
 */
#include "vbet-server/plan/describe.h"

#include <string.h>

/* The other end of a virtual link, or the LAN on which it joins many. */
static const char *far_virtual(const struct graph *g, struct graph_end end,
			       const struct graph_vlink *v, struct arena *a)
{
	size_t far = v->ends[0].node == end.node && v->ends[0].nic == end.nic;

	if (v->lan >= 0)
		return arena_printf(a, "%s", g->slinks[v->lan].name);
	const struct graph_node *n = &g->nodes[v->ends[far].node];

	return arena_printf(a, "%s:%s", n->name, n->nics[v->ends[far].nic].name);
}

const char *describe_far_end(const struct graph *g, struct graph_end end, struct arena *a)
{
	const struct graph_nic *c = &g->nodes[end.node].nics[end.nic];

	if (c->vlink >= 0)
		return far_virtual(g, end, &g->vlinks[c->vlink], a);
	if (c->cable < 0)
		return NULL;
	const struct graph_end *far = &g->cables[c->cable].end[!c->cable_end];
	const struct graph_node *n = &g->nodes[far->node];

	return arena_printf(a, "%s:%s", n->name, n->nics[far->nic].name);
}

static const char *describe(const struct graph *g, struct graph_end end, struct arena *a)
{
	const struct graph_node *n = &g->nodes[end.node];
	const struct graph_nic *c = &n->nics[end.nic];
	const char *far = describe_far_end(g, end, a);
	const char *text =
		arena_printf(a, "%s of %s (%s)", c->name, n->name, node_kind_name(n->kind));
	char addr[80];

	for (size_t i = 0; i < c->n_addrs; i++)
		text = arena_printf(a, "%s, %s", text,
				    addr_format(&c->addrs[i], true, addr, sizeof(addr)));
	return far ? arena_printf(a, "%s, %s to %s", text, c->vlink >= 0 ? "virtual link" : "cable",
				  far)
		   : text;
}

const char *describe_nic(const struct graph *g, const char *nic, struct arena *a)
{
	const char *colon = strrchr(nic, ':');

	if (!colon)
		return nic;
	int node = graph_find_node(g, arena_printf(a, "%.*s", (int)(colon - nic), nic));
	int i = node < 0 ? -1 : graph_find_nic(&g->nodes[node], colon + 1);

	return i < 0 ? nic : describe(g, (struct graph_end){node, i}, a);
}
