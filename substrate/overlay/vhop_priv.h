/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of a hop share: vhop.c (the hop, its frames, and why it ends), vhop_setup.c (how
 * it is set up, hop by hop) and vhop_rate.c (its rate, by the traffic manager).
 */
#ifndef SUBSTRATE_OVERLAY_VHOP_PRIV_H
#define SUBSTRATE_OVERLAY_VHOP_PRIV_H

#include "substrate/overlay/vhop.h"

/* vhop.c */
struct vhop *vhop_create(struct snode *n, const char *vlink, const char *vnet);
void vhop_destroy(struct vhop *h, int64_t now_ns);
/* The one that comes by that link (NULL: begins here). */
struct vhop *vhop_find(struct snode *n, const char *vlink, const struct slink *in);
/* The one that leaves by b, in the try that the words say. */
struct vhop *vhop_find_leaving(struct neighbour *b, const struct words *w);
/* What passes from here on has changed: whoever is before learns it. */
void vhop_set_room(struct vhop *h, uint32_t room, int64_t now_ns);

/* vhop_setup.c */
/* Numbers of messages: 0 if the word is missing or no such number. */
uint32_t vhop_get_u32(const struct words *w, const char *key);
int64_t vhop_get_rate(const struct words *w, const char *key);
/* Writes the words that name a hop between two nodes: "vlink= try=". */
void vhop_put_name(FILE *f, const struct vhop *h);
/* Sends "vlink= try=" about h, or that and "key=value"; what the answer is does not matter. */
void vhop_say(struct neighbour *b, enum message_type type, const struct vhop *h, int64_t now_ns);
void vhop_say_word(struct neighbour *b, enum message_type type, const struct vhop *h,
		   const char *key, const char *value, int64_t now_ns);
/* It cannot be (any more) from here on: whoever is before this node learns why. h is gone then. */
void vhop_fail(struct vhop *h, const char *reason, int64_t now_ns);
link_hear_fn vhop_hear_setup, vhop_hear_release, vhop_hear_failed, vhop_hear_mtu;

/* vhop_rate.c */
/* Asks the traffic manager of this node. NULL, or why that cannot be now (static). */
const char *vhop_ask_tm(struct vhop *h, int64_t now_ns);
link_hear_fn vhop_hear_rate;

#endif
