/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an earlier run of the script chose, in a lab that runs: it stays, as long as it is possible.
 * Things are known by their numbers, the order in which the script makes them.
 */
#ifndef TOPO_KEPT_H
#define TOPO_KEPT_H

#include "lib/addr.h"

/* A way that was chosen for a virtual link: numbers of substrate links. */
struct kept_way {
	const size_t *slinks;
	size_t n;
	bool is_set;
};

/* By the numbers of NICs, nodes and virtual links. */
struct kept {
	const struct addr *addrs; /* family 0: none */
	size_t n_addrs;
	const size_t *places; /* numbers of substrate nodes; SIZE_MAX: none */
	size_t n_places;
	const struct kept_way *ways;
	size_t n_ways;
};

#endif
