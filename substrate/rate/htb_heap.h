/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A heap of nodes that are embedded in what is ordered: by key, then by number. */
#ifndef SUBSTRATE_RATE_HTB_HEAP_H
#define SUBSTRATE_RATE_HTB_HEAP_H

#include "lib/vec.h"

#include <stdint.h>

struct htb_node {
	int64_t key;
	uint32_t number; /* distinct within a heap: the order of equal keys */
	uint32_t index;  /* the heap's own, from 1; 0: not in a heap */
};

struct htb_heap {
	VEC(struct htb_node *) v; /* index 0 is not used */
};

/* Puts a node in, or moves it if it is in this heap. */
void htb_heap_put(struct htb_heap *h, struct htb_node *n, int64_t key);
/* Takes a node out, if it is in (this heap). */
void htb_heap_take(struct htb_heap *h, struct htb_node *n);
void htb_heap_finish(struct htb_heap *h);

/* The first node, or NULL. */
static inline struct htb_node *htb_heap_top(const struct htb_heap *h)
{
	return h->v.n > 1 ? h->v.at[1] : NULL;
}

#endif
