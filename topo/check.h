/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done when the script is through: names, addresses, checks of the whole network. */
#ifndef TOPO_CHECK_H
#define TOPO_CHECK_H

#include "topo/eval.h"

/* A way that an earlier run chose for a virtual link: numbers of substrate links. */
struct kept_way {
	const size_t *slinks;
	size_t n;
	bool is_set;
};

/* What an earlier run chose, by the numbers of NICs, nodes and virtual links. */
struct kept {
	const struct addr *addrs; /* family 0: none */
	size_t n_addrs;
	const size_t *places; /* numbers of substrate nodes; SIZE_MAX: none */
	size_t n_places;
	const struct kept_way *ways;
	size_t n_ways;
};

/*
 * Names what has no name, gives out addresses, and checks everything. A script that is still being
 * typed (is_live) may have loose ends. What is wrong goes into ev->diag.
 */
void check_world(struct eval *ev, const struct kept *kept, bool is_live);
/* check_substrate.c: names what is virtual and has none; cables of substrate links before. */
void check_substrate_names(struct eval *ev, bool cables_have_names);
/*
 * Substrate links, virtual networks and virtual links, when segments and names are known: finds
 * places and ways, and fills in rates and MTUs.
 */
void check_substrate(struct eval *ev, const struct kept *kept);
/* check_embedding.c: the places and ways that are missing. False after an error. */
bool check_embedding(struct eval *ev, const struct kept *kept);
/* The first free one of NAME1, NAME2, ... from `number` on; in the arena. */
const char *check_free_name(struct eval *ev, const char *base, size_t number);
/* "FILE:LINE" of where something was written; in the arena. */
const char *check_where(struct eval *ev, struct loc loc);
/*
 * To which network the address of a NIC belongs: addresses are unique in each. NULL: to none of the
 * virtual ones.
 */
const struct world_vnet *check_realm(const struct world_nic *nic);
/* "eth0" or "1". */
const char *check_nic_name(struct arena *a, const struct world_nic *nic);

#endif
