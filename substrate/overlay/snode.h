/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A substrate node: what all that lives at it shares. That is the key that authenticates messages,
 * the number of this life of the node, its one event in the calendar, its traffic manager (tm.h),
 * and lists of who is there. README.md has the map of the objects.
 *
 * The node calls none of its residents by name: each file that keeps something at a node fills in a
 * struct snode_user, and overlay.c lists them.
 */
#ifndef SUBSTRATE_OVERLAY_SNODE_H
#define SUBSTRATE_OVERLAY_SNODE_H

#include "lib/vec.h"
#include "lib/words.h"
#include "substrate/core/pacer.h"
#include "substrate/core/substrate.h"
#include "substrate/overlay/message.h"
#include "substrate/rate/tm.h"

struct manager;
struct slink;
struct snif;
struct vhop;
struct vif;
struct vlink;

struct snode {
	struct object object;
	struct message_key key;
	uint64_t instance; /* of this life of the node: the time of day at which it began, in us */
	struct event event;
	struct event_source source;
	int64_t event_ns;   /* INT64_MAX: not in the calendar */
	struct tm *tm;      /* owned */
	struct pacer local; /* of virtual links that never leave the node */
	/* All borrowed: they put themselves in and take themselves out. */
	VEC(struct snif *) interfaces;
	VEC(struct slink *) links;
	VEC(struct vif *) vifs;
	VEC(struct vlink *) vlinks;
	VEC(struct vhop *) hops;
	VEC(struct manager *) managers;
};

/* What a node asks of those who keep something at it. Each member may be NULL. */
struct snode_user {
	/* The node is new. */
	void (*born)(struct snode *n);
	/* When tick() wants to be called; INT64_MAX: not. */
	int64_t (*due_ns)(const struct snode *n);
	/* Does what is due by now; called at other times, too. */
	void (*tick)(struct snode *n, int64_t now_ns);
	/* Carries out what the traffic manager wants done. */
	void (*settle)(struct snode *n, int64_t now_ns);
	/* Members of an open JSON object. */
	void (*status)(const struct snode *n, struct json *j);
	/* The node goes: all that is kept at it goes before. */
	void (*gone)(struct snode *n);
};
/* Ends with NULL. Called in this order, but gone() in the reverse one. */
extern const struct snode_user *const snode_users[];

extern const struct object_kind snode_kind;

/*
 * "snode NAME [key=HEX] [measure=TIME] [idle=TIME] [raise_above=SHARE] [lower_below=SHARE]"; the
 * last four can be set. 0, or -1 with the error set.
 */
int snode_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
/* Something may be due sooner (or later) than before: sets the node's event anew. */
void snode_wake(struct snode *n, int64_t now_ns);
/* The traffic manager was told something: what it decided is carried out. Wakes the node, too. */
void snode_settle(struct snode *n, int64_t now_ns);

#endif
