/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A virtual interface: the end of the cable from a guest's NIC. One virtual link begins at it. */
#ifndef SUBSTRATE_OVERLAY_VIF_H
#define SUBSTRATE_OVERLAY_VIF_H

#include "substrate/core/end.h"
#include "substrate/overlay/snode.h"

enum { VIF_HEADERS = 18 }; /* of a frame of a virtual link beyond its MTU: Ethernet, a VLAN tag */

/* The virtual link that begins at an interface: a member of what carries it. */
struct vif_way {
	const struct vif_way_kind *kind;
};

struct vif_way_kind {
	/* Takes a frame (with its reference; others may have one, too) of the interface's guest. */
	void (*send)(struct vif_way *w, struct vif *from, struct frame *f, int64_t now_ns);
	/* Members of an open JSON object: which link it is. */
	void (*status)(const struct vif_way *w, struct json *j);
};

struct vif {
	struct object object;
	struct end end;
	struct snode *node;
	char *vnet;          /* owned */
	uint32_t mtu;        /* octets of a packet of the guest's */
	struct vif_way *way; /* borrowed; NULL: no link begins here now */
	uint64_t no_link, too_long;
};

/* Who wants to know that an interface was removed. */
struct vif_user {
	void (*gone)(struct vif *v, int64_t now_ns);
};
/* Ends with NULL. */
extern const struct vif_user *const vif_users[];

extern const struct object_kind vif_kind;
extern const struct snode_user vif_snode_user;

/* "vif NAME SNODE vnet=VNET [mtu=N]". 0, or -1 with the error set. */
int vif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
/* A frame (with its reference) for the guest. */
void vif_receive(struct vif *v, struct frame *f, int64_t now_ns);

#endif
