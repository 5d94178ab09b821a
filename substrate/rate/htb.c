/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/rate/htb.h"

#include "lib/container_of.h"
#include "lib/reserve.h"
#include "lib/xalloc.h"
#include "substrate/rate/htb_bucket.h"
#include "substrate/rate/htb_heap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { BURST_MS = 2, LIMIT_MS = 50 };

struct entry {
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
struct tag {
	int64_t start, remainder;
};

struct vnet {
	struct htb *h;
	char *name; /* owned */
	unsigned n_classes;
	int64_t weight;        /* sum of those of its links */
	struct tag tag;        /* among vNets */
	struct htb_node share; /* in htb.vnets while one of its links may borrow */
	struct htb_heap links; /* that may borrow now, by start */
	int64_t virtual_time;  /* of links */
};

struct htb_class {
	struct htb *h;
	struct vnet *vnet; /* NULL: control */
	enum htb_kind kind;
	void *owner;
	struct htb_rates rates;
	uint64_t limit_bytes;

	struct {
		struct entry *at; /* owned; a ring of cap (power of two) */
		uint32_t head, n, cap;
		uint64_t bytes; /* counted */
	} queue;

	struct htb_bucket min, ceil; /* links; control has min alone */
	bool conforming;             /* the frame at the head is */
	struct htb_node green;       /* in htb.conforming or htb.assured: links with a minimum */
	bool borrows;                /* it waits in vnet.links, or in htb.best_effort */
	struct htb_node share;       /* there, or in htb.throttled */
	int64_t since_ns;            /* the frame at the head could go since then, if it borrows */
	struct tag tag;
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
	VEC(struct vnet *) all_vnets;
	VEC(struct htb_class *) all_classes;
};

const char *htb_drop_name(enum htb_drop why)
{
	static const char *const names[] = {
		[HTB_QUEUED] = "queued",
		[HTB_DROP_QUEUE] = "queue-full",
		[HTB_DROP_GONE] = "gone",
	};

	static_assert(ARRAY_LEN(names) == HTB_DROPS, "names out of step with enum htb_drop");
	return names[why];
}

static struct htb_class *class_of_green(struct htb_node *n)
{
	return n ? container_of(n, struct htb_class, green) : NULL;
}

static struct htb_class *class_of_share(struct htb_node *n)
{
	return n ? container_of(n, struct htb_class, share) : NULL;
}

static struct vnet *vnet_of_share(struct htb_node *n)
{
	return n ? container_of(n, struct vnet, share) : NULL;
}

static struct entry *head_of(struct htb_class *c)
{
	return &c->queue.at[c->queue.head];
}

/* ---- start tags -------------------------------------------------------------------------- */

/* It competes again after it did not: what it did not use in the meantime is gone. */
static void tag_join(struct tag *t, int64_t virtual_time)
{
	if (t->start < virtual_time)
		*t = (struct tag){.start = virtual_time};
}

static void tag_advance(struct tag *t, uint32_t bytes, int64_t weight)
{
	int64_t bits = (int64_t)bytes * 8000000 + t->remainder;

	t->start += bits / weight;
	t->remainder = bits % weight;
}

/* Virtual time is the earliest start of all that compete; it never goes back. */
static void follow(int64_t *virtual_time, const struct htb_heap *competing)
{
	const struct htb_node *top = htb_heap_top(competing);

	if (top && top->key > *virtual_time)
		*virtual_time = top->key;
}

static int64_t weight_of(const struct htb_class *c)
{
	if (c->kind == HTB_BEST_EFFORT)
		return 1000000;
	return c->rates.min_bps > HTB_LEAST_WEIGHT_BPS ? c->rates.min_bps : HTB_LEAST_WEIGHT_BPS;
}

/* ---- where a class waits ----------------------------------------------------------------- */

/* The vNet's place among the others follows from whether a link of it may borrow. */
static void place_vnet(struct vnet *v)
{
	if (!htb_heap_top(&v->links)) {
		htb_heap_take(&v->h->vnets, &v->share);
		return;
	}
	if (!v->share.index)
		tag_join(&v->tag, v->h->vnets_time);
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
	const struct entry *e = head_of(c);

	leave_green(c);
	c->conforming = e->conforming;
	if (c->conforming)
		htb_heap_put(&c->h->conforming, &c->green, e->arrived_ns);
	else if (c->rates.min_bps)
		htb_heap_put(&c->h->assured, &c->green,
			     htb_bucket_ready_ns(&c->min, htb_tokens(e->counted_bytes)));
}

/* A frame longer than the bucket is deep may go when the bucket would hold it. */
static void fill_ceil(struct htb_class *c, int64_t now_ns)
{
	int64_t cost = c->queue.n ? htb_tokens(head_of(c)->counted_bytes) : 0;

	htb_bucket_fill(&c->ceil, cost > c->ceil.depth ? cost : c->ceil.depth, now_ns);
}

static void place_link_share(struct htb_class *c, int64_t now_ns)
{
	int64_t ready_ns = head_of(c)->arrived_ns;

	if (c->rates.ceil_bps) {
		fill_ceil(c, now_ns);
		ready_ns = htb_bucket_ready_ns(&c->ceil, htb_tokens(head_of(c)->counted_bytes));
	}
	bool borrows = ready_ns <= now_ns;

	c->since_ns = ready_ns;
	if (borrows != c->borrows || !c->share.index) {
		leave_share(c);
		c->borrows = borrows;
		if (borrows)
			tag_join(&c->tag, c->vnet->virtual_time);
	}
	if (borrows)
		htb_heap_put(&c->vnet->links, &c->share, c->tag.start);
	else
		htb_heap_put(&c->h->throttled, &c->share, ready_ns);
	place_vnet(c->vnet);
}

/* After anything that changed: the head of the queue, tokens, rates. */
static void place(struct htb_class *c, int64_t now_ns)
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
			tag_join(&c->tag, c->h->best_effort_time);
		htb_heap_put(&c->h->best_effort, &c->share, c->tag.start);
		return;
	}
	place_green(c);
	place_link_share(c, now_ns);
}

/* Links whose ceiling lets them go again. */
static void release_throttled(struct htb *h, int64_t now_ns)
{
	for (struct htb_node *n; (n = htb_heap_top(&h->throttled)) && n->key <= now_ns;)
		place_link_share(class_of_share(n), now_ns);
}

/* ---- queues ------------------------------------------------------------------------------ */

static void queue_push(struct htb_class *c, const struct entry *e)
{
	if (c->queue.n == c->queue.cap) {
		uint32_t cap = c->queue.cap ? c->queue.cap * 2 : 16;
		struct entry *at = xcalloc(cap, sizeof(*at));

		for (uint32_t i = 0; i < c->queue.n; i++)
			at[i] = c->queue.at[(c->queue.head + i) & (c->queue.cap - 1)];
		free(c->queue.at);
		c->queue.at = at;
		c->queue.head = 0;
		c->queue.cap = cap;
	}
	c->queue.at[(c->queue.head + c->queue.n++) & (c->queue.cap - 1)] = *e;
	c->queue.bytes += e->counted_bytes;
	c->h->waiting++;
}

static struct entry queue_pop(struct htb_class *c)
{
	struct entry e = *head_of(c);

	c->queue.head = (c->queue.head + 1) & (c->queue.cap - 1);
	c->queue.n--;
	c->queue.bytes -= e.counted_bytes;
	c->h->waiting--;
	return e;
}

static bool conforms(const struct htb_class *c, uint32_t bytes, int64_t now_ns)
{
	struct htb_bucket b = c->min;
	int64_t needed = htb_tokens(c->queue.bytes + bytes);

	htb_bucket_fill(&b, b.depth, now_ns);
	return b.tokens >= needed && b.depth >= needed;
}

enum htb_drop htb_enqueue(struct htb_class *c, void *item, uint32_t wire_bytes,
			  uint32_t counted_bytes, int64_t now_ns)
{
	struct entry e = {.item = item,
			  .arrived_ns = now_ns,
			  .wire_bytes = wire_bytes,
			  .counted_bytes = counted_bytes};

	c->count.offered_frames++;
	c->count.offered_bytes += counted_bytes;
	if (c->queue.n && c->queue.bytes + counted_bytes > c->limit_bytes) {
		c->count.dropped_frames[HTB_DROP_QUEUE]++;
		c->count.dropped_bytes[HTB_DROP_QUEUE] += counted_bytes;
		return HTB_DROP_QUEUE;
	}
	/* While it sent nothing it saved no more than a bucket; a backlog is owed all of it. */
	if (!c->queue.n)
		htb_bucket_fill(&c->min, c->min.depth, now_ns);
	e.conforming = c->rates.min_bps && conforms(c, counted_bytes, now_ns);
	queue_push(c, &e);
	if (c->queue.n == 1)
		place(c, now_ns);
	return HTB_QUEUED;
}

/* ---- who is next ------------------------------------------------------------------------- */

static bool control_is_ready(const struct htb_class *c, int64_t now_ns)
{
	return c->queue.n &&
	       htb_bucket_ready_ns(&c->min, htb_tokens(c->queue.at[c->queue.head].counted_bytes)) <=
		       now_ns;
}

static struct htb_class *choose(struct htb *h, int64_t now_ns, enum htb_mode *mode)
{
	struct htb_node *n;

	*mode = HTB_MODE_CONTROL;
	if (control_is_ready(h->control, now_ns))
		return h->control;
	*mode = HTB_MODE_CONFORMING;
	if ((n = htb_heap_top(&h->conforming)))
		return class_of_green(n);
	*mode = HTB_MODE_ASSURED;
	if ((n = htb_heap_top(&h->assured)) && n->key <= now_ns)
		return class_of_green(n);
	*mode = HTB_MODE_CONTROL;
	if (h->control->queue.n)
		return h->control;
	*mode = HTB_MODE_BORROWED;
	if ((n = htb_heap_top(&h->vnets)))
		return class_of_share(htb_heap_top(&vnet_of_share(n)->links));
	*mode = HTB_MODE_BEST_EFFORT;
	return class_of_share(htb_heap_top(&h->best_effort));
}

/* Since when the frame at the head of c could have gone, by that rule. */
static int64_t ready_since_ns(struct htb_class *c, enum htb_mode mode)
{
	int64_t since_ns = head_of(c)->arrived_ns;
	int64_t ready_ns = since_ns;

	if (mode == HTB_MODE_ASSURED)
		ready_ns = c->green.key;
	else if (mode == HTB_MODE_BORROWED)
		ready_ns = c->since_ns;
	return ready_ns > since_ns ? ready_ns : since_ns;
}

/* A frame that could have gone before, but for a late call, takes the wire's time from then. */
static void occupy_wire(struct htb *h, uint32_t bytes, int64_t since_ns, int64_t now_ns)
{
	int64_t start = since_ns;

	if (!h->params.rate_bps)
		return;
	if (start < now_ns - h->params.slack_ns)
		start = now_ns - h->params.slack_ns;
	if (start <= h->free_ns)
		start = h->free_ns;
	else
		h->wire_rest = 0;
	int64_t bits = (int64_t)bytes * INT64_C(8000000000) + h->wire_rest;

	h->free_ns = start + bits / h->params.rate_bps;
	h->wire_rest = bits % h->params.rate_bps;
}

static void charge(struct htb_class *c, enum htb_mode mode, uint32_t bytes, int64_t now_ns)
{
	struct htb *h = c->h;

	if (mode < HTB_MODE_BORROWED) {
		/* Control saves at most a bucket; a link with a backlog is owed all of it. */
		htb_bucket_fill(&c->min, c->kind == HTB_CONTROL ? c->min.depth : HTB_TOKENS_MAX,
				now_ns);
		c->min.tokens -= htb_tokens(bytes);
	}
	if (c->kind == HTB_CONTROL)
		return;
	if (c->kind == HTB_BEST_EFFORT) {
		follow(&h->best_effort_time, &h->best_effort);
		tag_advance(&c->tag, bytes, weight_of(c));
		return;
	}
	if (c->rates.ceil_bps) {
		htb_bucket_fill(&c->ceil, c->ceil.depth, now_ns);
		c->ceil.tokens -= htb_tokens(bytes);
	}
	follow(&c->vnet->virtual_time, &c->vnet->links);
	follow(&h->vnets_time, &h->vnets);
	if (!c->borrows)
		tag_join(&c->tag, c->vnet->virtual_time);
	if (!c->vnet->share.index)
		tag_join(&c->vnet->tag, h->vnets_time);
	tag_advance(&c->tag, bytes, weight_of(c));
	tag_advance(&c->vnet->tag, bytes, c->vnet->weight);
}

void *htb_dequeue(struct htb *h, int64_t now_ns, struct htb_class **from)
{
	enum htb_mode mode;

	if (now_ns < h->free_ns || !h->waiting)
		return NULL;
	release_throttled(h, now_ns);
	htb_bucket_fill(&h->control->min, h->control->min.depth, now_ns);
	struct htb_class *c = choose(h, now_ns, &mode);

	if (!c)
		return NULL;
	uint32_t bytes = head_of(c)->counted_bytes;
	int64_t since_ns = ready_since_ns(c, mode);

	charge(c, mode, bytes, now_ns);
	struct entry e = queue_pop(c);

	if (!c->queue.n && c->min.tokens > c->min.depth)
		c->min.tokens = c->min.depth;
	occupy_wire(h, e.wire_bytes, since_ns, now_ns);
	place(c, now_ns);
	c->count.sent_frames[mode]++;
	c->count.sent_bytes[mode] += bytes;
	if (now_ns - e.arrived_ns > c->count.longest_wait_ns)
		c->count.longest_wait_ns = now_ns - e.arrived_ns;
	if (from)
		*from = c;
	return e.item;
}

static int64_t earlier(const struct htb_heap *h, int64_t than_ns)
{
	const struct htb_node *n = htb_heap_top(h);

	return n && n->key < than_ns ? n->key : than_ns;
}

int64_t htb_due_ns(const struct htb *h)
{
	if (!h->waiting)
		return INT64_MAX;
	if (h->control->queue.n || htb_heap_top(&h->conforming) || htb_heap_top(&h->vnets) ||
	    htb_heap_top(&h->best_effort))
		return h->free_ns;
	int64_t due_ns = earlier(&h->assured, earlier(&h->throttled, INT64_MAX));

	return due_ns > h->free_ns ? due_ns : h->free_ns;
}

/* ---- classes ----------------------------------------------------------------------------- */

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

/* owed: what it has saved above its depth stays. */
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
	c->vnet->weight -= weight_of(c);
	c->rates = *r;
	c->vnet->weight += weight_of(c);
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

static struct htb_class *class_create(struct htb *h, struct vnet *v, enum htb_kind kind,
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

static struct vnet *vnet_get(struct htb *h, const char *name)
{
	struct vnet **at;

	VEC_FOREACH (at, &h->all_vnets)
		if (!strcmp((*at)->name, name))
			return *at;
	struct vnet *v = xcalloc(1, sizeof(*v));

	v->h = h;
	v->name = xstrdup(name);
	v->share.number = ++h->last_number;
	vec_push(&h->all_vnets, v);
	return v;
}

static void vnet_put(struct vnet *v)
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
	/* A wire that was slow may have been promised to a frame for long. */
	if (h->free_ns > now_ns && !rate_bps)
		h->free_ns = now_ns;
	set_control(h, now_ns);
}

struct htb_class *htb_link_create(struct htb *h, const char *vnet, const struct htb_rates *r,
				  int64_t now_ns)
{
	struct vnet *v = vnet_get(h, vnet);
	struct htb_class *c = class_create(h, v, HTB_LINK, now_ns);

	v->n_classes++;
	v->weight += weight_of(c);
	set_rates(c, r, now_ns);
	c->min.tokens = c->min.depth;
	c->ceil.tokens = c->ceil.depth;
	return c;
}

void htb_link_set(struct htb_class *c, const struct htb_rates *r, int64_t now_ns)
{
	assert(c->kind == HTB_LINK);
	set_rates(c, r, now_ns);
	place(c, now_ns);
}

struct htb_class *htb_best_effort_create(struct htb *h, const char *vnet, uint32_t limit_bytes,
					 int64_t now_ns)
{
	struct vnet *v = vnet_get(h, vnet);
	struct htb_class *c = class_create(h, v, HTB_BEST_EFFORT, now_ns);

	v->n_classes++;
	c->limit_bytes = c->rates.limit_bytes = limit_bytes ? limit_bytes : HTB_LIMIT_BYTES;
	return c;
}

static void drop_all(struct htb_class *c)
{
	while (c->queue.n) {
		struct entry e = queue_pop(c);

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
	place(c, now_ns);
	if (c->kind == HTB_LINK)
		c->vnet->weight -= weight_of(c);
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
