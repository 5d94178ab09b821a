/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * In a lab with virtual networks one address may be that of many nodes, each in a network of
 * its own. So which one is meant depends on who asks: only networks that both are in count, and
 * of those a common subnet goes before one that takes a router.
 */
#include "vbet-server/plan/address.h"

#include <string.h>

/* Prefixes of different length are different subnets, even if one is inside the other. */
static bool same_subnet(const struct addr *a, const struct addr *b)
{
	unsigned whole = a->prefix / 8;
	unsigned rest = a->prefix % 8;

	if (a->family != b->family || a->prefix != b->prefix ||
	    memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return !rest || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

bool address_is_in(const struct graph_node *n, int vnet)
{
	bool has_cable = !n->n_vnets;

	if (vnet != ADDRESS_ORDINARY)
		return graph_is_in_vnet(n, vnet);
	for (size_t i = 0; i < n->n_nics; i++)
		has_cable |= n->nics[i].cable >= 0;
	return has_cable && n->kind != NODE_SUBSTRATE;
}

/* In another vNet the same subnet is another subnet. */
static bool has_subnet_of(const struct graph_node *n, const struct addr *a, int vnet)
{
	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t j = 0; j < n->nics[i].n_addrs; j++)
			if (n->nics[i].vnet == vnet && same_subnet(&n->nics[i].addrs[j], a))
				return true;
	return false;
}

/* In which networks an address is looked for, and how near. */
struct wanted {
	const struct graph_node *from; /* NULL: whatever network */
	int vnet;                      /* of `from`, or ADDRESS_ANY: all that both are in */
	bool is_near;                  /* in a subnet of `from` only */
};

static bool is_wanted(const struct graph_nic *nic, const struct addr *a, const struct wanted *w)
{
	if (!w->from)
		return true;
	if ((w->vnet != ADDRESS_ANY && nic->vnet != w->vnet) || !address_is_in(w->from, nic->vnet))
		return false;
	return !w->is_near || has_subnet_of(w->from, a, nic->vnet);
}

/* The first address of n of that family that is wanted. */
static const struct addr *find(const struct graph_node *n, int family, const struct wanted *w)
{
	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t j = 0; j < n->nics[i].n_addrs; j++)
			if ((!family || n->nics[i].addrs[j].family == family) &&
			    is_wanted(&n->nics[i], &n->nics[i].addrs[j], w))
				return &n->nics[i].addrs[j];
	return NULL;
}

size_t address_shared(const struct graph_node *a, const struct graph_node *b, int *vnets)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_vnets; i++)
		if (graph_is_in_vnet(b, a->vnets[i]))
			vnets[n++] = a->vnets[i];
	if (address_is_in(a, ADDRESS_ORDINARY) && address_is_in(b, ADDRESS_ORDINARY))
		vnets[n++] = ADDRESS_ORDINARY;
	return n;
}

bool address_are_together(const struct graph_node *a, const struct graph_node *b)
{
	int vnets[ADDRESS_NETWORKS_MAX];

	return address_shared(a, b, vnets) > 0;
}

const struct addr *address_first(const struct graph_node *n, int family)
{
	return find(n, family, &(struct wanted){0});
}

const struct addr *address_in(const struct graph_node *from, const struct graph_node *to, int vnet,
			      int family)
{
	struct wanted w = {.from = from, .vnet = vnet, .is_near = true};
	const struct addr *a = find(to, family, &w);

	w.is_near = false;
	return a ? a : find(to, family, &w);
}

const struct addr *address_for(const struct graph_node *from, const struct graph_node *to,
			       int family)
{
	return address_in(from, to, ADDRESS_ANY, family);
}
