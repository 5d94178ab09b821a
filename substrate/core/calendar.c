/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A binary heap in an array, the first event at index 1: the children of i are 2i and 2i + 1. An
 * event knows its index, so that it can be moved and taken out, not only come up.
 *
 * The order is total. Two events of one time come in the order of their sources, which are numbered
 * as they were declared, and two of one source in the order in which it made them. A heap alone
 * would give events of one time in an order that depends on what else it had held; and runs would
 * differ in which of two frames, there at the same nanosecond, a switch sees first.
 *
 * Each event is in the heap with a copy of its time and numbers, so that comparing touches no
 * event.
 */
#include "substrate/core/calendar.h"

#include <assert.h>

void calendar_init(struct calendar *c)
{
	memset(c, 0, sizeof(*c));
	vec_push_zero(&c->heap);
}

void calendar_finish(struct calendar *c)
{
	for (size_t i = 1; i < c->heap.n; i++)
		c->heap.at[i].ev->heap_index = 0;
	vec_free(&c->heap);
}

static bool is_before(const struct calendar_entry *a, const struct calendar_entry *b)
{
	if (a->at_ns != b->at_ns)
		return a->at_ns < b->at_ns;
	if (a->source != b->source)
		return a->source < b->source;
	return a->number < b->number;
}

/* Whatever moves in the heap moves through here: the event is told where it is. */
static void put(struct calendar *c, uint32_t i, const struct calendar_entry *e)
{
	c->heap.at[i] = *e;
	e->ev->heap_index = i;
}

static void sift_up(struct calendar *c, uint32_t i, struct calendar_entry e)
{
	for (; i > 1 && is_before(&e, &c->heap.at[i / 2]); i /= 2)
		put(c, i, &c->heap.at[i / 2]);
	put(c, i, &e);
}

static void sift_down(struct calendar *c, uint32_t i, struct calendar_entry e)
{
	for (;;) {
		uint32_t child = i * 2;

		if (child >= c->heap.n)
			break;
		if (child + 1 < c->heap.n && is_before(&c->heap.at[child + 1], &c->heap.at[child]))
			child++;
		if (!is_before(&c->heap.at[child], &e))
			break;
		put(c, i, &c->heap.at[child]);
		i = child;
	}
	put(c, i, &e);
}

void calendar_cancel(struct calendar *c, struct event *ev)
{
	uint32_t i = ev->heap_index;

	if (!i)
		return;
	assert(i < c->heap.n && c->heap.at[i].ev == ev);
	struct calendar_entry last = c->heap.at[--c->heap.n];

	ev->heap_index = 0;
	if (last.ev == ev)
		return;
	/* The last one fills the hole: it may belong further down than that, or further up. */
	sift_down(c, i, last);
	i = last.ev->heap_index;
	sift_up(c, i, last);
}

void calendar_add(struct calendar *c, struct event *ev, int64_t at_ns, struct event_source *from)
{
	struct calendar_entry e = {
		.at_ns = at_ns, .number = from->next++, .source = from->id, .ev = ev};

	/* Moved, it comes behind what its source made meanwhile: it has a new number. */
	calendar_cancel(c, ev);
	vec_push(&c->heap, e);
	sift_up(c, (uint32_t)c->heap.n - 1, e);
}

int64_t calendar_next_ns(const struct calendar *c)
{
	return c->heap.n > 1 ? c->heap.at[1].at_ns : INT64_MAX;
}

const struct event *calendar_first(const struct calendar *c)
{
	return c->heap.at[1].ev;
}

bool calendar_is_before(const struct calendar *a, const struct calendar *b)
{
	return is_before(&a->heap.at[1], &b->heap.at[1]);
}

int64_t calendar_fire(struct calendar *c)
{
	struct calendar_entry e = c->heap.at[1];

	/* Out before it happens: it may put itself in again. */
	calendar_cancel(c, e.ev);
	e.ev->fire(e.ev, e.at_ns);
	return e.at_ns;
}
