/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Embedding: finds places on substrate nodes for virtual nodes that have none, and ways over
 * substrate links for virtual links, so that every minimum rate is satisfied. Pure: the same input
 * gives the same answer. Everything is named by its index.
 *
 * Best is what has, first, the fewest revisits (two routers of one virtual network on one substrate
 * node; only what was chosen here counts), then the least sum over virtual links of hops times the
 * minimum rates of both directions, then what comes first in the order of the input. The search is
 * branch and bound. It ends after max_steps steps with the best that it found until then.
 */
#ifndef TOPO_EMBED_H
#define TOPO_EMBED_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	EMBED_MAX_NODES = 1000,   /* substrate nodes */
	EMBED_MAX_STEPS = 500000, /* of the search, unless the input says otherwise */
	EMBED_MAX_WAYS = 16,      /* that are tried for a virtual link, the shortest first */
};

struct embed_node {
	int room; /* virtual nodes that it holds at most; -1: any number */
};

/* A substrate interface: what leaves and enters it is limited. */
struct embed_port {
	int64_t out_bps, in_bps; /* 0: without limit */
};

/* A point-to-point substrate link. */
struct embed_link {
	int node[2];
	int port[2]; /* at node[0], at node[1] */
	int lan;     /* that it crosses, or -1 */
};

/* All links that cross a LAN share its rate, in both directions together. */
struct embed_lan {
	int64_t rate_bps;
};

struct embed_vnet {
	int64_t share_ppm; /* of the rate of every LAN */
};

struct embed_vnode {
	int vnet;
	int place;          /* a substrate node, or -1: to be chosen */
	bool is_router;     /* see above: revisits */
	const uint8_t *may; /* by substrate node: true if it may be there; NULL: anywhere */
};

/* Where a virtual link must pass. */
struct embed_stop {
	bool is_link;
	int index; /* of a link or a node */
};

struct embed_vlink {
	int end[2]; /* virtual nodes */
	int vnet;
	int64_t min_bps[2];           /* from end[0] to end[1], and back */
	const struct embed_stop *via; /* in this order, perhaps with others between */
	size_t n_via;
};

struct embed_input {
	const struct embed_node *nodes;
	const struct embed_port *ports;
	const struct embed_link *links;
	const struct embed_lan *lans;
	const struct embed_vnet *vnets;
	const struct embed_vnode *vnodes;
	const struct embed_vlink *vlinks;
	size_t n_nodes, n_ports, n_links, n_lans, n_vnets, n_vnodes, n_vlinks;
	size_t max_steps; /* 0: EMBED_MAX_STEPS */
};

struct embed_way {
	int *links; /* from end[0] to end[1]; none if both are in one place */
	size_t n_links;
};

struct embed_result {
	int *places;            /* by virtual node */
	struct embed_way *ways; /* by virtual link */
	unsigned revisits;      /* among the places that were chosen */
	uint64_t cost;          /* sum of hops times (kbit/s + 1) */
	bool is_best;           /* false: there may be a better one, the search was too long */
};

enum embed_why {
	EMBED_NO_PLACE,    /* vnode: no substrate node may hold it, or those that may are full */
	EMBED_NO_WAY,      /* vlink: nothing joins the two, by way of what `via` names */
	EMBED_SHORT_LINK,  /* vlink: `link` is short of rate, from `node` on */
	EMBED_SHORT_LAN,   /* vlink: the LAN that `link` crosses is */
	EMBED_SHORT_SHARE, /* vlink: the share of its network in that LAN is */
};

/* Of the attempt that came furthest. Indices that do not belong to the reason are -1. */
struct embed_failure {
	enum embed_why why;
	int vnode, vlink;
	int from, to; /* vlink: the places of its ends */
	int link, node, lan;
	int64_t want_bps, left_bps, total_bps; /* what it needs, what is left, of how much */
	bool gave_up; /* the search was too long: there may be a solution */
};

/* 0 with the result in the arena, or -1 with the reason. */
int embed_run(struct arena *a, const struct embed_input *in, struct embed_result *out,
	      struct embed_failure *why);

#endif
