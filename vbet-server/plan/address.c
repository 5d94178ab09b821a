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

static bool is_ordinary(const struct graph_node *n)
{
	bool has_cable = n->vnet < 0;

	for (size_t i = 0; i < n->n_nics; i++)
		has_cable |= n->nics[i].cable >= 0;
	return has_cable && n->kind != NODE_SUBSTRATE;
}

/* True if that NIC of n is in a network of the other node's: its vNet, or the ordinary one. */
static bool is_shared(const struct graph_node *n, size_t nic, const struct graph_node *other)
{
	if (n->nics[nic].vlink >= 0)
		return n->vnet == other->vnet;
	return is_ordinary(n) && is_ordinary(other);
}

/* In another vNet the same subnet is another subnet. */
static bool has_subnet_of(const struct graph_node *n, const struct addr *a,
			  const struct graph_nic *nic)
{
	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t j = 0; j < n->nics[i].n_addrs; j++)
			if ((n->nics[i].vlink >= 0) == (nic->vlink >= 0) &&
			    same_subnet(&n->nics[i].addrs[j], a))
				return true;
	return false;
}

/* The first address of n of that family, in a network of `from`; if is_near, in a subnet of it. */
static const struct addr *find(const struct graph_node *n, int family,
			       const struct graph_node *from, bool is_near)
{
	for (size_t i = 0; i < n->n_nics; i++) {
		if (from && !is_shared(n, i, from))
			continue;
		for (size_t j = 0; j < n->nics[i].n_addrs; j++) {
			const struct addr *a = &n->nics[i].addrs[j];

			if (from && is_near && !has_subnet_of(from, a, &n->nics[i]))
				continue;
			if (!family || a->family == family)
				return a;
		}
	}
	return NULL;
}

bool address_are_together(const struct graph_node *a, const struct graph_node *b)
{
	return (a->vnet >= 0 && a->vnet == b->vnet) || (is_ordinary(a) && is_ordinary(b));
}

const struct addr *address_first(const struct graph_node *n, int family)
{
	return find(n, family, NULL, false);
}

const struct addr *address_for(const struct graph_node *from, const struct graph_node *to,
			       int family)
{
	const struct addr *a = find(to, family, from, true);

	return a ? a : find(to, family, from, false);
}
