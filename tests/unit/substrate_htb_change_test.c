/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The scheduler against its mathematics, in virtual time: nothing here depends on this machine. */
#include "tests/unit/htb_help.h"

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

struct tally {
	uint64_t offered, sent, dropped;
};

static void change_rates(struct lab *l, struct source *s)
{
	struct rng *r = &l->random;
	int64_t min_bps = (int64_t)rng_below(r, 3) * MBIT;
	struct htb_rates rates = {.min_bps = min_bps,
				  .ceil_bps = rng_below(r, 2) ? min_bps + 1 : 0};

	htb_link_set(s->class, &rates, l->now_ns);
}

/* Not a nanosecond early, and then something. */
static void send_next(struct lab *l, struct tally *n)
{
	struct htb_class *from;
	struct item *i;

	if (htb_due_ns(l->h) != INT64_MAX && htb_due_ns(l->h) > l->now_ns) {
		ck_assert_ptr_null(htb_dequeue(l->h, htb_due_ns(l->h) - 1, NULL));
		l->now_ns = htb_due_ns(l->h);
	}
	if (htb_due_ns(l->h) <= l->now_ns) {
		i = htb_dequeue(l->h, l->now_ns, &from);
		ck_assert_ptr_nonnull(i);
		n->sent++;
		item_put(i);
	}
}

static void offer_one(struct lab *l, struct source *s, struct tally *n)
{
	uint64_t before = s->dropped;

	s->bytes = 60 + (uint32_t)rng_below(&l->random, 9000);
	offer(l, s);
	n->offered++;
	n->dropped += s->dropped - before;
}

static void do_something(struct lab *l, struct tally *n)
{
	struct rng *r = &l->random;
	struct source *s = l->n ? &l->at[rng_below(r, l->n)] : NULL;

	switch (rng_below(r, 12)) {
	case 0:
		if (l->n < SOURCES_MAX - 1 && rng_below(r, 10) == 0)
			link(l, rng_below(r, 2) ? "a" : "b", (int64_t)rng_below(r, 3) * MBIT, 0,
			     1500, 0);
		break;
	case 1:
		if (s && s->class)
			change_rates(l, s);
		break;
	case 2:
		if (s && s->class && rng_below(r, 20) == 0) {
			htb_class_destroy(s->class, l->now_ns);
			s->class = NULL;
		}
		break;
	case 3:
	case 4:
	case 5:
		l->now_ns += (int64_t)rng_below(r, 1000000);
		break;
	case 6:
		send_next(l, n);
		break;
	default:
		if (s && s->class)
			offer_one(l, s, n);
	}
}

/* Anything in any order: no frame is lost or made, no wire time wasted, nothing early. */
START_TEST(whatever_comes)
{
	struct lab l;
	struct tally n = {0};
	uint64_t waiting = 0;

	lab_begin(&l, 50 * MBIT);
	rng_init(&l.random, (uint64_t)_i, "htb", "whatever");
	for (int step = 0; step < 4000; step++)
		do_something(&l, &n);
	for (size_t k = 0; k < l.n; k++) {
		uint32_t frames = 0;
		uint64_t bytes;

		if (l.at[k].class)
			htb_class_queue(l.at[k].class, &frames, &bytes);
		waiting += frames;
	}
	ck_assert_uint_eq(n.offered, n.sent + n.dropped + waiting + l.released);
	finish(&l);
	ck_assert_uint_eq(n.offered, n.sent + n.dropped + l.released);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("htb: changes");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, removal_disturbs_nobody);
	tcase_add_test(t, queues_are_bounded);
	tcase_add_test(t, rates_change_under_way);
	tcase_add_loop_test(t, whatever_comes, 0, 50);
	suite_add_tcase(s, t);
	return suite_run(s);
}
