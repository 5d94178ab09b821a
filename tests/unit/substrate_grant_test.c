/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dividing a rate, and lending it over a wire that loses, delays, repeats and swaps messages. */
#include "substrate/rate/grant.h"
#include "substrate/rate/rateshare.h"

#include "lib/rng.h"
#include "lib/vec.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>

static void assert_divided(int64_t total, size_t n, const int64_t (*in)[3])
{
	struct rateshare part[8];

	for (size_t i = 0; i < n; i++)
		part[i] = (struct rateshare){.min_bps = in[i][0], .want_bps = in[i][1]};
	rateshare_divide(part, n, total);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(part[i].got_bps, in[i][2]);
}

START_TEST(rates_are_divided)
{
	/* minimum, wish, result */
	static const int64_t enough[][3] = {{100000, 300000, 300000}, {100000, 0, 100000}};
	static const int64_t by_minima[][3] = {{10000, 900000, 100000}, {20000, 900000, 200000}};
	static const int64_t modest[][3] = {
		{10000, 15000, 15000}, {10000, 900000, 92500}, {10000, 900000, 92500}};
	static const int64_t too_much[][3] = {{60000, 90000, 60000}, {60000, 70000, 60000}};
	static const int64_t no_minima[][3] = {{0, 900000, 34}, {0, 900000, 33}, {0, 900000, 33}};

	assert_divided(1000000, 2, enough);
	assert_divided(300000, 2, by_minima);
	assert_divided(200000, 3, modest);
	assert_divided(100000, 2, too_much);
	assert_divided(100, 3, no_minima);
}
END_TEST

/* Check forks for each test, which takes a tenth of a second with a sanitizer. */
enum { PER_PROCESS = 20 };

/* Never more than there is, all of it if anybody wants it, nobody more than he wants. */
static void divide_at_random(uint64_t seed)
{
	struct rng r;
	struct rateshare part[20];
	int64_t sum = 0, wanted = 0, minima = 0, total;

	rng_init(&r, seed, "rateshare", "test");
	total = (int64_t)rng_below(&r, 2000000) + 1;
	size_t n = 1 + rng_below(&r, 20);

	for (size_t i = 0; i < n; i++) {
		part[i] = (struct rateshare){.min_bps = (int64_t)rng_below(&r, 50000),
					     .want_bps = (int64_t)rng_below(&r, 200000)};
		minima += part[i].min_bps;
		wanted += part[i].want_bps > part[i].min_bps ? part[i].want_bps : part[i].min_bps;
	}
	rateshare_divide(part, n, total);
	for (size_t i = 0; i < n; i++) {
		sum += part[i].got_bps;
		ck_assert_int_ge(part[i].got_bps, part[i].min_bps);
		if (part[i].got_bps > part[i].min_bps)
			ck_assert_int_le(part[i].got_bps, part[i].want_bps);
	}
	if (minima >= total)
		ck_assert_int_eq(sum, minima);
	else
		ck_assert_int_eq(sum, wanted < total ? wanted : total);
}

START_TEST(division_is_exact)
{
	for (uint64_t i = 0; i < PER_PROCESS; i++)
		divide_at_random((uint64_t)_i * PER_PROCESS + i);
}
END_TEST

struct letter {
	bool to_giver;
	struct grant_ask ask;
	struct grant_give give;
};

struct pair {
	struct grant_asker a;
	struct grant_giver g;
	VEC(struct letter) wire;
	struct rng r;
};

static void send(struct pair *p, bool to_giver)
{
	struct letter l = {.to_giver = to_giver, .ask = p->a.ask, .give = p->g.give};

	vec_push(&p->wire, l);
}

static void assert_safe(const struct pair *p)
{
	ck_assert_int_le(p->a.ask.have_bps, p->g.held_bps);
	ck_assert_int_ge(p->g.held_bps, p->g.give.limit_bps);
	ck_assert_int_le(p->a.limit_bps, p->a.ask.have_bps);
	ck_assert_int_le(p->a.ask.have_bps, p->a.ask.want_bps);
}

/* A letter arrives: any of those under way, once or again and again, or never. */
static void arrive(struct pair *p)
{
	size_t i = rng_below(&p->r, p->wire.n);
	struct letter l = p->wire.at[i];

	if (rng_below(&p->r, 4))
		vec_remove(&p->wire, i);
	if (!rng_below(&p->r, 5))
		return;
	if (l.to_giver) {
		grant_giver_hear(&p->g, &l.ask);
		send(p, false);
		return;
	}
	grant_asker_hear(&p->a, &l.give);
	if (rng_below(&p->r, 2) && grant_asker_confirm(&p->a))
		send(p, true);
}

static void step(struct pair *p)
{
	int64_t rate = (int64_t)rng_below(&p->r, 1000);

	switch (rng_below(&p->r, 6)) {
	case 0:
		if (grant_asker_want(&p->a, 0, rate))
			send(p, true);
		break;
	case 1:
		if (grant_giver_set(&p->g, 0, rate < p->g.want_bps ? rate : p->g.want_bps))
			send(p, false);
		break;
	case 2:
		if (!rng_below(&p->r, 20) && grant_asker_fall(&p->a, rate))
			send(p, true);
		break;
	default:
		if (p->wire.n)
			arrive(p);
	}
}

/* At no time has the asker more than the giver counts; in the end both agree. */
static void lend_at_random(uint64_t seed)
{
	struct pair p = {0};

	rng_init(&p.r, seed, "grant", "test");
	grant_asker_init(&p.a, 0, 1000);
	grant_giver_init(&p.g, 0, 5000);
	for (int i = 0; i < 2000; i++) {
		step(&p);
		assert_safe(&p);
	}
	/* One round that gets through heals everything, whatever old letters come after. */
	for (int i = 0; i < 2; i++) {
		grant_giver_hear(&p.g, &p.a.ask);
		grant_asker_hear(&p.a, &p.g.give);
		grant_asker_confirm(&p.a);
	}
	grant_giver_hear(&p.g, &p.a.ask);
	ck_assert_int_eq(p.a.limit_bps, p.g.give.limit_bps);
	ck_assert_int_eq(p.g.held_bps, p.g.give.limit_bps);
	ck_assert(p.a.answered);
	while (p.wire.n) {
		struct letter l = p.wire.at[--p.wire.n];

		if (l.to_giver)
			grant_giver_hear(&p.g, &l.ask);
		else
			grant_asker_hear(&p.a, &l.give);
		assert_safe(&p);
		ck_assert_int_eq(p.a.limit_bps, p.g.give.limit_bps);
	}
	vec_free(&p.wire);
}

START_TEST(nothing_is_lent_twice)
{
	for (uint64_t i = 0; i < PER_PROCESS; i++)
		lend_at_random((uint64_t)_i * PER_PROCESS + i);
}
END_TEST

/* A giver that was born again counts what its predecessor had lent. */
START_TEST(giver_begins_anew)
{
	struct grant_asker a;
	struct grant_giver g;

	grant_asker_init(&a, 0, 1);
	grant_giver_init(&g, 0, 1);
	grant_asker_want(&a, 0, 500);
	grant_giver_hear(&g, &a.ask);
	grant_giver_set(&g, 0, 500);
	grant_asker_hear(&a, &g.give);
	grant_asker_confirm(&a);
	grant_giver_init(&g, 0, 1000000);
	grant_giver_hear(&g, &a.ask);
	ck_assert_int_eq(g.held_bps, 500);
	ck_assert_int_eq(g.give.limit_bps, 0);
	grant_giver_set(&g, 0, 300);
	ck_assert(grant_asker_hear(&a, &g.give));
	ck_assert_int_eq(a.limit_bps, 300);
	ck_assert(grant_asker_confirm(&a));
	grant_giver_hear(&g, &a.ask);
	ck_assert_int_eq(g.held_bps, 300);
}
END_TEST

START_TEST(words_there_and_back)
{
	struct grant_ask a = {.serial = 7, .seen = 6, .min_bps = 1, .want_bps = 3, .have_bps = 2};
	struct grant_give g = {.serial = 1, .seen = 2, .min_bps = 0, .limit_bps = GRANT_MAX_BPS};
	struct grant_ask a2;
	struct grant_give g2;
	struct arena mem = {0};
	struct words w;
	char text[256];
	FILE *f = fmemopen(text, sizeof(text), "w");

	grant_ask_put(f, &a);
	fclose(f);
	ck_assert_str_eq(text, "serial=7 seen=6 min=1 want=3 have=2");
	ck_assert_int_eq(words_split(text, strlen(text), &mem, &w, NULL), 0);
	ck_assert_int_eq(grant_ask_get(&w, &a2, NULL), 0);
	ck_assert_mem_eq(&a, &a2, sizeof(a));
	ck_assert_int_eq(grant_give_get(&w, &g2, NULL), -1);
	f = fmemopen(text, sizeof(text), "w");
	grant_give_put(f, &g);
	fclose(f);
	ck_assert_int_eq(words_split(text, strlen(text), &mem, &w, NULL), 0);
	ck_assert_int_eq(grant_give_get(&w, &g2, NULL), 0);
	ck_assert_mem_eq(&g, &g2, sizeof(g));
	arena_finish(&mem);
}
END_TEST

START_TEST(bad_words_are_refused)
{
	static const char *const lines[] = {
		"",
		"serial=1 seen=1 min=1 want=1",
		"serial=1 seen=1 min=1 want=1 have=",
		"serial=-1 seen=1 min=1 want=1 have=1",
		"serial=1 seen=x min=1 want=1 have=1",
		"serial=1 seen=1 min=1000000000000001 want=1 have=1",
		"serial=99999999999999999999 seen=1 min=1 want=1 have=1",
	};
	struct arena mem = {0};
	struct words w;
	struct grant_ask a;

	ck_assert_int_eq(words_split(lines[_i], strlen(lines[_i]), &mem, &w, NULL), 0);
	ck_assert_int_eq(grant_ask_get(&w, &a, NULL), -1);
	arena_finish(&mem);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("grant");
	TCase *t = tcase_create("all");

	tcase_add_test(t, rates_are_divided);
	tcase_add_loop_test(t, division_is_exact, 0, 500 / PER_PROCESS);
	tcase_add_loop_test(t, nothing_is_lent_twice, 0, 300 / PER_PROCESS);
	tcase_add_test(t, giver_begins_anew);
	tcase_add_test(t, words_there_and_back);
	tcase_add_loop_test(t, bad_words_are_refused, 0, 7);
	suite_add_tcase(s, t);
	return suite_run(s);
}
