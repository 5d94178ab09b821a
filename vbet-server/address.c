/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/address.h"

#include <string.h>

static bool same_subnet(const struct graph_addr *a, const struct graph_addr *b)
{
	unsigned whole = a->prefix / 8;
	unsigned rest = a->prefix % 8;

	if (a->family != b->family || a->prefix != b->prefix ||
	    memcmp(a->bytes, b->bytes, whole) != 0)
		return false;
	return !rest || (a->bytes[whole] ^ b->bytes[whole]) >> (8 - rest) == 0;
}

static bool has_subnet_of(const struct graph_node *n, const struct graph_addr *a)
{
	for (size_t i = 0; i < n->n_nics; i++)
		for (size_t j = 0; j < n->nics[i].n_addrs; j++)
			if (same_subnet(&n->nics[i].addrs[j], a))
				return true;
	return false;
}

/* The first address of n that passes: of the family, and in a subnet of `near` if that is given. */
static const struct graph_addr *find(const struct graph_node *n, int family,
				     const struct graph_node *near)
{
	for (size_t i = 0; i < n->n_nics; i++) {
		for (size_t j = 0; j < n->nics[i].n_addrs; j++) {
			const struct graph_addr *a = &n->nics[i].addrs[j];

			if ((!family || a->family == family) && (!near || has_subnet_of(near, a)))
				return a;
		}
	}
	return NULL;
}

static bool is_ordinary(const struct graph_node *n)
{
	bool has_cable = n->vnet < 0;

	for (size_t i = 0; i < n->n_nics; i++)
		has_cable |= n->nics[i].cable >= 0;
	return has_cable && n->kind != NODE_SUBSTRATE;
}

bool address_are_together(const struct graph_node *a, const struct graph_node *b)
{
	return (a->vnet >= 0 && a->vnet == b->vnet) || (is_ordinary(a) && is_ordinary(b));
}

const struct graph_addr *address_first(const struct graph_node *n, int family)
{
	return find(n, family, NULL);
}

const struct graph_addr *address_for(const struct graph_node *from, const struct graph_node *to,
				     int family)
{
	const struct graph_addr *a = find(to, family, from);

	return a ? a : find(to, family, NULL);
}
