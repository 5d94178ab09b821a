/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A binary heap whose nodes know where they stand: with every frame a class changes its place, and
 * must be found without a search.
 *
 * Nodes are embedded in what is ordered, so a place in a heap costs no memory and cannot fail.
 * Equal keys come in the order of the nodes' numbers: what the scheduler does is then the same in
 * each run.
 */
#include "substrate/rate/htb_heap.h"

#include <stdbool.h>

static bool is_before(const struct htb_node *a, const struct htb_node *b)
{
	return a->key != b->key ? a->key < b->key : a->number < b->number;
}

static void set(struct htb_heap *h, uint32_t i, struct htb_node *n)
{
	h->v.at[i] = n;
	n->index = i;
}

static void rise(struct htb_heap *h, uint32_t i)
{
	struct htb_node *n = h->v.at[i];

	for (; i > 1 && is_before(n, h->v.at[i / 2]); i /= 2)
		set(h, i, h->v.at[i / 2]);
	set(h, i, n);
}

static void sink(struct htb_heap *h, uint32_t i)
{
	struct htb_node *n = h->v.at[i];
	uint32_t last = (uint32_t)h->v.n - 1;

	for (uint32_t child; (child = 2 * i) <= last; i = child) {
		if (child < last && is_before(h->v.at[child + 1], h->v.at[child]))
			child++;
		if (!is_before(h->v.at[child], n))
			break;
		set(h, i, h->v.at[child]);
	}
	set(h, i, n);
}

/* What was put into a hole may belong further up or further down: the parent tells which. */
static void settle(struct htb_heap *h, uint32_t i)
{
	if (i > 1 && is_before(h->v.at[i], h->v.at[i / 2]))
		rise(h, i);
	else
		sink(h, i);
}

void htb_heap_put(struct htb_heap *h, struct htb_node *n, int64_t key)
{
	n->key = key;
	if (!n->index) {
		if (!h->v.n)
			vec_push_zero(&h->v);
		vec_push(&h->v, n);
		n->index = (uint32_t)h->v.n - 1;
	}
	settle(h, n->index);
}

void htb_heap_take(struct htb_heap *h, struct htb_node *n)
{
	uint32_t i = n->index;

	if (!i)
		return;
	n->index = 0;
	struct htb_node *last = h->v.at[--h->v.n];

	if (last == n)
		return;
	set(h, i, last);
	settle(h, i);
}

void htb_heap_finish(struct htb_heap *h)
{
	vec_free(&h->v);
}
