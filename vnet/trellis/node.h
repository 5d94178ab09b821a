/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A node of Trellis: it says hello to its neighbours, floods link states, computes routes, and
 * forwards if it is a router. Pure: frames and time come in, frames and routes go out by callbacks.
 *
 * Hello: to the group address 03:76:6e:74:00:01, every hello_ns; payload: interval in ms (2), MTU
 * (2), transit (1), then the addresses that were heard on this link. Two nodes are neighbours when
 * each hears the other say that it hears it, until nothing was heard for three and a half
 * intervals, or the link has lost its carrier.
 *
 * Flooding: a state that is new goes to all neighbours but the one it came from, again every 500 ms
 * until it is acknowledged or outdated (payload of an acknowledgement: sequence (4), origin). A new
 * neighbour is sent all states. Each node says its own anew when its neighbours change and every
 * refresh_ns; what is older than three times that is forgotten. States and acknowledgements have
 * hop limit 1 and go to one neighbour's address each.
 */
#ifndef VNET_TRELLIS_NODE_H
#define VNET_TRELLIS_NODE_H

#include "vnet/trellis/packet.h"
#include "vnet/trellis/state.h"

enum {
	NODE_NICS_MAX = 16,
	NODE_NEIGHBOURS_MAX = 256,
	TRELLIS_ECHO_PORT = 7, /* datagrams to it are sent back by the node itself */
};

struct node_options {
	struct trellis_address address;
	bool transit;                 /* a router: others may go through it */
	int64_t hello_ns;             /* 1 s */
	int64_t refresh_ns;           /* 20 s */
	uint16_t cost[NODE_NICS_MAX]; /* of the links; 0: 10 */
};

/* Where packets for an address go; also what is in the table that applications read. */
struct trellis_route {
	struct trellis_address to;
	uint8_t nic;
	uint8_t mac[6]; /* of the next hop */
	uint16_t mtu;   /* smallest on the way: octets behind the Ethernet header */
	uint16_t hops;
	uint32_t cost;
};

struct node_neighbour {
	struct trellis_address address;
	unsigned nic;
	uint8_t mac[6];
	uint16_t mtu; /* of its side */
	int64_t heard_ns, interval_ns;
	bool hears_us; /* it is a neighbour */
	/* Sequence numbers that it has not acknowledged: per origin. */
	VEC(struct trellis_address) pending;
};

struct node_nic {
	bool there, carrier;
	uint8_t mac[6];
	uint16_t mtu;
};

/* Frames that were not passed on. */
struct node_drops {
	uint64_t damaged, no_route, hops, size, no_port, not_transit;
};

struct node {
	struct node_options options;
	struct node_nic nics[NODE_NICS_MAX];
	VEC(struct node_neighbour) neighbours;
	struct state_base base;
	VEC(struct trellis_route) routes; /* in the order of addresses */
	int64_t hello_due_ns, refresh_due_ns, flood_due_ns, spf_due_ns; /* INT64_MAX: not */
	uint64_t forwarded, spf_runs;
	struct node_drops drops;
	uint8_t buf[TRELLIS_PACKET_MAX + 14];

	void (*send)(void *ctx, unsigned nic, const uint8_t *frame, size_t len);
	void (*routes_changed)(void *ctx); /* may be NULL */
	void *ctx;
};

/* options are copied. send must be set. */
void node_init(struct node *n, const struct node_options *options, int64_t now_ns);
void node_finish(struct node *n);
/* A NIC is there, or its carrier or MTU have changed. */
void node_set_nic(struct node *n, unsigned nic, const uint8_t mac[6], uint16_t mtu, bool carrier,
		  int64_t now_ns);
/* A frame came. */
void node_receive(struct node *n, unsigned nic, const uint8_t *frame, size_t len, int64_t now_ns);
/* Does what is due; when to come back (node_due_ns). */
void node_tick(struct node *n, int64_t now_ns);
int64_t node_due_ns(const struct node *n);
/* The route to an address: to the longest prefix of it that is known, or NULL. */
const struct trellis_route *trellis_route_find(const struct trellis_route *routes, size_t n,
					       const struct trellis_address *to);

#endif
