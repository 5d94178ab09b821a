/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The node at the other end of a substrate link: one of several on a multi-access link. */
#ifndef SUBSTRATE_OVERLAY_NEIGHBOUR_H
#define SUBSTRATE_OVERLAY_NEIGHBOUR_H

#include "lib/json.h"
#include "substrate/overlay/conversation.h"
#include "substrate/overlay/udp_wire.h"

struct slink;

struct neighbour {
	struct slink *slink;
	struct conversation conversation;
	char *name; /* owned; NULL: not heard of yet */
	uint8_t mac[6];
	bool mac_known;             /* UDP: learnt from the first hello */
	uint32_t ip;                /* UDP, in host order */
	struct udp_wire_path *path; /* owned; NULL: there is a cable */
	uint32_t pad;               /* octets that the message being sent is filled up to */
	uint8_t sender[6];          /* of the frame that is being read */
	uint64_t instance;          /* 0: not heard */
	int64_t silent_ns;          /* when it counts as lost, if nothing more comes */
	bool lost;                  /* it was there before */
	bool has_vbm;               /* of this link */
	const char *why;            /* static: why it is not open */
};

/* Each hears the other's present life: requests may be sent, and frames pass. */
bool neighbour_is_open(const struct neighbour *b);
/* A message for VLI 0 came from that address, or one over a stream (sender NULL). */
void neighbour_receive(struct neighbour *b, const uint8_t sender[6], const uint8_t *data,
		       size_t len, int64_t now_ns);

/* For slink.c: */
/* One more, owned by the link, that was not heard yet. */
struct neighbour *neighbour_add(struct slink *l);
/* Requests under way end; the caller takes it out of the link's list. */
void neighbour_destroy(struct neighbour *b, int64_t now_ns);
/* Says hello. */
void neighbour_greet(struct neighbour *b, int64_t now_ns);
/*
 * A hello as long as the path is believed to allow: a router that cannot pass it says so to our
 * kernel, and the virtual links are told before a guest's frame is lost.
 */
void neighbour_probe(struct neighbour *b, int64_t now_ns);
/* When neighbour_tick() wants to be called; INT64_MAX: not. */
int64_t neighbour_due_ns(const struct neighbour *b);
void neighbour_tick(struct neighbour *b, int64_t now_ns);
/* An element of an open JSON array. */
void neighbour_status(const struct neighbour *b, struct json *j);

#endif
