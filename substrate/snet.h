/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The virtual networks' part of a substrate, as objects (docs/substrate.md, "Substrate control"):
 *
 *   snode   a substrate node; all others belong to one
 *   snif    a substrate interface: an end for a cable, with the translation tables of what is
 * behind it slink   this node's end of a substrate link; a neighbour per node at the other end vif
 * a virtual interface: an end for the cable from a guest's NIC vlink   one direction of a virtual
 * link, at the node where it begins
 *
 * and, without a name, a vhop: a virtual link at one node, from where it comes in to where it goes
 * out. A frame's way: vif -> vhop -> snif ~ wire ~ snif -> vhop -> snif ~ wire ~ snif -> vhop ->
 * vif.
 */
#ifndef SUBSTRATE_SNET_H
#define SUBSTRATE_SNET_H

#include "lib/words.h"
#include "substrate/end.h"
#include "substrate/sencap.h"
#include "substrate/speer.h"
#include "substrate/vli.h"

enum {
	VIF_HEADERS = 18
}; /* of a frame of a virtual link beyond its MTU: Ethernet and a VLAN tag */

struct snode;
struct snif;
struct slink;
struct vif;
struct vlink;
struct vhop;

struct snode {
	struct object object;
	struct smsg_key key;
	uint64_t instance; /* of this life of the node: the time of day at which it began, in us */
	struct event event;
	struct event_source source;
	int64_t event_ns; /* INT64_MAX: not in the calendar */
	/* All borrowed: they take themselves out. */
	VEC(struct snif *) interfaces;
	VEC(struct slink *) links;
	VEC(struct vif *) vifs;
	VEC(struct vlink *) vlinks;
	VEC(struct vhop *) hops;
};

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
	enum sencap_kind encap;
	uint8_t mac[6];
	uint32_t ip;      /* SENCAP_UDP */
	int64_t rate_bps; /* 0: unlimited */
	VEC(struct slink *) links;
	uint64_t dropped[SNIF_DROPS];
};

/* The node at the other end of a substrate link; one of several on a multi-access link. */
struct neighbour {
	struct slink *slink;
	struct speer speer;
	char *name; /* owned; NULL: not heard of yet */
	uint8_t mac[6];
	bool mac_known;    /* UDP: learnt from the first hello */
	uint32_t ip;       /* UDP */
	uint8_t sender[6]; /* of the frame that is being read */
	uint64_t instance; /* 0: not heard */
	int64_t silent_ns; /* when it counts as lost, if nothing more comes */
	bool lost;         /* it was there before */
	const char *why;   /* static: why it is not open */
};

struct slink {
	struct object object;
	struct snif *snif;
	struct snode *node;
	char *link; /* owned: the word that both ends use */
	bool multi;
	int vlan; /* -1: none */
	uint8_t priority;
	VEC(struct neighbour *) neighbours; /* owned; point to point: exactly one */
	struct vli_table in;                /* VLI -> vhop, of what comes in */
	int64_t hello_ns;                   /* when the next one is due */
	uint32_t room; /* longest frame of a virtual link; followed for changes */
};

struct vif {
	struct object object;
	struct end end;
	struct snode *node;
	char *vnet; /* owned */
	uint32_t mtu;
	struct vhop *out; /* the virtual link that begins here */
	uint64_t no_link, too_long;
};

/* Why a virtual link lost a frame at a node. */
enum vhop_drop {
	VHOP_TOO_LONG, /* does not fit the substrate link */
	VHOP_DOWN,     /* the link is not set up (yet, or any more) */
	VHOP_NO_MEMORY,
	VHOP_DROPS,
};

struct vhop {
	struct snode *node;
	char *vlink, *vnet; /* owned */
	uint32_t try;       /* which attempt to set it up */
	struct slink *in;   /* NULL: it begins here */
	uint32_t in_vli;
	struct slink *out; /* NULL: it ends here */
	uint32_t out_vli;  /* 0: not known yet */
	struct vif *from, *to;
	struct vlink *origin; /* where it begins */
	char *path, *to_name; /* owned: what is behind the next link, and where it ends */
	int64_t min_bps, max_bps;
	uint32_t room;         /* longest frame that passes from here to the end */
	uint32_t room_further; /* the same from the next node on */
	bool up;
	uint32_t asked; /* the request of the node before that waits for our answer; 0: none */
	uint64_t offered_frames, offered_bytes, carried_frames, carried_bytes;
	uint64_t came_frames, came_bytes;
	uint64_t dropped[VHOP_DROPS];
};

struct vlink {
	struct object object;
	struct snode *node;
	struct vif *vif;        /* NULL: it went */
	char *vnet, *path, *to; /* owned */
	int64_t min_bps, max_bps;
	uint32_t try;
	struct vhop *hop; /* NULL: not set up */
	int64_t retry_ns; /* when to try (again); INT64_MAX: not */
	int64_t wait_ns;  /* before the next try */
	char *reason;     /* owned: why it is down; NULL: it is up, or was not tried yet */
};

/* Commands of the control protocol. 0, or -1 with the error set. */
int snode_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int snif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int slink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vif_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vlink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);

/* snode.c */
extern const struct object_kind snode_kind, snif_kind, slink_kind, vif_kind, vlink_kind;
/* The object of that name and kind, or NULL with the error set. */
struct object *snet_find(struct substrate *s, const char *name, const struct object_kind *kind,
			 struct err *e);
/* A rate of the words, or 0 if there is none. 0, or -1 with the error set. */
int snet_read_rate(const struct words *w, const char *key, int64_t *rate_bps, struct err *e);
/* Something may be due sooner than before. */
void snode_wake(struct snode *n, int64_t now_ns);

/* snif.c */
/* Puts a frame of one's own on the wire, to that neighbour. False: it did not fit (f is gone). */
bool snif_send(struct snif *i, const struct slink *l, const struct neighbour *to, uint32_t vli,
	       struct frame *f, int64_t now_ns);

/* slink.c */
struct slink *slink_find(struct snode *n, const char *link);
/* Octets of the longest frame of a virtual link that fits. */
uint32_t slink_room(const struct slink *l);
bool neighbour_is_open(const struct neighbour *b);
/* A message for VLI 0 came. */
void neighbour_receive(struct neighbour *b, const uint8_t sender[6], const uint8_t *data,
		       size_t len, int64_t now_ns);
int64_t slink_due_ns(const struct slink *l);
void slink_tick(struct slink *l, int64_t now_ns);

/* vhop.c */
/* A request about a virtual link: setup, release, failed, mtu. */
void vhop_hear(struct neighbour *b, const struct smsg *m, const struct words *w, int64_t now_ns);
/* One where it begins. The answer comes by vlink_is_up() or vlink_is_down(). */
struct vhop *vhop_begin(struct vlink *v, int64_t now_ns);
/* It goes, and so does what is further on. */
void vhop_release(struct vhop *h, int64_t now_ns);
/* All that goes in or out by that neighbour is lost. */
void vhop_neighbour_lost(struct neighbour *b, const char *why, int64_t now_ns);
/* All that begins or ends at that interface. */
void vhop_vif_gone(struct vif *v, int64_t now_ns);
/* The room on a substrate link has changed. */
void vhop_room_changed(struct slink *l, int64_t now_ns);
/* Members of an open JSON object: its counters; the virtual links on a substrate link. */
void vhop_status(const struct vhop *h, struct json *j);
void vhop_slink_status(struct slink *l, struct json *j);
/* A frame (with its reference, one's own) of the virtual link goes on from here. */
void vhop_forward(struct vhop *h, struct frame *f, int64_t now_ns);

/* vlink.c */
void vlink_is_up(struct vlink *v, int64_t now_ns);
/* hop is gone already; it will be tried again. */
void vlink_is_down(struct vlink *v, const char *reason, int64_t now_ns);
/* The room of the link has changed. */
void vlink_tell_mtu(struct vlink *v, int64_t now_ns);
int64_t vlink_due_ns(const struct vlink *v);
void vlink_tick(struct vlink *v, int64_t now_ns);
/* A neighbour can be reached (again): no need to wait. */
void vlink_hurry(struct snode *n, int64_t now_ns);

/* vif.c */
/* A frame (with its reference) for the guest. */
void vif_receive(struct vif *v, struct frame *f, int64_t now_ns);

#endif
