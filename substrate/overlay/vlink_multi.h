/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A multi-access virtual link at one node: the virtual interfaces here that have joined it, and
 * where the stations of the others are.
 */
#ifndef SUBSTRATE_OVERLAY_VLINK_MULTI_H
#define SUBSTRATE_OVERLAY_VLINK_MULTI_H

#include "substrate/overlay/slink.h"
#include "substrate/overlay/vif.h"
#include "substrate/overlay/vlink_listener.h"

enum { VLINK_MULTI_STATIONS = 256 };

/* Where a station is: what an ARP of substrate addresses would say. */
struct vlink_multi_station {
	uint8_t mac[6];
	struct vif *vif;             /* here, */
	struct neighbour *neighbour; /* or there; both NULL: free */
};

/* A virtual interface that takes part: a member of its owner, who sets the first two. */
struct vlink_multi_member {
	struct vlink_listener *listener;
	struct vif *vif;          /* NULL: it went */
	struct vlink_multi *link; /* that it has joined; NULL: none (yet) */
};

struct vlink_multi {
	struct vli_taker taker; /* of vli */
	struct vif_way way;     /* of all members */
	struct slink *slink;
	char *vnet, *group; /* owned */
	uint32_t vli;       /* 0: the VBM has not given one */
	bool asking;
	char *reason;                             /* owned: why there is no VLI; NULL: none */
	VEC(struct vlink_multi_member *) members; /* here; borrowed */
	struct htb_class *class;                  /* owned */
	uint32_t room_drops, down_drops;
	uint64_t came_frames, came_bytes;
	struct vlink_multi_station stations[VLINK_MULTI_STATIONS]; /* by hash of the address */
};

extern const struct link_user vlink_multi_link_user;

/*
 * Joins the link of that vNet and group on the LAN of that word. The listener is told how it went,
 * now or later; joining again asks the VBM again.
 */
void vlink_multi_join(struct vlink_multi_member *member, const char *lan, const char *vnet,
		      const char *group, int64_t now_ns);
/* Nothing happens if it has not joined. The listener is not told. */
void vlink_multi_leave(struct vlink_multi_member *member, int64_t now_ns);

#endif
