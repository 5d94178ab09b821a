/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/world.h"

#include <string.h>

/* Memory of a guest, unless the script says otherwise. An idle one touches a fraction of it. */
static const int64_t default_memory[NODE_KINDS] = {
	[NODE_HOST] = 48 << 20,
	[NODE_ROUTER] = 96 << 20,
	[NODE_FIREWALL] = 64 << 20,
	[NODE_SERVER] = 64 << 20,
};

void world_init(struct world *w, struct arena *a)
{
	memset(w, 0, sizeof(*w));
	w->arena = a;
	w->nodes_end = &w->nodes;
	w->cables_end = &w->cables;
	w->nics_end = &w->nics;
	w->events_end = &w->events;
	w->expects_end = &w->expects;
	w->auto_address = true;
}

struct world_node *world_add_node(struct world *w, enum node_kind kind, struct loc loc)
{
	struct world_node *n = arena_alloc(w->arena, sizeof(*n));

	n->kind = kind;
	n->loc = n->name_loc = loc;
	n->number = w->n_nodes++;
	n->memory_bytes = default_memory[kind];
	n->routes_end = &n->routes;
	n->sysctls_end = &n->sysctls;
	n->commands_end = &n->commands;
	n->params_end = &n->params;
	n->configs_end = &n->configs;
	n->files_end = &n->files;
	world_append(&w->nodes_end, n);
	return n;
}

struct world_cable *world_add_cable(struct world *w, struct loc loc)
{
	struct world_cable *c = arena_alloc(w->arena, sizeof(*c));

	c->loc = c->name_loc = loc;
	c->number = w->n_cables++;
	world_append(&w->cables_end, c);
	return c;
}

struct world_nic *world_add_nic(struct world *w, struct loc loc)
{
	struct world_nic *nic = arena_alloc(w->arena, sizeof(*nic));

	nic->loc = loc;
	nic->number = w->n_nics++;
	nic->mtu = 1500;
	nic->backend = NIC_VHOST;
	nic->addrs_end = &nic->addrs;
	nic->params_end = &nic->params;
	world_append(&w->nics_end, nic);
	return nic;
}

bool world_attach(struct world *w, struct world_node *node, struct world_nic *nic)
{
	size_t max = node_kind_is_guest(node->kind) ? WORLD_MAX_NICS : WORLD_MAX_PORTS;

	if (node->n_nics >= max)
		return false;
	if (node->n_nics == node->nics_cap) {
		size_t cap = node->nics_cap ? node->nics_cap * 2 : 4;
		struct world_nic **nics = arena_alloc(w->arena, cap * sizeof(struct world_nic *));

		if (node->n_nics)
			memcpy(nics, node->nics, node->n_nics * sizeof(struct world_nic *));
		node->nics = nics;
		node->nics_cap = cap;
	}
	nic->node = node;
	nic->index = node->n_nics;
	node->nics[node->n_nics++] = nic;
	return true;
}

struct world_nic *world_get_nic(struct world *w, struct world_node *node, size_t i, struct loc loc)
{
	size_t max = node_kind_is_guest(node->kind) ? WORLD_MAX_NICS : WORLD_MAX_PORTS;

	if (i < node->n_nics)
		return node->nics[i];
	if ((node->is_fixed && !node->more) || i >= max)
		return NULL;
	while (node->n_nics <= i) {
		struct world_nic *nic = world_add_nic(w, loc);

		if (node->more) {
			nic->mtu = node->more->mtu;
			nic->backend = node->more->backend;
			nic->params = node->more->params;
		}
		world_attach(w, node, nic);
	}
	return node->nics[i];
}

struct world_nic *world_free_nic(struct world *w, struct world_node *node, struct loc loc)
{
	for (size_t i = 0; i < node->n_nics; i++)
		if (!node->nics[i]->cable)
			return node->nics[i];
	return world_get_nic(w, node, node->n_nics, loc);
}

void world_plug(struct world_cable *c, unsigned end, struct world_nic *nic)
{
	c->end[end] = nic;
	nic->cable = c;
	nic->end = end;
}

void world_unplug(struct world_cable *c, unsigned end)
{
	if (c->end[end])
		c->end[end]->cable = NULL;
	c->end[end] = NULL;
}

const char *world_describe_node(const struct world *w, const struct world_node *node)
{
	if (node->name)
		return node->name;
	if (node->hint)
		return node->hint;
	return arena_printf(w->arena, "the %s", node_kind_name(node->kind));
}

const char *world_describe_nic(const struct world *w, const struct world_nic *nic)
{
	if (!nic->node)
		return "a NIC that is attached to nothing";
	return arena_printf(w->arena, "%s %zu of %s",
			    node_kind_is_guest(nic->node->kind) ? "NIC" : "port", nic->index + 1,
			    world_describe_node(w, nic->node));
}
