/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A substrate interface: the end of a cable, or a UDP socket of this machine. Frames that come from
 * its wire lose their headers here, frames for its wire get them and wait in its scheduler. Which
 * substrate link and neighbour a frame belongs to is for the user (slink.c) to say.
 */
#ifndef SUBSTRATE_OVERLAY_SNIF_H
#define SUBSTRATE_OVERLAY_SNIF_H

#include "substrate/core/end.h"
#include "substrate/overlay/encapsulation.h"
#include "substrate/overlay/snode.h"
#include "substrate/overlay/udp_wire.h"

struct slink;

/* Why an interface took a frame from its wire no further. */
enum snif_drop {
	SNIF_LEGACY,       /* ordinary traffic */
	SNIF_BAD_LENGTH,   /* shorter than its headers or than it says */
	SNIF_BAD_IP,       /* a damaged IPv4 header, or a fragment */
	SNIF_NOT_FOR_US,   /* to another address */
	SNIF_UNKNOWN_LINK, /* no substrate link with that sender */
	SNIF_WRONG_VLAN,   /* one with that sender, but not with that VLAN, or not without one */
	SNIF_UNKNOWN_VLI,  /* no virtual link with that number on that substrate link */
	SNIF_SILENT,       /* the other end has not greeted us */
	SNIF_NO_MEMORY,
	SNIF_DROPS,
};

struct snif {
	struct object object;
	struct end end;
	struct snode *node;
	enum encapsulation_kind encap;
	uint8_t mac[6];
	uint32_t ip;          /* ENCAPSULATION_UDP, in host order */
	int64_t rate_bps;     /* 0: unlimited */
	struct udp_wire *udp; /* owned; instead of a cable. NULL: a cable */
	struct pacer pacer;
	struct tm_port *port;      /* owned */
	VEC(struct slink *) links; /* over it; borrowed, the user's */
	uint64_t dropped[SNIF_DROPS];
};

/* Who takes what comes in: one for all interfaces. */
struct snif_user {
	/*
	 * A frame (with its reference) for this interface: headers h, and behind them the len
	 * octets at payload, which lie within the frame.
	 */
	void (*receive)(struct snif *i, struct frame *f, const struct encapsulation *h,
			const uint8_t *payload, size_t len, int64_t now_ns);
	/* The carrier, or how long a datagram may be, has changed. */
	void (*changed)(struct snif *i, int64_t now_ns);
	/* The interface goes: what is over it goes before. */
	void (*gone)(struct snif *i);
};
extern const struct snif_user *const snif_user;

/* What the headers of a frame say beside the VLI. */
struct snif_to {
	const uint8_t *mac; /* NULL: everybody */
	uint32_t ip;        /* ENCAPSULATION_UDP, in host order */
	int vlan;           /* -1: no tag */
	uint8_t priority;   /* of the tag */
};

extern const struct object_kind snif_kind;
extern const struct snode_user snif_snode_user;

/* "snif NAME SNODE mac=MAC [encap=..] [addr=IP] [rate=RATE] | socket=ADDR". 0 or -1 with e set. */
int snif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
/*
 * Puts headers in front of a frame of one's own (with its reference) and queues it for the wire in
 * class c of the interface's pacer. False: it did not fit, or was dropped and counted by the class.
 */
bool snif_send(struct snif *i, const struct snif_to *to, uint32_t vli, struct htb_class *c,
	       struct frame *f, int64_t now_ns);
/* Counts a drop and gives the reference back; f may be NULL. */
void snif_drop(struct snif *i, struct frame *f, enum snif_drop why);

#endif
