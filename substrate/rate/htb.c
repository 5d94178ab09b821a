/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. Two token buckets per link (htb_bucket.h): "min" fills with the guaranteed rate and
 * "ceil" with the current one. A frame that goes by the minimum (conforming, assured) takes tokens
 * of both, a borrowed one of "ceil" alone. While a link has a backlog, "min" has no rim: what it
 * could not send in time stays owed, which is why it gets its minimum over any such time. A link
 * without one saves no more than a burst.
 *
 * Whether a frame conforms is decided when it arrives, by what the bucket holds then for it and all
 * in front of it: so nobody else's traffic, and no late call, takes the promise back. What borrows
 * is shared by start tags (htb_place.c), which count all that a link sent, by any rule.
 *
 * The wire is busy until free_ns, which is charged by arithmetic, not by when dequeue() is called:
 * timers of the real clock come late, and a wire that lost time for that would be slower than told.
 */
#include "substrate/rate/htb_priv.h"

#include "lib/xalloc.h"

#include <assert.h>
#include <stdlib.h>

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

/* ---- queues ------------------------------------------------------------------------------ */

static void queue_push(struct htb_class *c, const struct htb_entry *e)
{
	if (c->queue.n == c->queue.cap) {
		uint32_t cap = c->queue.cap ? c->queue.cap * 2 : 16;
		struct htb_entry *at = xcalloc(cap, sizeof(*at));

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

struct htb_entry htb_queue_pop(struct htb_class *c)
{
	struct htb_entry e = *htb_head(c);

	c->queue.head = (c->queue.head + 1) & (c->queue.cap - 1);
	c->queue.n--;
	c->queue.bytes -= e.counted_bytes;
	c->h->waiting--;
	return e;
}

/*
 * Worked out on a copy of the bucket. Its rim holds here, although a backlog is owed more than
 * that: who is owed tokens has not kept to its minimum, and its next frames do not conform either.
 */
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
	struct htb_entry e = {.item = item,
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
	/* While nothing waited it saved no more than one bucket; with a backlog, all is owed. */
	if (!c->queue.n)
		htb_bucket_fill(&c->min, c->min.depth, now_ns);
	e.conforming = c->rates.min_bps && conforms(c, counted_bytes, now_ns);
	queue_push(c, &e);
	if (c->queue.n == 1)
		htb_place(c, now_ns);
	return HTB_QUEUED;
}

/* ---- who is next ------------------------------------------------------------------------- */

static bool control_is_ready(const struct htb_class *c, int64_t now_ns)
{
	return c->queue.n &&
	       htb_bucket_ready_ns(&c->min, htb_tokens(c->queue.at[c->queue.head].counted_bytes)) <=
		       now_ns;
}

/*
 * The order is that of htb.h. Each case is the top of one heap, so a choice costs the same however
 * many classes there are.
 */
static struct htb_class *choose(struct htb *h, int64_t now_ns, enum htb_mode *mode)
{
	struct htb_node *n;

	*mode = HTB_MODE_CONTROL;
	if (control_is_ready(h->control, now_ns))
		return h->control;
	*mode = HTB_MODE_CONFORMING;
	if ((n = htb_heap_top(&h->conforming)))
		return htb_class_of_green(n);
	*mode = HTB_MODE_ASSURED;
	if ((n = htb_heap_top(&h->assured)) && n->key <= now_ns)
		return htb_class_of_green(n);
	*mode = HTB_MODE_CONTROL;
	if (h->control->queue.n)
		return h->control;
	*mode = HTB_MODE_BORROWED;
	if ((n = htb_heap_top(&h->vnets)))
		return htb_class_of_share(htb_heap_top(&htb_vnet_of_share(n)->links));
	*mode = HTB_MODE_BEST_EFFORT;
	return htb_class_of_share(htb_heap_top(&h->best_effort));
}

/* Since when the frame at the head of c could have gone, by that rule. */
static int64_t ready_since_ns(struct htb_class *c, enum htb_mode mode)
{
	int64_t since_ns = htb_head(c)->arrived_ns;
	int64_t ready_ns = since_ns;

	if (mode == HTB_MODE_ASSURED)
		ready_ns = c->green.key;
	else if (mode == HTB_MODE_BORROWED)
		ready_ns = c->since_ns;
	return ready_ns > since_ns ? ready_ns : since_ns;
}

/* If called late, charge the wire from when the frame could have left. */
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
		/* Control saves one bucket at most; a link with a backlog is owed all. */
		htb_bucket_fill(&c->min, c->kind == HTB_CONTROL ? c->min.depth : HTB_TOKENS_MAX,
				now_ns);
		c->min.tokens -= htb_tokens(bytes);
	}
	if (c->kind == HTB_CONTROL)
		return;
	if (c->kind == HTB_BEST_EFFORT) {
		htb_tag_follow(&h->best_effort_time, &h->best_effort);
		htb_tag_advance(&c->tag, bytes, htb_weight(c));
		return;
	}
	if (c->rates.ceil_bps) {
		htb_bucket_fill(&c->ceil, c->ceil.depth, now_ns);
		c->ceil.tokens -= htb_tokens(bytes);
	}
	htb_tag_follow(&c->vnet->virtual_time, &c->vnet->links);
	htb_tag_follow(&h->vnets_time, &h->vnets);
	if (!c->borrows)
		htb_tag_join(&c->tag, c->vnet->virtual_time);
	if (!c->vnet->share.index)
		htb_tag_join(&c->vnet->tag, h->vnets_time);
	htb_tag_advance(&c->tag, bytes, htb_weight(c));
	htb_tag_advance(&c->vnet->tag, bytes, c->vnet->weight);
}

void *htb_dequeue(struct htb *h, int64_t now_ns, struct htb_class **from)
{
	enum htb_mode mode;

	if (now_ns < h->free_ns || !h->waiting)
		return NULL;
	htb_release_throttled(h, now_ns);
	htb_bucket_fill(&h->control->min, h->control->min.depth, now_ns);
	struct htb_class *c = choose(h, now_ns, &mode);

	if (!c)
		return NULL;
	uint32_t bytes = htb_head(c)->counted_bytes;
	int64_t since_ns = ready_since_ns(c, mode);

	charge(c, mode, bytes, now_ns);
	struct htb_entry e = htb_queue_pop(c);

	if (!c->queue.n && c->min.tokens > c->min.depth)
		c->min.tokens = c->min.depth;
	occupy_wire(h, e.wire_bytes, since_ns, now_ns);
	htb_place(c, now_ns);
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
