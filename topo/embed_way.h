/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The substrate while virtual links are being laid over it: what is used, which ways are left. */
#ifndef TOPO_EMBED_WAY_H
#define TOPO_EMBED_WAY_H

#include "topo/embed.h"

/* What is used of the substrate. */
struct embed_load {
	int64_t *out_bps, *in_bps; /* by port */
	int64_t *lan_bps;          /* by LAN */
	int64_t *share_bps;        /* by LAN and vNet: [lan * n_vnets + vnet] */
};

/* On the way of a virtual link: a node, and how many stops of `via` are behind. */
struct embed_place {
	int node;
	size_t stops;
};

struct embed_net {
	struct arena *arena;
	const struct embed_input *in;
	struct embed_load load;
	size_t *first; /* by node, into `at`: its links, in the order of the input */
	int *at;
	uint16_t **hops; /* by node: hops to all others, or NULL: not yet needed */
	size_t steps;    /* done so far */
	/* Room for one search, used again by the next. */
	uint16_t *left;
	struct embed_place *queue;
	uint8_t *usable; /* by link and the end where it is entered */
	uint8_t *seen;   /* by node */
	int *stack;
};

enum { EMBED_FAR = UINT16_MAX };

void embed_net_init(struct embed_net *net, struct arena *a, const struct embed_input *in);
/* Hops between two nodes if rates did not matter; EMBED_FAR: none. */
unsigned embed_net_hops(struct embed_net *net, int from, int to);
/* Takes (sign 1) or gives back (-1) the minima of a virtual link on its way from `from`. */
void embed_net_use(struct embed_net *net, const struct embed_vlink *v, int from,
		   const struct embed_way *way, int sign);
/*
 * Up to EMBED_MAX_WAYS ways that have room for the virtual link, the shortest first, alike ones in
 * the order of their links. They are in the arena. Returns their number.
 */
size_t embed_net_ways(struct embed_net *net, const struct embed_vlink *v, int from, int to,
		      struct embed_way *ways);
/* There is no way: says what the one that lacks least is short of. */
void embed_net_explain(struct embed_net *net, const struct embed_vlink *v, int from, int to,
		       struct embed_failure *why);

#endif
