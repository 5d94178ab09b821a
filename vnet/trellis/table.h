/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the daemon exports to applications, read-only: the head, then n_routes of struct
 * trellis_route. */
#ifndef VNET_TRELLIS_TABLE_H
#define VNET_TRELLIS_TABLE_H

#include "vnet/trellis/node.h"

struct trellis_table {
	struct trellis_address self;
	uint8_t mac[NODE_NICS_MAX][6];
	uint16_t mtu[NODE_NICS_MAX];
	uint32_t n_routes;
};

enum {
	TRELLIS_TABLE_MAX =
		sizeof(struct trellis_table) + STATE_NODES_MAX * sizeof(struct trellis_route)
};

#endif
