/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The IP/UDP encapsulation over real sockets: a substrate interface whose wire is the network of
 * the machine. One connected socket per neighbour, so that the kernel finds the path's MTU for each
 * (RFC 1191; nothing is fragmented), and one that hears all others. Real clock only.
 */
#ifndef SUBSTRATE_SUDP_H
#define SUBSTRATE_SUDP_H

#include "lib/err.h"
#include "substrate/core/substrate.h"

#include <netinet/in.h>

struct sudp;      /* of an interface */
struct sudp_path; /* to one neighbour */

struct sudp_ops {
	/* A datagram came from that address (host order): VLI and frame (with its reference). */
	void (*receive)(void *owner, uint32_t from_ip, struct frame *f, int64_t now_ns);
	/* The MTU of a path may have changed. */
	void (*mtu_changed)(void *owner, int64_t now_ns);
};

/* text: "ADDR" or "ADDR:PORT" of this machine; owner is handed to ops. NULL with the error set. */
struct sudp *sudp_create(struct substrate *s, const char *text, const struct sudp_ops *ops,
			 void *owner, struct err *e);
/* All paths must have been destroyed. NULL is fine. */
void sudp_destroy(struct sudp *u);
/* The address that it has, in host order. */
uint32_t sudp_ip(const struct sudp *u);
/* A path to the node at that address, at the same port. NULL with the error set. */
struct sudp_path *sudp_path_create(struct sudp *u, uint32_t ip, struct err *e);
void sudp_path_destroy(struct sudp_path *p);
/*
 * Sends len octets, VLI and frame. False: it does not fit the path, or the socket just now, or
 * cannot reach the other, and was counted.
 */
bool sudp_send(struct sudp_path *p, const uint8_t *data, size_t len, int64_t now_ns);
/* Of the path, as far as it is known: octets of an IP packet. */
uint32_t sudp_mtu(const struct sudp_path *p);
/* Members of an open JSON object. */
void sudp_status(const struct sudp_path *p, struct json *j);

#endif
