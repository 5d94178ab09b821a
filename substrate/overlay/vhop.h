/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A virtual link at one node, from where it comes in (a substrate link, or the virtual interface
 * where it begins) to where it goes out (a substrate link, or the virtual interface where it ends).
 */
#ifndef SUBSTRATE_OVERLAY_VHOP_H
#define SUBSTRATE_OVERLAY_VHOP_H

#include "substrate/overlay/slink.h"
#include "substrate/overlay/vif.h"
#include "substrate/overlay/vlink_listener.h"

/* Why a virtual link lost a frame at a node. */
enum vhop_drop {
	VHOP_TOO_LONG, /* does not fit the substrate link */
	VHOP_DOWN,     /* the link is not set up (yet, or any more) */
	VHOP_NO_MEMORY,
	VHOP_DROPS,
};

struct vhop {
	struct vli_taker taker; /* of in_vli */
	struct vif_way way;     /* of from */
	struct snode *node;
	char *vlink, *vnet; /* owned */
	uint32_t try;       /* which attempt to set it up */
	struct slink *in;   /* NULL: it begins here */
	uint32_t in_vli;
	struct slink *out; /* NULL: it ends here */
	uint32_t out_vli;  /* 0: not known yet */
	struct vif *from, *to;
	struct vlink_listener *listener; /* where it begins; else NULL */
	struct vhop **place;             /* where it begins: the owner's pointer to it */
	char *path, *to_name;     /* owned: what is behind the next link, and where it ends */
	int64_t min_bps, max_bps; /* max 0: none */
	uint32_t room;            /* octets of the longest frame that passes from here to the end */
	uint32_t room_further;    /* the same from the next node on */
	bool up;
	uint32_t asked;     /* the request of the node before that waits for our answer; 0: none */
	struct tm_link *tm; /* owned; NULL: not yet */
	/* Owned; where frames wait. NULL: they leave at once (it ends here). */
	struct htb_class *class;
	struct pacer *pacer; /* of class */
	int64_t rate_bps;    /* current */
	uint64_t came_frames, came_bytes;
	uint64_t dropped[VHOP_DROPS];
};

/* What a virtual link that begins here is to be; all is copied but for the pointers to structs. */
struct vhop_spec {
	const char *vlink, *vnet;
	const char *path; /* words of substrate links, "a,b"; "": it ends at this node */
	const char *to;   /* the virtual interface where it ends */
	uint32_t try;     /* higher than any before of that vlink */
	int64_t min_bps, max_bps;
	struct vif *from;
	struct vlink_listener *listener;
};

extern const struct snode_user vhop_snode_user;
extern const struct link_user vhop_link_user;
extern const struct vif_user vhop_vif_user;

/*
 * Sets one up, hop by hop. *place is it until it goes, then NULL: it may have gone by the return.
 * How it goes on, the listener is told.
 */
void vhop_begin(const struct vhop_spec *spec, struct vhop **place, int64_t now_ns);
/* It goes, and so does what is further on. */
void vhop_release(struct vhop *h, int64_t now_ns);
/* Another maximum has been said (0: none): shown here and further on. */
void vhop_set_max(struct vhop *h, int64_t max_bps, int64_t now_ns);
/* Members of an open JSON object: its rates and counters. */
void vhop_status(const struct vhop *h, struct json *j);

/* For admission.c: what the node's traffic manager has decided of it. */
/* Its minimum is reserved here: the next node is asked. */
void vhop_admitted(struct vhop *h, int64_t now_ns);
/* It is not, or no longer. h goes. */
void vhop_refused(struct vhop *h, const char *reason, int64_t now_ns);
/* A larger minimum was refused somewhere. */
void vhop_min_kept(struct vhop *h, const char *reason, int64_t now_ns);
void vhop_set_rate(struct vhop *h, int64_t min_bps, int64_t rate_bps, int64_t now_ns);
/* Tells the next node (else the one before) something about it: words. */
void vhop_tell(struct vhop *h, bool next, enum message_type type, const char *words,
	       int64_t now_ns);

#endif
