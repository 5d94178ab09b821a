/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets between end points: passed on, answered, or sent back as an error.
 *
 * The multiplexer gives a packet to the application whose filter matches; what arrives here is for
 * somebody else, or for nobody. An error goes to the sender, with as much of the packet as tells
 * him which of his it was. Errors are never answered by errors, and echoes not by echoes, or two
 * nodes could keep each other busy for ever.
 */
#include "vnet/trellis/node_priv.h"

#include <string.h>

/* Sends something of our own by the route to its destination. */
static void send_by_route(struct node *n, const struct trellis_packet *p)
{
	const struct trellis_route *r =
		trellis_route_find(n->routes.at, n->routes.n, &p->destination);

	if (r)
		node_send_packet(n, r->nic, r->mac, p);
}

static void send_error(struct node *n, const struct trellis_packet *about,
		       enum trellis_error_code code, uint16_t mtu)
{
	struct trellis_error e = {
		.code = code,
		.mtu = mtu,
		.kind = about->kind,
		.source_port = about->source_port,
		.destination_port = about->destination_port,
		.destination = about->destination,
	};
	uint8_t payload[8 + 1 + TRELLIS_ADDRESS_MAX];
	struct trellis_packet p = {
		.kind = TRELLIS_ERROR,
		.hop_limit = TRELLIS_HOPS,
		.source = n->options.address,
		.destination = about->source,
		.destination_port = about->source_port,
		.payload = payload,
	};

	if (about->kind == TRELLIS_ERROR)
		return; /* see above */
	p.len = (uint16_t)trellis_error_write(&e, payload, sizeof(payload));
	send_by_route(n, &p);
}

static void echo(struct node *n, const struct trellis_packet *p)
{
	struct trellis_packet answer = {
		.kind = TRELLIS_DATAGRAM,
		.hop_limit = TRELLIS_HOPS,
		.source = n->options.address,
		.destination = p->source,
		.source_port = TRELLIS_ECHO_PORT,
		.destination_port = p->source_port,
		.payload = p->payload,
		.len = p->len,
	};

	if (p->source_port != TRELLIS_ECHO_PORT)
		send_by_route(n, &answer);
}

/* It is for this node, and no endpoint wanted it. */
static void take(struct node *n, const struct trellis_packet *p)
{
	if (p->kind == TRELLIS_DATAGRAM && p->destination_port == TRELLIS_ECHO_PORT) {
		echo(n, p);
	} else if (p->kind != TRELLIS_ERROR) {
		n->drops.no_port++;
		send_error(n, p, TRELLIS_ERROR_PORT, 0);
	}
}

void node_forward(struct node *n, struct trellis_packet *p)
{
	if (trellis_address_equal(&p->destination, &n->options.address))
		return take(n, p);
	if (!n->options.transit) {
		n->drops.not_transit++;
		return;
	}
	const struct trellis_route *r =
		trellis_route_find(n->routes.at, n->routes.n, &p->destination);

	if (p->hop_limit <= 1) {
		n->drops.hops++;
		return send_error(n, p, TRELLIS_ERROR_HOPS, 0);
	}
	if (!r) {
		n->drops.no_route++;
		return send_error(n, p, TRELLIS_ERROR_ROUTE, 0);
	}
	size_t len = trellis_packet_overhead(&p->destination, &p->source) + p->len;

	if (len > n->nics[r->nic].mtu) {
		n->drops.size++;
		return send_error(n, p, TRELLIS_ERROR_SIZE, n->nics[r->nic].mtu);
	}
	p->hop_limit--;
	n->forwarded++;
	node_send_packet(n, r->nic, r->mac, p);
}
