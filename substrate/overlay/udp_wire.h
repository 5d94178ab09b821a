/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The IP/UDP encapsulation over real sockets: a substrate interface whose wire is the network of
 * the machine. One connected socket per neighbour, so that the kernel finds the path's MTU for each
 * (RFC 1191; nothing is fragmented), and one that hears all others. Real clock only.
 */
#ifndef SUBSTRATE_OVERLAY_UDP_WIRE_H
#define SUBSTRATE_OVERLAY_UDP_WIRE_H

#include "lib/err.h"
#include "substrate/core/substrate.h"

#include <netinet/in.h>

struct udp_wire;      /* of an interface */
struct udp_wire_path; /* to one neighbour */

struct udp_wire_ops {
	/* A datagram came from that address (host order): VLI and frame (with its reference). */
	void (*receive)(void *owner, uint32_t from_ip, struct frame *f, int64_t now_ns);
	/* The MTU of a path may have changed. */
	void (*mtu_changed)(void *owner, int64_t now_ns);
};

/* text: "ADDR" or "ADDR:PORT" of this machine; owner is handed to ops. NULL with the error set. */
struct udp_wire *udp_wire_create(struct substrate *s, const char *text,
				 const struct udp_wire_ops *ops, void *owner, struct err *e);
/* All paths must have been destroyed. NULL is fine. */
void udp_wire_destroy(struct udp_wire *u);
/* The address that it has, in host order. */
uint32_t udp_wire_ip(const struct udp_wire *u);
/* A path to the node at that address, at the same port. NULL with the error set. */
struct udp_wire_path *udp_wire_path_create(struct udp_wire *u, uint32_t ip, struct err *e);
void udp_wire_path_destroy(struct udp_wire_path *p);
/*
 * Sends len octets, VLI and frame, to the node at that address. False: there is no path to it, or
 * it does not fit the path, or the socket just now, or cannot reach the other, and was counted.
 */
bool udp_wire_send(struct udp_wire *u, uint32_t ip, const uint8_t *data, size_t len,
		   int64_t now_ns);
/* Of the path, as far as it is known: octets of an IP packet. */
uint32_t udp_wire_mtu(const struct udp_wire_path *p);
/* Members of an open JSON object. */
void udp_wire_status(const struct udp_wire_path *p, struct json *j);

#endif
