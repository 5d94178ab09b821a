/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. dequeue() must find the next frame without looking at every class, so each class waits in
 * the heap in which its turn can be read off the top:
 *
 *   htb.conforming   links whose frame at the head conforms, by its arrival
 *   htb.assured      other links with a minimum, by the time from which its tokens suffice
 *   htb.throttled    links at their ceiling, by the time when they no longer are
 *   vnet.links       links below their ceiling, by start tag; htb.vnets their vNets, likewise
 *   htb.best_effort  by start tag
 *
 * A link waits in one of the first two and in one of the next two at the same time, with two nodes:
 * "green" for its minimum, "share" for what it borrows.
 */
#include "substrate/rate/htb_priv.h"

/* ---- start tags -------------------------------------------------------------------------- */

void htb_tag_join(struct htb_tag *t, int64_t virtual_time)
{
	if (t->start < virtual_time)
		*t = (struct htb_tag){.start = virtual_time};
}

void htb_tag_advance(struct htb_tag *t, uint32_t bytes, int64_t weight)
{
	int64_t bits = (int64_t)bytes * 8000000 + t->remainder;

	t->start += bits / weight;
	t->remainder = bits % weight;
}

void htb_tag_follow(int64_t *virtual_time, const struct htb_heap *competing)
{
	const struct htb_node *top = htb_heap_top(competing);

	if (top && top->key > *virtual_time)
		*virtual_time = top->key;
}

int64_t htb_weight(const struct htb_class *c)
{
	if (c->kind == HTB_BEST_EFFORT)
		return 1000000;
	return c->rates.min_bps > HTB_LEAST_WEIGHT_BPS ? c->rates.min_bps : HTB_LEAST_WEIGHT_BPS;
}

/* ---- where a class waits ----------------------------------------------------------------- */

/* The vNet's place among the others follows from whether a link of it may borrow. */
static void place_vnet(struct htb_vnet *v)
{
	if (!htb_heap_top(&v->links)) {
		htb_heap_take(&v->h->vnets, &v->share);
		return;
	}
	if (!v->share.index)
		htb_tag_join(&v->tag, v->h->vnets_time);
	htb_heap_put(&v->h->vnets, &v->share, v->tag.start);
}

static void leave_green(struct htb_class *c)
{
	htb_heap_take(c->conforming ? &c->h->conforming : &c->h->assured, &c->green);
}

static void leave_share(struct htb_class *c)
{
	if (c->kind == HTB_BEST_EFFORT)
		htb_heap_take(&c->h->best_effort, &c->share);
	else if (c->borrows)
		htb_heap_take(&c->vnet->links, &c->share);
	else
		htb_heap_take(&c->h->throttled, &c->share);
}

static void place_green(struct htb_class *c)
{
	const struct htb_entry *e = htb_head(c);

	leave_green(c);
	c->conforming = e->conforming;
	if (c->conforming)
		htb_heap_put(&c->h->conforming, &c->green, e->arrived_ns);
	else if (c->rates.min_bps)
		htb_heap_put(&c->h->assured, &c->green,
			     htb_bucket_ready_ns(&c->min, htb_tokens(e->counted_bytes)));
}

/* For a frame longer than the bucket is deep it fills further: else it would never go. */
static void fill_ceil(struct htb_class *c, int64_t now_ns)
{
	int64_t cost = c->queue.n ? htb_tokens(htb_head(c)->counted_bytes) : 0;

	htb_bucket_fill(&c->ceil, cost > c->ceil.depth ? cost : c->ceil.depth, now_ns);
}

static void place_link_share(struct htb_class *c, int64_t now_ns)
{
	int64_t ready_ns = htb_head(c)->arrived_ns;

	if (c->rates.ceil_bps) {
		fill_ceil(c, now_ns);
		ready_ns = htb_bucket_ready_ns(&c->ceil, htb_tokens(htb_head(c)->counted_bytes));
	}
	bool borrows = ready_ns <= now_ns;

	c->since_ns = ready_ns;
	if (borrows != c->borrows || !c->share.index) {
		leave_share(c);
		c->borrows = borrows;
		if (borrows)
			htb_tag_join(&c->tag, c->vnet->virtual_time);
	}
	if (borrows)
		htb_heap_put(&c->vnet->links, &c->share, c->tag.start);
	else
		htb_heap_put(&c->h->throttled, &c->share, ready_ns);
	place_vnet(c->vnet);
}

void htb_place(struct htb_class *c, int64_t now_ns)
{
	if (c->kind == HTB_CONTROL)
		return;
	if (!c->queue.n) {
		leave_green(c);
		leave_share(c);
		if (c->kind == HTB_LINK)
			place_vnet(c->vnet);
		return;
	}
	if (c->kind == HTB_BEST_EFFORT) {
		if (!c->share.index)
			htb_tag_join(&c->tag, c->h->best_effort_time);
		htb_heap_put(&c->h->best_effort, &c->share, c->tag.start);
		return;
	}
	place_green(c);
	place_link_share(c, now_ns);
}

void htb_release_throttled(struct htb *h, int64_t now_ns)
{
	for (struct htb_node *n; (n = htb_heap_top(&h->throttled)) && n->key <= now_ns;)
		place_link_share(htb_class_of_share(n), now_ns);
}
