/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The classes of a scheduler and their rates. A vNet is there while it has a class. What waits when
 * a class goes is given back by release(), and counted.
 *
 * Rates may change at any time, also under a backlog. The bucket is filled at the old rate up to
 * now, then the new one holds: nobody gains or loses by the moment at which a rate is set. Where
 * somebody gives a rate and no depth, buckets are 2 ms deep and queues 50 ms long, but no less than
 * the defaults of htb.h: at low rates a single frame must fit.
 */
#include "substrate/rate/htb_priv.h"

#include "lib/reserve.h"
#include "lib/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BURST_MS = 2, LIMIT_MS = 50 };

static uint32_t ms_of_rate(int64_t rate_bps, int ms)
{
	int64_t bytes = rate_bps / 8000 * ms;

	return bytes < UINT32_MAX ? (uint32_t)bytes : UINT32_MAX;
}

static uint32_t or_default(uint32_t given, uint32_t least, int64_t rate_bps, int ms)
{
	uint32_t by_rate = ms_of_rate(rate_bps, ms);

	if (given)
		return given;
	return by_rate > least ? by_rate : least;
}

/* owed: tokens above the depth stay, as those of a link with a backlog do. */
static void set_bucket(struct htb_bucket *b, int64_t rate_bps, uint32_t burst_bytes, bool owed,
		       int64_t now_ns)
{
	htb_bucket_fill(b, owed ? HTB_TOKENS_MAX : b->depth, now_ns);
	b->rate_bps = rate_bps;
	b->depth = htb_tokens(burst_bytes);
	if (!owed && b->tokens > b->depth)
		b->tokens = b->depth;
}

static void set_rates(struct htb_class *c, const struct htb_rates *r, int64_t now_ns)
{
	assert(r->min_bps >= 0 && r->ceil_bps >= 0);
	assert(!r->ceil_bps || r->ceil_bps >= r->min_bps);
	c->vnet->weight -= htb_weight(c);
	c->rates = *r;
	c->vnet->weight += htb_weight(c);
	/* They were left over by a division by the old weight. */
	c->tag.remainder = c->vnet->tag.remainder = 0;
	c->rates.min_burst_bytes =
		or_default(r->min_burst_bytes, HTB_MIN_BURST_BYTES, r->min_bps, BURST_MS);
	c->rates.ceil_burst_bytes =
		or_default(r->ceil_burst_bytes, HTB_BURST_BYTES, r->ceil_bps, BURST_MS);
	c->rates.limit_bytes = or_default(r->limit_bytes, HTB_LIMIT_BYTES, r->ceil_bps, LIMIT_MS);
	c->limit_bytes = c->rates.limit_bytes;
	set_bucket(&c->min, r->min_bps, r->min_bps ? c->rates.min_burst_bytes : 0, c->queue.n > 0,
		   now_ns);
	set_bucket(&c->ceil, r->ceil_bps, c->rates.ceil_burst_bytes, false, now_ns);
}

static struct htb_class *class_create(struct htb *h, struct htb_vnet *v, enum htb_kind kind,
				      int64_t now_ns)
{
	struct htb_class *c = xcalloc(1, sizeof(*c));

	c->h = h;
	c->vnet = v;
	c->kind = kind;
	c->green.number = c->share.number = ++h->last_number;
	c->min.at_ns = c->ceil.at_ns = now_ns;
	vec_push(&h->all_classes, c);
	return c;
}

static struct htb_vnet *vnet_get(struct htb *h, const char *name)
{
	struct htb_vnet **at;

	VEC_FOREACH (at, &h->all_vnets)
		if (!strcmp((*at)->name, name))
			return *at;
	struct htb_vnet *v = xcalloc(1, sizeof(*v));

	v->h = h;
	v->name = xstrdup(name);
	v->share.number = ++h->last_number;
	vec_push(&h->all_vnets, v);
	return v;
}

static void vnet_put(struct htb_vnet *v)
{
	struct htb *h = v->h;

	if (--v->n_classes)
		return;
	vec_remove_item(&h->all_vnets, v);
	htb_heap_finish(&v->links);
	free(v->name);
	free(v);
}

struct htb_class *htb_control(struct htb *h)
{
	return h->control;
}

static void set_control(struct htb *h, int64_t now_ns)
{
	struct htb_class *c = h->control;
	int64_t rate_bps = reserve_bps(h->params.rate_bps);

	set_bucket(&c->min, rate_bps, or_default(0, HTB_BURST_BYTES, rate_bps, BURST_MS), false,
		   now_ns);
}

struct htb *htb_create(const struct htb_params *p, int64_t now_ns)
{
	struct htb *h = xcalloc(1, sizeof(*h));

	h->params = *p;
	h->free_ns = now_ns;
	h->control = class_create(h, NULL, HTB_CONTROL, now_ns);
	h->control->limit_bytes = HTB_LIMIT_BYTES;
	set_control(h, now_ns);
	h->control->min.tokens = h->control->min.depth;
	return h;
}

void htb_set_rate(struct htb *h, int64_t rate_bps, int64_t now_ns)
{
	h->params.rate_bps = rate_bps;
	h->wire_rest = 0;
	/* At the old rate the wire may be booked far ahead. */
	if (h->free_ns > now_ns && !rate_bps)
		h->free_ns = now_ns;
	set_control(h, now_ns);
}

struct htb_class *htb_link_create(struct htb *h, const char *vnet, const struct htb_rates *r,
				  int64_t now_ns)
{
	struct htb_vnet *v = vnet_get(h, vnet);
	struct htb_class *c = class_create(h, v, HTB_LINK, now_ns);

	v->n_classes++;
	v->weight += htb_weight(c);
	set_rates(c, r, now_ns);
	/* A new link begins with full buckets: its first burst conforms. */
	c->min.tokens = c->min.depth;
	c->ceil.tokens = c->ceil.depth;
	return c;
}

void htb_link_set(struct htb_class *c, const struct htb_rates *r, int64_t now_ns)
{
	assert(c->kind == HTB_LINK);
	set_rates(c, r, now_ns);
	htb_place(c, now_ns);
}

struct htb_class *htb_best_effort_create(struct htb *h, const char *vnet, uint32_t limit_bytes,
					 int64_t now_ns)
{
	struct htb_vnet *v = vnet_get(h, vnet);
	struct htb_class *c = class_create(h, v, HTB_BEST_EFFORT, now_ns);

	v->n_classes++;
	c->limit_bytes = c->rates.limit_bytes = limit_bytes ? limit_bytes : HTB_LIMIT_BYTES;
	return c;
}

static void drop_all(struct htb_class *c)
{
	while (c->queue.n) {
		struct htb_entry e = htb_queue_pop(c);

		c->count.dropped_frames[HTB_DROP_GONE]++;
		c->count.dropped_bytes[HTB_DROP_GONE] += e.counted_bytes;
		c->h->params.release(c->h->params.owner, e.item);
	}
}

static void class_free(struct htb_class *c)
{
	free(c->queue.at);
	free(c);
}

void htb_class_destroy(struct htb_class *c, int64_t now_ns)
{
	if (!c)
		return;
	struct htb *h = c->h;

	assert(c->kind != HTB_CONTROL);
	drop_all(c);
	htb_place(c, now_ns); /* out of all heaps, now that its queue is empty */
	if (c->kind == HTB_LINK)
		c->vnet->weight -= htb_weight(c);
	vnet_put(c->vnet);
	vec_remove_item(&h->all_classes, c);
	class_free(c);
}

void htb_destroy(struct htb *h)
{
	if (!h)
		return;
	while (h->all_classes.n > 1)
		htb_class_destroy(h->all_classes.at[h->all_classes.n - 1], h->free_ns);
	drop_all(h->control);
	class_free(h->control);
	htb_heap_finish(&h->conforming);
	htb_heap_finish(&h->assured);
	htb_heap_finish(&h->throttled);
	htb_heap_finish(&h->vnets);
	htb_heap_finish(&h->best_effort);
	vec_free(&h->all_vnets);
	vec_free(&h->all_classes);
	free(h);
}

const struct htb_counters *htb_class_counters(const struct htb_class *c)
{
	return &c->count;
}

const struct htb_rates *htb_class_rates(const struct htb_class *c)
{
	return &c->rates;
}

void htb_class_queue(const struct htb_class *c, uint32_t *frames, uint64_t *bytes)
{
	*frames = c->queue.n;
	*bytes = c->queue.bytes;
}

void htb_class_set_owner(struct htb_class *c, void *owner)
{
	c->owner = owner;
}

void *htb_class_owner(const struct htb_class *c)
{
	return c->owner;
}
