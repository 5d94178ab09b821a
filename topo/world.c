/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The network while a script builds it. NICs are made on demand: NIC(r1, 3) makes the first three
 * of a node that may still grow. Nothing is ever taken out of a list: what is freed is only marked,
 * so that the numbers by which choices of an earlier run are known (kept.h) stay the same.
 */
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
	w->vnets_end = &w->vnets;
	w->slinks_end = &w->slinks;
	w->vlinks_end = &w->vlinks;
	w->events_end = &w->events;
	w->expects_end = &w->expects;
	w->auto_address = true;
}

void world_settle_memory(struct world *w)
{
	/* What three hosts, a server and a substrate process fit into, beside the guest's own. */
	static const int64_t for_vbet = INT64_C(512) << 20;

	for (struct world_node *n = w->nodes; n; n = n->next)
		if (!n->memory_bytes)
			n->memory_bytes = n->vbet ? for_vbet : default_memory[n->kind];
}

struct world_node *world_add_node(struct world *w, enum node_kind kind, struct loc loc)
{
	struct world_node *n = arena_alloc(w->arena, sizeof(*n));

	n->kind = kind;
	n->loc = n->name_loc = loc;
	n->number = w->n_nodes++;
	n->room = -1;
	w->n_substrate += kind == NODE_SUBSTRATE;
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

static size_t world_max_nics(enum node_kind kind)
{
	if (node_kind_is_station(kind))
		return WORLD_MAX_NICS;
	return kind == NODE_SUBSTRATE ? WORLD_MAX_LINKS : WORLD_MAX_PORTS;
}

/*
 * The list of NICs grows in the arena, where the old one stays until the script is through:
 * pointers to NICs themselves never change.
 */
bool world_attach(struct world *w, struct world_node *node, struct world_nic *nic)
{
	size_t max = world_max_nics(node->kind);

	if (!nic->has_backend)
		nic->backend = nic_backend_default(node->kind);
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

/*
 * A NIC that "..." stands for is made like its model, but for what must be unique: MAC and
 * addresses.
 */
struct world_nic *world_get_nic(struct world *w, struct world_node *node, size_t i, struct loc loc)
{
	size_t max = world_max_nics(node->kind);

	if (i < node->n_nics)
		return node->nics[i];
	if ((node->is_fixed && !node->more) || i >= max)
		return NULL;
	while (node->n_nics <= i) {
		struct world_nic *nic = world_add_nic(w, loc);

		if (node->more) {
			nic->mtu = node->more->mtu;
			nic->has_mtu = node->more->has_mtu;
			nic->speed_bps = node->more->speed_bps;
			nic->duplex = node->more->duplex;
			nic->has_backend = node->more->has_backend;
			nic->backend = node->more->backend;
			nic->params = node->more->params;
		}
		world_attach(w, node, nic);
	}
	return node->nics[i];
}

struct world_nic *world_next_free_nic(struct world *w, struct world_node *node, size_t skip,
				      struct loc loc)
{
	for (size_t i = 0; i < node->n_nics; i++)
		if (!world_is_plugged(node->nics[i]) && !skip--)
			return node->nics[i];
	return world_get_nic(w, node, node->n_nics + skip, loc);
}

struct world_nic *world_free_nic(struct world *w, struct world_node *node, struct loc loc)
{
	return world_next_free_nic(w, node, 0, loc);
}

bool world_is_plugged(const struct world_nic *nic)
{
	return nic->cable || nic->vlink;
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

void world_remove_vlink(struct world_vlink *v)
{
	v->is_removed = true;
	for (size_t i = 0; i < v->n_ends; i++)
		v->ends[i]->vlink = NULL;
	v->n_ends = 0;
}

/*
 * A multi-access link goes on with the members that are left, a point-to-point one joins nothing
 * any more.
 */
void world_leave(struct world_nic *nic)
{
	struct world_vlink *v = nic->vlink;
	size_t n = 0;

	if (!v)
		return;
	nic->vlink = NULL;
	for (size_t i = 0; i < v->n_ends; i++)
		if (v->ends[i] != nic)
			v->ends[n++] = v->ends[i];
	v->n_ends = n;
	if (!v->lan || !n)
		world_remove_vlink(v);
}

struct world_cable *world_slink_cable(const struct world_slink *l)
{
	struct world_cable *c = l->n_ends == 2 && l->kind == SLINK_CABLE ? l->ends[0]->cable : NULL;

	return c && c == l->ends[1]->cable ? c : NULL;
}

/* "s1.1": a node and the number of its interface */
static const char *interface_name(const struct world *w, const struct world_nic *nic)
{
	return nic->node->name ? arena_printf(w->arena, "%s.%zu", nic->node->name, nic->index + 1)
			       : NULL;
}

const char *world_slink_name(const struct world *w, const struct world_slink *l)
{
	const struct world_cable *c = world_slink_cable(l);

	if (l->name || (c && c->name) || !l->n_ends)
		return l->name ? l->name : c ? c->name : NULL;
	const char *a = interface_name(w, c ? c->end[0] : l->ends[0]);
	const char *b = l->n_ends > 1 ? interface_name(w, c ? c->end[1] : l->ends[1]) : "";
	const char *lan = l->lan ? world_slink_name(w, l->lan) : "";

	if (!a || !b || !lan)
		return NULL;
	return l->kind == SLINK_LAN      ? arena_printf(w->arena, "lan@%s", a)
	       : l->kind == SLINK_ACROSS ? arena_printf(w->arena, "%s-%s@%s", a, b, lan)
					 : arena_printf(w->arena, "%s-%s", a, b);
}

struct world_slink *world_slink_over(const struct world *w, const struct world_cable *c)
{
	for (struct world_slink *l = w->slinks; l; l = l->next)
		if (!l->is_removed && world_slink_cable(l) == c)
			return l;
	return NULL;
}

struct world_slink *world_find_slink(const struct world *w, const char *name)
{
	for (struct world_slink *l = w->slinks; l; l = l->next) {
		const char *its = l->is_removed ? NULL : world_slink_name(w, l);

		if (its && !strcmp(its, name))
			return l;
	}
	return NULL;
}

const char *world_describe_node(const struct world *w, const struct world_node *node)
{
	if (node->name)
		return node->name;
	if (node->hint)
		return node->hint;
	return arena_printf(w->arena, "the %s", node_kind_name(node->kind));
}

const char *world_nic_word(enum node_kind kind)
{
	return node_kind_is_device(kind) ? "port" : kind == NODE_SUBSTRATE ? "interface" : "NIC";
}

/*
 * Ports and interfaces count from 1, as their labels on a real box; NICs of guests are eth0 and so
 * on.
 */
const char *world_nic_name(struct arena *a, const struct world_nic *nic)
{
	if (!node_kind_is_station(nic->node->kind))
		return arena_printf(a, "%zu", nic->index + 1);
	if (nic->ifname)
		return arena_strdup(a, nic->ifname);
	return arena_printf(a, "%s%zu", nic->path ? "socket" : "eth", nic->index);
}

/*
 * A virtual node with an ordinary cable is a gateway: the addresses at that end belong to the
 * ordinary network. Where a node is in several vNets, the virtual link says whose NIC it is.
 */
const struct world_vnet *world_realm(const struct world_nic *nic)
{
	if (nic->vlink)
		return nic->vlink->vnet;
	return nic->node && !nic->cable && nic->node->n_vnets == 1 ? nic->node->vnets[0] : NULL;
}

bool world_is_in_vnet(const struct world_node *n, const struct world_vnet *v)
{
	for (size_t i = 0; i < n->n_vnets; i++)
		if (n->vnets[i] == v)
			return true;
	return false;
}

const char *world_describe_nic(const struct world *w, const struct world_nic *nic)
{
	if (!nic->node)
		return "a NIC that is attached to nothing";
	return arena_printf(w->arena, "%s %zu of %s", world_nic_word(nic->node->kind),
			    nic->index + 1, world_describe_node(w, nic->node));
}

#define LABEL(thing, kind) \
	((struct world_label){&(thing)->name, &(thing)->hint, &(thing)->name_loc, kind})

bool world_label(const struct value *v, struct world_label *label)
{
	switch (v->kind) {
	case VALUE_NODE:
		*label = LABEL(v->node, node_kind_name(v->node->kind));
		return true;
	case VALUE_CABLE:
		*label = LABEL(v->cable, "cable");
		return true;
	case VALUE_VNET:
		*label = LABEL(v->vnet, "vNet");
		return true;
	case VALUE_SLINK:
		*label = LABEL(v->slink, "substrate link");
		return true;
	case VALUE_VLINK:
		*label = LABEL(v->vlink, "virtual link");
		return true;
	default:
		return false;
	}
}
