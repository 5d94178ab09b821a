/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the tests of cables share. */
#ifndef TESTS_UNIT_CABLE_HELP_H
#define TESTS_UNIT_CABLE_HELP_H

#include "lib/words.h"
#include "substrate/cable/cable_dir.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define SECOND  INT64_C(1000000000)
#define MS      INT64_C(1000000)
#define FOREVER (INT64_C(1) << 60)

static inline struct linkspec link_of(const char *line)
{
	struct arena a = {0};
	struct linkspec s = {0};
	struct words w;
	struct err e = {0};

	ck_assert_msg(words_split(line, strlen(line), &a, &w, &e) == 0, "%s", e.text);
	for (size_t i = 0; i < w.n; i++) {
		char *eq = strchr(w.at[i], '=');

		ck_assert_ptr_nonnull(eq);
		*eq = '\0';
		ck_assert_msg(linkspec_set(&s, w.at[i], eq + 1, &e) == 0, "%s", e.text);
	}
	arena_finish(&a);
	return s;
}

/* A cable from words such as "rate=10Mbit delay=1ms". */
static inline struct cable_dir *cable_of(const char *line)
{
	struct linkspec s = link_of(line);

	return cable_dir_create(&s, 1, "a-b");
}

static inline void change_cable(struct cable_dir *d, const char *line, int64_t now_ns)
{
	struct linkspec s = link_of(line);

	cable_dir_change(d, &s, now_ns);
}

/* When the frame arrives; fails if it does not, or does twice. */
static inline int64_t due_ns(struct cable_dir *d, uint32_t len, int64_t now_ns)
{
	struct cable_verdict v = cable_dir_offer(d, len, NULL, now_ns);

	/* Every ck_assert writes to a pipe: not for each of a million frames. */
	if (v.drop != CABLE_PASS || v.n_copies != 1)
		ck_abort_msg("%s, %u copies", cable_drop_name(v.drop), v.n_copies);
	return v.copy[0].due_ns;
}

static inline enum cable_drop drop_of(struct cable_dir *d, uint32_t len, int64_t now_ns)
{
	return cable_dir_offer(d, len, NULL, now_ns).drop;
}

static inline void assert_ns(int64_t is, int64_t wanted)
{
	if (is != wanted)
		ck_assert_int_eq(is, wanted);
}

static inline double square_root(double x)
{
	double y = x > 1 ? x : 1;

	for (int i = 0; i < 60; i++)
		y = (y + x / y) / 2;
	return y;
}

/*
 * k successes of n at chance p lie within 4 deviations of n p: a right implementation fails with
 * a chance below 1 in 15,000 per seed, and the seeds are fixed.
 */
static inline void assert_binomial(uint64_t k, uint64_t n, double p)
{
	double mean = (double)n * p;
	double off = (double)k - mean;

	if (off < 0)
		off = -off;
	ck_assert_msg(off <= 4 * square_root(mean * (1 - p)) + 1e-9,
		      "%llu of %llu where %f were expected", (unsigned long long)k,
		      (unsigned long long)n, mean);
}

/* Chi-square of equally likely bins, bounded at mean + 4 deviations (confidence above 99.9 %). */
static inline void assert_uniform(const uint64_t *bin, size_t bins, uint64_t n)
{
	double expected = (double)n / (double)bins;
	double chi = 0;

	for (size_t i = 0; i < bins; i++)
		chi += ((double)bin[i] - expected) * ((double)bin[i] - expected) / expected;
	double df = (double)bins - 1;

	ck_assert_msg(chi < df + 4 * square_root(2 * df), "chi-square %f with %f degrees", chi, df);
}

#endif
