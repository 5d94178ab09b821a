/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A wire with sources that offer frames to classes, and a clock, for the tests of htb. */
#ifndef TESTS_UNIT_HTB_HELP_H
#define TESTS_UNIT_HTB_HELP_H

#include "substrate/rate/htb.h"

#include "lib/rng.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

enum { SOURCES_MAX = 64 };

#define MBIT   INT64_C(1000000)
#define SECOND INT64_C(1000000000)

/* Who offers frames to a class: as many as its queue takes, or one each period. */
struct source {
	struct htb_class *class;
	uint32_t bytes, bytes_least; /* of a frame; least: 0 or random from there */
	int64_t period_ns;           /* 0: a flood */
	int64_t next_ns;
	uint64_t sent_bytes, sent_frames, dropped;
	int64_t longest_ns; /* from its arrival until it is all on the wire */
};

struct lab {
	struct htb *h;
	int64_t now_ns, rate_bps;
	struct source at[SOURCES_MAX];
	size_t n;
	struct rng random;
	uint64_t released;
};

struct item {
	struct item *next; /* idle */
	struct source *from;
	int64_t arrived_ns;
	uint32_t bytes;
};

static struct item *idle;

static inline struct item *item_get(void)
{
	struct item *i = idle;

	if (!i)
		return xcalloc(1, sizeof(*i));
	idle = i->next;
	return i;
}

static inline void item_put(struct item *i)
{
	i->next = idle;
	idle = i;
}

static inline void release(void *owner, void *item)
{
	struct lab *l = owner;

	l->released++;
	item_put(item);
}

/* rate_bps: of the wire. */
static inline void lab_begin(struct lab *l, int64_t rate_bps)
{
	struct htb_params p = {.rate_bps = rate_bps, .release = release, .owner = l};

	*l = (struct lab){.rate_bps = rate_bps};
	l->h = htb_create(&p, 0);
	rng_init(&l->random, 1, "htb", "test");
}

static inline struct source *add(struct lab *l, struct htb_class *c, uint32_t bytes,
				 int64_t period_ns)
{
	struct source *s = &l->at[l->n++];

	ck_assert_uint_le(l->n, SOURCES_MAX);
	*s = (struct source){
		.class = c, .bytes = bytes, .period_ns = period_ns, .next_ns = l->now_ns};
	return s;
}

static inline struct source *link(struct lab *l, const char *vnet, int64_t min_bps,
				  int64_t ceil_bps, uint32_t bytes, int64_t period_ns)
{
	struct htb_rates r = {.min_bps = min_bps, .ceil_bps = ceil_bps};

	return add(l, htb_link_create(l->h, vnet, &r, l->now_ns), bytes, period_ns);
}

static inline void offer(struct lab *l, struct source *s)
{
	struct item *i = item_get();

	*i = (struct item){.from = s, .arrived_ns = l->now_ns, .bytes = s->bytes};
	if (s->bytes_least)
		i->bytes = s->bytes_least +
			   (uint32_t)rng_below(&l->random, s->bytes - s->bytes_least + 1);
	if (htb_enqueue(s->class, i, i->bytes, i->bytes, l->now_ns) == HTB_QUEUED)
		return;
	s->dropped++;
	item_put(i);
}

/* Keeps a flood's queue from running empty. */
static inline void feed(struct lab *l, struct source *s)
{
	uint32_t frames;
	uint64_t bytes;

	if (!s->class)
		return;
	if (s->period_ns) {
		for (; s->next_ns <= l->now_ns; s->next_ns += s->period_ns)
			offer(l, s);
		return;
	}
	for (htb_class_queue(s->class, &frames, &bytes); frames < 30; frames++)
		offer(l, s);
}

static inline void take(struct lab *l, struct htb_class *from, struct item *i)
{
	int64_t wait_ns = l->now_ns - i->arrived_ns +
			  (l->rate_bps ? (int64_t)i->bytes * 8 * SECOND / l->rate_bps : 0);

	/* An assertion of check costs a system call each: not one per frame. */
	if (from != i->from->class)
		ck_abort_msg("a frame left another class than its own");
	i->from->sent_bytes += i->bytes;
	i->from->sent_frames++;
	if (wait_ns > i->from->longest_ns)
		i->from->longest_ns = wait_ns;
	item_put(i);
}

static inline void run(struct lab *l, int64_t until_ns)
{
	for (;;) {
		int64_t next_ns;
		struct htb_class *from;
		struct item *i;

		for (size_t k = 0; k < l->n; k++)
			feed(l, &l->at[k]);
		while ((i = htb_dequeue(l->h, l->now_ns, &from)))
			take(l, from, i);
		next_ns = htb_due_ns(l->h);
		if (next_ns <= l->now_ns)
			ck_abort_msg("something was due and did not come");
		for (size_t k = 0; k < l->n; k++)
			if (l->at[k].class && l->at[k].period_ns && l->at[k].next_ns < next_ns)
				next_ns = l->at[k].next_ns;
		if (next_ns > until_ns)
			break;
		l->now_ns = next_ns;
	}
	l->now_ns = until_ns;
}

static inline void finish(struct lab *l)
{
	htb_destroy(l->h);
}

static inline void assert_rate(const struct source *s, int64_t rate_bps, int64_t time_ns,
			       int64_t less_bytes, int64_t more_bytes)
{
	int64_t ideal = (int64_t)((__int128)rate_bps * time_ns / 8 / SECOND);

	ck_assert_int_ge((int64_t)s->sent_bytes, ideal - less_bytes);
	ck_assert_int_le((int64_t)s->sent_bytes, ideal + more_bytes);
}

#endif
