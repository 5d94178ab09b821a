/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * This node's end of a substrate link, with the neighbours at its other ends. What the link is for
 * (virtual links, the VBM) hangs on it as users: a link tells them what happens to it, and hands
 * them the messages of neighbours and the frames of their VLIs, but calls none of them by name.
 */
#ifndef SUBSTRATE_OVERLAY_SLINK_H
#define SUBSTRATE_OVERLAY_SLINK_H

#include "substrate/overlay/neighbour.h"
#include "substrate/overlay/snif.h"
#include "substrate/overlay/snode.h"
#include "substrate/overlay/vli.h"

struct vbm_object;
struct vlink_multi;

/* Whoever takes the frames of a VLI: a member of the struct that the number was given to. */
struct vli_taker {
	/* A frame of a virtual link (with its reference, one's own), without headers. */
	void (*take)(struct vli_taker *t, struct neighbour *from, struct frame *f, int64_t now_ns);
};

struct slink {
	struct object object;
	struct snif *snif;
	struct snode *node;
	char *link; /* owned: the word that both ends use */
	bool multi_access;
	int vlan; /* -1: none */
	uint8_t priority;
	VEC(struct neighbour *) neighbours; /* owned; point to point: exactly one */
	bool any_member;                    /* multi-access: whoever greets with the key is one */
	struct vli_table in;                /* VLI -> struct vli_taker, of what comes in */
	struct tm_lan *lan;                 /* owned; multi-access: what comes over this LAN */
	int64_t hello_ns;                   /* when the next one is due */
	uint32_t room;          /* longest frame of a virtual link; followed for changes */
	struct vbm_object *vbm; /* of this LAN, if this node holds it: slink_set_vbm(); borrowed */
	VEC(struct vlink_multi *) vlink_multis; /* multi-access; borrowed, vlink_multi.c's */
};

typedef void link_hear_fn(struct neighbour *b, const struct message *m, const struct words *w,
			  int64_t now_ns);

/* What uses links. Each member may be NULL. */
struct link_user {
	/*
	 * By type, what a neighbour asks (it is answered with conversation_answer(), now or later),
	 * and what it tells. Each type belongs to one user.
	 */
	link_hear_fn *request[MESSAGE_TYPES], *tell[MESSAGE_TYPES];
	/* Another way for a message to the node with that message_id(). False: there is none. */
	bool (*send)(const struct snode *n, uint64_t to, const uint8_t *data, size_t len);
	/* Somebody can be reached over it (again): a neighbour, or a VBM that came to this node. */
	void (*opened)(struct slink *l, int64_t now_ns);
	/* The neighbour cannot be reached any more, or has begun anew. */
	void (*lost)(struct neighbour *b, const char *why, int64_t now_ns);
	/* The VBM of the LAN can be asked (why NULL), or cannot and what it gave is void. */
	void (*vbm_changed)(struct slink *l, const char *why, int64_t now_ns);
	/* slink_room() is another. */
	void (*room_changed)(struct slink *l, int64_t now_ns);
	/* Members of an open JSON object. */
	void (*status)(struct slink *l, struct json *j);
	/* The link was removed: all that uses it goes before. */
	void (*gone)(struct slink *l, int64_t now_ns);
};
/* Ends with NULL. Called in this order, but gone() in the reverse one. */
extern const struct link_user *const link_users[];

extern const struct object_kind slink_kind;
extern const struct snode_user slink_snode_user;
extern const struct snif_user slink_snif_user;

/*
 * "slink NAME SNIF link=WORD peer=MAC|IP [vlan=N] [priority=N]", or with multi=1 [members=MAC,..]
 * instead of peer. 0, or -1 with the error set.
 */
int slink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
/* The node's end of the link of that word, or NULL. */
struct slink *slink_find(struct snode *n, const char *link);
/* The multi-access link of the LAN that an interface is plugged into, or NULL. */
struct slink *slink_of_lan(const struct snif *i);
/* Octets of the longest frame of a virtual link that fits. */
uint32_t slink_room(const struct slink *l);
/* The one neighbour of a point-to-point link. */
struct neighbour *slink_peer(const struct slink *l);
/* The neighbour of that name that is open, or NULL. */
struct neighbour *slink_find_neighbour(struct slink *l, const char *name);
/* The neighbour that holds the VBM of this LAN and is open, or NULL. */
struct neighbour *slink_vbm_neighbour(const struct slink *l);
/* Can the VBM of this LAN be asked? It may be here. */
bool slink_has_vbm(const struct slink *l);
/* This node holds the VBM of the LAN from now on, or no longer (NULL). All are told at once. */
void slink_set_vbm(struct slink *l, struct vbm_object *vbm, int64_t now_ns);
/*
 * Sends a frame of one's own (with its reference) to that neighbour, or to all (NULL), by class c
 * of the interface's pacer. False: it was dropped and counted.
 */
bool slink_send(struct slink *l, const struct neighbour *to, uint32_t vli, struct htb_class *c,
		struct frame *f, int64_t now_ns);
/*
 * Sends a message on VLI 0, to that neighbour or to all (NULL), with zeroes behind it up to size
 * octets if that is more.
 */
void slink_send_message(struct slink *l, const struct neighbour *to, const uint8_t *data,
			size_t len, size_t size, int64_t now_ns);

#endif
