/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scheduler against its mathematics, in virtual time: nothing here depends on this machine. */
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

static struct item *item_get(void)
{
	struct item *i = idle;

	if (!i)
		return xcalloc(1, sizeof(*i));
	idle = i->next;
	return i;
}

static void item_put(struct item *i)
{
	i->next = idle;
	idle = i;
}

static void release(void *owner, void *item)
{
	struct lab *l = owner;

	l->released++;
	item_put(item);
}

/* rate_bps: of the wire. */
static void lab_begin(struct lab *l, int64_t rate_bps)
{
	struct htb_params p = {.rate_bps = rate_bps, .release = release, .owner = l};

	*l = (struct lab){.rate_bps = rate_bps};
	l->h = htb_create(&p, 0);
	rng_init(&l->random, 1, "htb", "test");
}

static struct source *add(struct lab *l, struct htb_class *c, uint32_t bytes, int64_t period_ns)
{
	struct source *s = &l->at[l->n++];

	ck_assert_uint_le(l->n, SOURCES_MAX);
	*s = (struct source){
		.class = c, .bytes = bytes, .period_ns = period_ns, .next_ns = l->now_ns};
	return s;
}

static struct source *link(struct lab *l, const char *vnet, int64_t min_bps, int64_t ceil_bps,
			   uint32_t bytes, int64_t period_ns)
{
	struct htb_rates r = {.min_bps = min_bps, .ceil_bps = ceil_bps};

	return add(l, htb_link_create(l->h, vnet, &r, l->now_ns), bytes, period_ns);
}

static void offer(struct lab *l, struct source *s)
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
static void feed(struct lab *l, struct source *s)
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

static void take(struct lab *l, struct htb_class *from, struct item *i)
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

static void run(struct lab *l, int64_t until_ns)
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

static void finish(struct lab *l)
{
	htb_destroy(l->h);
}

static void assert_rate(const struct source *s, int64_t rate_bps, int64_t time_ns,
			int64_t less_bytes, int64_t more_bytes)
{
	int64_t ideal = (int64_t)((__int128)rate_bps * time_ns / 8 / SECOND);

	ck_assert_int_ge((int64_t)s->sent_bytes, ideal - less_bytes);
	ck_assert_int_le((int64_t)s->sent_bytes, ideal + more_bytes);
}

/* Frames leave at the wire's rate, also where it does not divide: nothing adds up. */
START_TEST(wire_rate_is_exact)
{
	static const int64_t rates[] = {100 * MBIT, 33333333, 7, 999999937, 10000 * MBIT};
	struct lab l;

	lab_begin(&l, rates[_i]);
	struct source *s = add(&l, htb_best_effort_create(l.h, "a", 0, 0), 1003, 0);
	int64_t time_ns = (int64_t)((__int128)100000 * 8000 * SECOND / rates[_i]);

	if (rates[_i] == 7)
		time_ns = 100 * 8000 * SECOND / 7;
	run(&l, time_ns);
	assert_rate(s, rates[_i], time_ns, 0, 1004);
	finish(&l);
}
END_TEST

START_TEST(without_a_rate_the_wire_is_always_free)
{
	struct lab l;
	struct item *i = item_get();
	struct htb_class *from;

	lab_begin(&l, 0);
	struct htb_rates r = {.min_bps = 0};
	struct htb_class *c = htb_link_create(l.h, "a", &r, 0);

	ck_assert_int_eq(htb_due_ns(l.h), INT64_MAX);
	ck_assert_int_eq(htb_enqueue(c, i, 1000, 1000, 5), HTB_QUEUED);
	ck_assert_int_le(htb_due_ns(l.h), 5);
	ck_assert_ptr_eq(htb_dequeue(l.h, 5, &from), i);
	ck_assert_ptr_eq(from, c);
	ck_assert_ptr_null(htb_dequeue(l.h, 5, &from));
	item_put(i);
	finish(&l);
}
END_TEST

/* Who is called late makes up for it, but not for a time in which nothing was there to send. */
START_TEST(lateness_is_made_up_for)
{
	struct htb_params p = {.rate_bps = 8 * MBIT, .slack_ns = 2000000, .release = release};
	struct htb *h = htb_create(&p, 0);
	struct htb_class *c = htb_best_effort_create(h, "a", 0, 0);
	int item;

	/* A frame takes 1 ms; the wire has been idle for a second. */
	for (int k = 0; k < 8; k++)
		htb_enqueue(c, &item, 1000, 1000, SECOND);
	ck_assert_ptr_nonnull(htb_dequeue(h, SECOND, NULL));
	ck_assert_ptr_null(htb_dequeue(h, SECOND, NULL));
	/* 0.7 ms late: the next is not. */
	ck_assert_ptr_nonnull(htb_dequeue(h, SECOND + 1700000, NULL));
	ck_assert_int_eq(htb_due_ns(h), SECOND + 2000000);
	/* 4 ms late: 2 of them are made up for. */
	for (int k = 0; k < 3; k++)
		ck_assert_ptr_nonnull(htb_dequeue(h, SECOND + 6000000, NULL));
	ck_assert_ptr_null(htb_dequeue(h, SECOND + 6000000, NULL));
	ck_assert_int_eq(htb_due_ns(h), SECOND + 7000000);
	for (int k = 0; k < 3; k++)
		ck_assert_ptr_nonnull(htb_dequeue(h, SECOND + (7 + k) * INT64_C(1000000), NULL));
	htb_destroy(h);
}
END_TEST

/* All flood with frames of all sizes; minima and control fill the wire to the last bit. */
START_TEST(each_gets_its_minimum)
{
	struct lab l;
	int64_t left = 99 * MBIT, minima[12];
	int64_t bursts = 0;

	lab_begin(&l, 100 * MBIT);
	rng_init(&l.random, (uint64_t)_i, "htb", "minima");
	for (int k = 0; k < 12; k++) {
		char vnet[16];

		minima[k] = k == 11 ? left : (int64_t)rng_below(&l.random, (uint64_t)left / 2) + 1;
		left -= minima[k];
		snprintf(vnet, sizeof(vnet), "v%d", k % 5);
		link(&l, vnet, minima[k], k % 2 ? minima[k] : 0, 1500, 0)->bytes_least = 64;
		bursts += htb_class_rates(l.at[k].class)->min_burst_bytes;
	}
	add(&l, htb_best_effort_create(l.h, "b", 0, 0), 1500, 0);
	run(&l, 10 * SECOND);
	for (int k = 0; k < 12; k++)
		assert_rate(&l.at[k], minima[k], 10 * SECOND, bursts + 1500,
			    k % 2 ? htb_class_rates(l.at[k].class)->ceil_burst_bytes + bursts
				  : 10 * MBIT);
	finish(&l);
}
END_TEST

/* What is left is shared in proportion to minima: 10 : 20 : 30 of 120. */
START_TEST(excess_follows_minima)
{
	struct lab l;

	lab_begin(&l, 120 * MBIT);
	for (int k = 1; k <= 3; k++) {
		char vnet[16];

		snprintf(vnet, sizeof(vnet), "v%d", k);
		link(&l, vnet, k * 10 * MBIT, 0, 500 * (uint32_t)k, 0);
	}
	run(&l, 10 * SECOND);
	for (int k = 1; k <= 3; k++)
		assert_rate(&l.at[k - 1], k * 20 * MBIT, 10 * SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

/* What a link of a vNet leaves goes to its sisters first, then to other vNets. */
START_TEST(vnets_borrow_before_others)
{
	struct lab l;

	lab_begin(&l, 80 * MBIT);
	struct source *a1 = link(&l, "a", 10 * MBIT, 0, 1000, 0);
	struct source *a2 = link(&l, "a", 10 * MBIT, 0, 1000, 8000 * SECOND / (1 * MBIT));
	struct source *b = link(&l, "b", 20 * MBIT, 0, 1000, 0);

	run(&l, 10 * SECOND);
	assert_rate(a2, 1 * MBIT, 10 * SECOND, 1000, 1000);
	assert_rate(a1, 39 * MBIT, 10 * SECOND, 10000, 10000);
	assert_rate(b, 40 * MBIT, 10 * SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

/* A ceiling is never passed, and reached to the bit; what it leaves, others get. */
START_TEST(ceiling_is_exact)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *slow = link(&l, "a", 1 * MBIT, 7 * MBIT, 1500, 0);
	struct source *low = link(&l, "b", MBIT / 10, 3333333, 700, 0);
	struct source *fast = link(&l, "c", 1 * MBIT, 0, 1500, 0);

	slow->bytes_least = 60;
	run(&l, 20 * SECOND);
	assert_rate(slow, 7 * MBIT, 20 * SECOND, 1500, HTB_BURST_BYTES);
	assert_rate(low, 3333333, 20 * SECOND, 1500, HTB_BURST_BYTES);
	assert_rate(fast, 100 * MBIT - 7 * MBIT - 3333333, 20 * SECOND, 2 * HTB_BURST_BYTES, 6000);
	finish(&l);
}
END_TEST

/* Many links whose current rate is their minimum, on a wire that they fill: each has it. */
START_TEST(ceiling_at_the_minimum)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	for (int k = 0; k < 33; k++)
		link(&l, k % 2 ? "a" : "b", 3 * MBIT, 3 * MBIT, 1500, 0)->bytes_least = 64;
	run(&l, 10 * SECOND);
	for (int k = 0; k < 33; k++)
		assert_rate(&l.at[k], 3 * MBIT, 10 * SECOND, 2000, HTB_MIN_BURST_BYTES);
	finish(&l);
}
END_TEST

/*
 * The bound of a link that keeps to its minimum: at most one frame of others, of any number of
 * floods, is in its way. 4.5 of 5 Mbit/s are 1,250 octets each 2.222222 ms; on the wire one takes
 * 100 us.
 */
START_TEST(conforming_waits_for_one_frame)
{
	static const int floods[] = {0, 1, 3, 8, 50};
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *good = link(&l, "good", 5 * MBIT, 0, 1250, 2222222);

	for (int k = 0; k < floods[_i]; k++) {
		char vnet[16];

		snprintf(vnet, sizeof(vnet), "v%d", k);
		link(&l, vnet, 94 * MBIT / floods[_i], 0, 1500, 0);
	}
	add(&l, htb_best_effort_create(l.h, "b", 0, 0), 1500, 0);
	/* The floods' own first bursts conform: they are over soon. */
	run(&l, 3 * SECOND);
	good->longest_ns = 0;
	run(&l, 10 * SECOND);
	ck_assert_uint_ge(good->sent_frames, 4499);
	ck_assert_int_le(good->longest_ns, 100000 + 120000);
	finish(&l);
}
END_TEST

/* Several that conform, in bursts as large as they may be: the sum of the bursts is the bound. */
START_TEST(conforming_bursts_add_up)
{
	struct lab l;
	int64_t bursts = 0;

	lab_begin(&l, 100 * MBIT);
	rng_init(&l.random, (uint64_t)_i, "htb", "bursts");
	for (int k = 0; k < 10; k++) {
		struct source *s = link(&l, k % 2 ? "a" : "b", 5 * MBIT, 0, 1250, 2000000);

		/* As if each had saved for long, then sends two at once. */
		add(&l, s->class, 1250, 4 * SECOND)->next_ns =
			(int64_t)rng_below(&l.random, 4) * 500000;
		bursts += htb_class_rates(s->class)->min_burst_bytes;
	}
	for (int k = 0; k < 4; k++)
		link(&l, "flood", 12 * MBIT, 0, 1500, 0);
	for (int k = 20; k < 24; k++)
		bursts += htb_class_rates(l.at[k].class)->min_burst_bytes;
	bursts += HTB_BURST_BYTES;
	for (int k = 0; k < 20; k++)
		run(&l, SECOND);
	for (int k = 0; k < 20; k++)
		ck_assert_int_le(htb_class_counters(l.at[k].class)->longest_wait_ns,
				 (bursts + 1500) * 8 * SECOND / l.rate_bps);
	finish(&l);
}
END_TEST

/* Who comes later gets its share from then on: the past is neither made up for nor held against it.
 */
START_TEST(newcomers_start_now)
{
	struct lab l;

	lab_begin(&l, 60 * MBIT);
	struct source *a1 = link(&l, "a", 10 * MBIT, 0, 1000, 0);

	run(&l, 5 * SECOND);
	struct source *a2 = link(&l, "a", 10 * MBIT, 0, 1000, 0);
	struct source *b = link(&l, "b", 10 * MBIT, 0, 1000, 0);

	a1->sent_bytes = 0;
	run(&l, 6 * SECOND);
	assert_rate(a1, 20 * MBIT, SECOND, 10000, 10000);
	assert_rate(a2, 20 * MBIT, SECOND, 10000, 10000);
	assert_rate(b, 20 * MBIT, SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

START_TEST(best_effort_newcomers_start_now)
{
	struct lab l;

	lab_begin(&l, 60 * MBIT);
	struct source *a = add(&l, htb_best_effort_create(l.h, "a", 0, 0), 1000, 0);

	run(&l, 5 * SECOND);
	struct source *b = add(&l, htb_best_effort_create(l.h, "b", 0, 0), 1000, 0);

	a->sent_bytes = 0;
	run(&l, 6 * SECOND);
	assert_rate(a, 30 * MBIT, SECOND, 10000, 10000);
	assert_rate(b, 30 * MBIT, SECOND, 10000, 10000);
	finish(&l);
}
END_TEST

/* Control goes first, and a flood of it takes no minimum away. */
START_TEST(control_is_first_and_bounded)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *control = add(&l, htb_control(l.h), 200, 100000000);
	struct source *a = link(&l, "a", 49 * MBIT + 500000, 0, 1500, 0);
	struct source *b = link(&l, "b", 49 * MBIT + 500000, 0, 1500, 0);

	run(&l, 2 * SECOND);
	ck_assert_int_le(control->longest_ns, 120000 + 16000);
	control->period_ns = 0;
	a->sent_bytes = b->sent_bytes = control->sent_bytes = 0;
	run(&l, 12 * SECOND);
	assert_rate(a, 49 * MBIT + 500000, 10 * SECOND, 20000, 20000);
	assert_rate(b, 49 * MBIT + 500000, 10 * SECOND, 20000, 20000);
	assert_rate(control, 1 * MBIT, 10 * SECOND, 20000, 20000);
	finish(&l);
}
END_TEST

/* Best effort gets all that is left and nothing more; vNets share it alike, whatever they offer. */
START_TEST(best_effort_is_last_and_fair)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *a = add(&l, htb_best_effort_create(l.h, "a", 0, 0), 1500, 0);
	struct source *b = add(&l, htb_best_effort_create(l.h, "b", 0, 0), 64, 0);
	struct source *p = link(&l, "a", 10 * MBIT, 60 * MBIT, 1000, 0);

	run(&l, 10 * SECOND);
	assert_rate(p, 60 * MBIT, 10 * SECOND, 1000, 20000);
	assert_rate(a, 20 * MBIT, 10 * SECOND, 30000, 10000);
	assert_rate(b, 20 * MBIT, 10 * SECOND, 30000, 10000);
	htb_link_set(p->class, &(struct htb_rates){.min_bps = 10 * MBIT}, l.now_ns);
	a->sent_bytes = b->sent_bytes = 0;
	run(&l, 20 * SECOND);
	ck_assert_uint_le(a->sent_bytes + b->sent_bytes, 3000);
	finish(&l);
}
END_TEST

/* Without a minimum a link is not starved either: 8 kbit/s of weight beside 10 Mbit/s. */
START_TEST(no_minimum_is_not_nothing)
{
	struct lab l;

	lab_begin(&l, 20016000);
	struct source *a = link(&l, "a", 10 * MBIT, 0, 1000, 0);
	struct source *none = link(&l, "b", 0, 0, 1000, 0);

	run(&l, 100 * SECOND);
	assert_rate(a, 20 * MBIT, 100 * SECOND, 10000, 10000);
	assert_rate(none, 16000, 100 * SECOND, 3000, 3000);
	finish(&l);
}
END_TEST

/* A vNet goes, full of frames: those who keep to their minimum wait no longer, and lose nothing. */
START_TEST(removal_disturbs_nobody)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *good = link(&l, "good", 5 * MBIT, 0, 1250, 2000000);
	struct source *steady = link(&l, "steady", 40 * MBIT, 40 * MBIT, 1500, 0);

	for (int k = 0; k < 3; k++)
		link(&l, "gone", 10 * MBIT, 0, 1500, 0);
	run(&l, SECOND);
	good->longest_ns = 0;
	steady->sent_bytes = 0;
	for (int k = 2; k < 5; k++) {
		htb_class_destroy(l.at[k].class, l.now_ns);
		l.at[k].class = NULL;
	}
	ck_assert_uint_ge(l.released, 6);
	run(&l, 3 * SECOND);
	ck_assert_int_le(good->longest_ns, 100000 + 120000);
	ck_assert_uint_eq(good->dropped, 0);
	ck_assert_uint_eq(good->sent_frames, 1501); /* from 0 to 3 s, both included */
	assert_rate(steady, 40 * MBIT, 2 * SECOND, 1500, HTB_BURST_BYTES + 10000);
	finish(&l);
}
END_TEST

/* A queue takes what its bound says; what is refused is counted, and stays the caller's. */
START_TEST(queues_are_bounded)
{
	struct lab l;

	lab_begin(&l, 1 * MBIT);
	struct htb_rates r = {.min_bps = 1000, .limit_bytes = 10000};
	struct source *s = add(&l, htb_link_create(l.h, "a", &r, 0), 999, 0);
	uint32_t frames;
	uint64_t bytes;

	for (int k = 0; k < 25; k++)
		offer(&l, s);
	htb_class_queue(s->class, &frames, &bytes);
	ck_assert_uint_eq(frames, 10);
	ck_assert_uint_eq(bytes, 9990);
	ck_assert_uint_eq(s->dropped, 15);
	const struct htb_counters *n = htb_class_counters(s->class);

	ck_assert_uint_eq(n->offered_frames, 25);
	ck_assert_uint_eq(n->dropped_frames[HTB_DROP_QUEUE], 15);
	ck_assert_uint_eq(n->dropped_bytes[HTB_DROP_QUEUE], 15 * 999);
	finish(&l);
	ck_assert_uint_eq(l.released, 10);
}
END_TEST

/* A current rate that moves while frames wait, as a traffic manager does it: exact in each part. */
START_TEST(rates_change_under_way)
{
	struct lab l;

	lab_begin(&l, 100 * MBIT);
	struct source *s = link(&l, "a", 2 * MBIT, 10 * MBIT, 1500, 0);

	link(&l, "b", 2 * MBIT, 0, 1500, 0);
	for (int k = 1; k <= 20; k++) {
		int64_t rate_bps = (2 + k % 7 * 3) * MBIT;
		struct htb_rates r = {.min_bps = 2 * MBIT, .ceil_bps = rate_bps};

		htb_link_set(s->class, &r, l.now_ns);
		s->sent_bytes = 0;
		run(&l, k * SECOND);
		assert_rate(s, rate_bps, SECOND, 4000, 8000);
	}
	finish(&l);
}
END_TEST

/* Anything in any order: no frame is lost or made, no wire time wasted, nothing early. */
START_TEST(whatever_comes)
{
	struct lab l;
	uint64_t offered = 0, sent = 0, dropped = 0;

	lab_begin(&l, 50 * MBIT);
	rng_init(&l.random, (uint64_t)_i, "htb", "whatever");
	struct rng *r = &l.random;

	for (int step = 0; step < 4000; step++) {
		struct source *s = l.n ? &l.at[rng_below(r, l.n)] : NULL;
		struct htb_class *from;
		struct item *i;

		switch (rng_below(r, 12)) {
		case 0:
			if (l.n < SOURCES_MAX - 1 && rng_below(r, 10) == 0)
				link(&l, rng_below(r, 2) ? "a" : "b",
				     (int64_t)rng_below(r, 3) * MBIT, 0, 1500, 0);
			break;
		case 1:
			if (s && s->class) {
				int64_t min_bps = (int64_t)rng_below(r, 3) * MBIT;
				struct htb_rates rates = {.min_bps = min_bps,
							  .ceil_bps = rng_below(r, 2) ? min_bps + 1
										      : 0};

				htb_link_set(s->class, &rates, l.now_ns);
			}
			break;
		case 2:
			if (s && s->class && rng_below(r, 20) == 0) {
				htb_class_destroy(s->class, l.now_ns);
				s->class = NULL;
			}
			break;
		case 3:
		case 4:
		case 5:
			l.now_ns += (int64_t)rng_below(r, 1000000);
			break;
		case 6:
			if (htb_due_ns(l.h) != INT64_MAX && htb_due_ns(l.h) > l.now_ns) {
				/* Not a nanosecond early, and then something. */
				ck_assert_ptr_null(htb_dequeue(l.h, htb_due_ns(l.h) - 1, NULL));
				l.now_ns = htb_due_ns(l.h);
			}
			if (htb_due_ns(l.h) <= l.now_ns) {
				i = htb_dequeue(l.h, l.now_ns, &from);
				ck_assert_ptr_nonnull(i);
				sent++;
				item_put(i);
			}
			break;
		default:
			if (s && s->class) {
				uint64_t before = s->dropped;

				s->bytes = 60 + (uint32_t)rng_below(r, 9000);
				offer(&l, s);
				offered++;
				dropped += s->dropped - before;
			}
		}
	}
	uint64_t waiting = 0;

	for (size_t k = 0; k < l.n; k++) {
		uint32_t frames = 0;
		uint64_t bytes;

		if (l.at[k].class)
			htb_class_queue(l.at[k].class, &frames, &bytes);
		waiting += frames;
	}
	ck_assert_uint_eq(offered, sent + dropped + waiting + l.released);
	finish(&l);
	ck_assert_uint_eq(offered, sent + dropped + l.released);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("htb");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, wire_rate_is_exact, 0, 5);
	tcase_add_test(t, without_a_rate_the_wire_is_always_free);
	tcase_add_test(t, lateness_is_made_up_for);
	tcase_add_loop_test(t, each_gets_its_minimum, 0, 10);
	tcase_add_test(t, excess_follows_minima);
	tcase_add_test(t, vnets_borrow_before_others);
	tcase_add_test(t, ceiling_is_exact);
	tcase_add_test(t, ceiling_at_the_minimum);
	tcase_add_loop_test(t, conforming_waits_for_one_frame, 0, 5);
	tcase_add_loop_test(t, conforming_bursts_add_up, 0, 5);
	tcase_add_test(t, newcomers_start_now);
	tcase_add_test(t, best_effort_newcomers_start_now);
	tcase_add_test(t, control_is_first_and_bounded);
	tcase_add_test(t, best_effort_is_last_and_fair);
	tcase_add_test(t, no_minimum_is_not_nothing);
	tcase_add_test(t, removal_disturbs_nobody);
	tcase_add_test(t, queues_are_bounded);
	tcase_add_test(t, rates_change_under_way);
	tcase_add_loop_test(t, whatever_comes, 0, 50);
	suite_add_tcase(s, t);
	return suite_run(s);
}
