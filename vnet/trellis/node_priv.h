/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What node.c (neighbours, flooding) and node_forward.c (packets of others) share. */
#ifndef VNET_TRELLIS_NODE_PRIV_H
#define VNET_TRELLIS_NODE_PRIV_H

#include "vnet/trellis/node.h"

/* Sends a packet of our own to a neighbour's MAC. */
void node_send_packet(struct node *n, unsigned nic, const uint8_t mac[6],
		      const struct trellis_packet *p);
/* A datagram, stream segment or error: ours, or to be passed on. */
void node_forward(struct node *n, struct trellis_packet *p);

#endif
