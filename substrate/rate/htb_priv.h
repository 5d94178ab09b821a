/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the files of the scheduler share: htb.c (frames: queued, chosen, charged), htb_place.c (in
 * which heaps a class waits) and htb_class.c (classes and their rates).
 */
#ifndef SUBSTRATE_RATE_HTB_PRIV_H
#define SUBSTRATE_RATE_HTB_PRIV_H

#include "lib/container_of.h"
#include "substrate/rate/htb.h"
#include "substrate/rate/htb_bucket.h"
#include "substrate/rate/htb_heap.h"

enum htb_kind { HTB_CONTROL, HTB_LINK, HTB_BEST_EFFORT };

struct htb_entry {
	void *item;
	int64_t arrived_ns;
	uint32_t wire_bytes, counted_bytes;
	bool conforming; /* when it came the bucket held enough for it and all in front of it */
};

/*
 * Start-time fair queueing: who has the smallest start is next, and its next start is later by what
 * it sent, divided by its weight. In virtual microseconds, with the remainder kept, so that shares
 * are exact and the numbers last for months of a wire that never rests.
 */
struct htb_tag {
	int64_t start, remainder;
};

struct htb_vnet {
	struct htb *h;
	char *name; /* owned */
	unsigned n_classes;
	int64_t weight;        /* sum of those of its links */
	struct htb_tag tag;    /* among vNets */
	struct htb_node share; /* in htb.vnets while one of its links may borrow */
	struct htb_heap links; /* that may borrow now, by start */
	int64_t virtual_time;  /* of links */
};

struct htb_class {
	struct htb *h;
	struct htb_vnet *vnet; /* NULL: control */
	enum htb_kind kind;
	void *owner;
	struct htb_rates rates;
	uint64_t limit_bytes;

	struct {
		struct htb_entry *at; /* owned; a ring of cap (power of two) */
		uint32_t head, n, cap;
		uint64_t bytes; /* counted */
	} queue;

	struct htb_bucket min, ceil; /* links; control has min alone */
	bool conforming;             /* the frame at the head is */
	struct htb_node green;       /* in htb.conforming or htb.assured: links with a minimum */
	bool borrows;                /* it waits in vnet.links, or in htb.best_effort */
	struct htb_node share;       /* there, or in htb.throttled */
	int64_t since_ns;            /* the frame at the head could go since then, if it borrows */
	struct htb_tag tag;
	struct htb_counters count;
};

struct htb {
	struct htb_params params;
	int64_t free_ns;      /* when the wire is free */
	int64_t wire_rest;    /* of the division that gave free_ns */
	uint32_t last_number; /* of nodes */
	uint32_t waiting;     /* items in all queues */
	struct htb_class *control;
	struct htb_heap conforming; /* links, by arrival of the frame at the head */
	struct htb_heap assured;    /* links, by the time of its tokens */
	struct htb_heap throttled; /* links at their ceiling, by the time when they no longer are */
	struct htb_heap vnets;     /* by start */
	struct htb_heap best_effort;          /* classes, by start */
	int64_t vnets_time, best_effort_time; /* virtual times */
	VEC(struct htb_vnet *) all_vnets;     /* owned */
	VEC(struct htb_class *) all_classes;  /* owned; the first is control */
};

static inline struct htb_class *htb_class_of_green(struct htb_node *n)
{
	return n ? container_of(n, struct htb_class, green) : NULL;
}

static inline struct htb_class *htb_class_of_share(struct htb_node *n)
{
	return n ? container_of(n, struct htb_class, share) : NULL;
}

static inline struct htb_vnet *htb_vnet_of_share(struct htb_node *n)
{
	return n ? container_of(n, struct htb_vnet, share) : NULL;
}

static inline struct htb_entry *htb_head(struct htb_class *c)
{
	return &c->queue.at[c->queue.head];
}

/* htb.c */
/* The frame at the head of a queue that is not empty goes out of it. */
struct htb_entry htb_queue_pop(struct htb_class *c);

/* htb_place.c */
/* It competes again after it did not: what it did not use in the meantime is gone. */
void htb_tag_join(struct htb_tag *t, int64_t virtual_time);
/* It has sent so much. */
void htb_tag_advance(struct htb_tag *t, uint32_t bytes, int64_t weight);
/* Virtual time is the earliest start of all that compete; it never goes back. */
void htb_tag_follow(int64_t *virtual_time, const struct htb_heap *competing);
/* What a class weighs among those of its vNet; best effort: all vNets alike. */
int64_t htb_weight(const struct htb_class *c);
/* Puts a class where it belongs, after its queue's head, its tokens or its rates have changed. */
void htb_place(struct htb_class *c, int64_t now_ns);
/* Links whose ceiling lets them go again may borrow. */
void htb_release_throttled(struct htb *h, int64_t now_ns);

#endif
