/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done when the script is through: names, addresses, checks of the whole network. */
#ifndef TOPO_CHECK_H
#define TOPO_CHECK_H

#include "topo/eval.h"

/* What an earlier run gave to NICs, by their number; family 0: nothing. */
struct kept_addrs {
	const struct graph_addr *at;
	size_t n;
};

/*
 * Names what has no name, gives out addresses, and checks everything. A script that is still being
 * typed (is_live) may have loose ends. What is wrong goes into ev->diag.
 */
void check_world(struct eval *ev, const struct kept_addrs *kept, bool is_live);
/* "eth0" or "1". */
const char *check_nic_name(struct arena *a, const struct world_nic *nic);

#endif
