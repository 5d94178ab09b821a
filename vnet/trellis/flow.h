/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Flows: who has which port, or connection, of a node. The control daemon's name space, and the
 * packet filters that say the same to the multiplexer. Pure.
 */
#ifndef VNET_TRELLIS_FLOW_H
#define VNET_TRELLIS_FLOW_H

#include "lib/vec.h"
#include "vnet/trellis/packet.h"

enum { FLOW_PORT_FIRST = 32768 }; /* ports that are given out begin here */

enum flow_kind {
	FLOW_DATAGRAM, /* datagrams to a port */
	FLOW_LISTENER, /* stream segments to a port that belong to no connection */
	FLOW_CONNECTION,
};

struct flow {
	unsigned id; /* never used twice */
	enum flow_kind kind;
	uint16_t port;
	struct trellis_address peer; /* of a connection */
	uint16_t peer_port;
	unsigned owner; /* which application; 0: it has gone */
};

struct flow_table {
	struct trellis_address self;
	VEC(struct flow) flows;
	unsigned last_id;
	uint16_t next_port;
};

/* Takes a port (0: any) for datagrams or a listener. NULL: it is taken, or there are none. */
struct flow *flow_open(struct flow_table *t, enum flow_kind kind, uint16_t port, unsigned owner);
/* A connection from a port of its own (port 0), or from `owner`'s listening port. NULL: not his
 * port, or it exists. */
struct flow *flow_connect(struct flow_table *t, uint16_t port, const struct trellis_address *peer,
			  uint16_t peer_port, unsigned owner);
void flow_close(struct flow_table *t, unsigned id);
/* The next flow of an application, or NULL. */
struct flow *flow_of(struct flow_table *t, unsigned owner);
void flow_finish(struct flow_table *t);

/* Filters, malloc'ed: what the endpoint of a flow gets, and what it may send. */
char *flow_filter_in(const struct flow_table *t, const struct flow *f);
char *flow_filter_out(const struct flow_table *t, const struct flow *f);
/* Connections come before listeners. */
int flow_priority(const struct flow *f);

#endif
