/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/suite/suite.h"

#include "lib/err.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = {
	[SUITE_WAITS] = "waits",   [SUITE_RUNS] = "runs",       [SUITE_PASSED] = "passed",
	[SUITE_FAILED] = "failed", [SUITE_WRONG] = "wrong",     [SUITE_BROKEN] = "broken",
	[SUITE_LATE] = "late",     [SUITE_SKIPPED] = "skipped",
};
_Static_assert(ARRAY_LEN(outcome_names) == SUITE_OUTCOMES, "names out of step with outcomes");

static const char *const kind_names[] = {
	[SUITE_EXPECT] = "expect",
	[SUITE_ACTION] = "action",
	[SUITE_NOTE] = "note",
};
_Static_assert(ARRAY_LEN(kind_names) == SUITE_CHECK_KINDS, "names out of step with kinds");

static size_t find(const char *const *names, size_t n, const char *name)
{
	size_t i = 0;

	while (i < n && strcmp(names[i], name) != 0)
		i++;
	return i;
}

const char *suite_outcome_name(enum suite_outcome o)
{
	return outcome_names[o];
}

enum suite_outcome suite_find_outcome(const char *name)
{
	return (enum suite_outcome)find(outcome_names, SUITE_OUTCOMES, name);
}

const char *suite_check_kind_name(enum suite_check_kind kind)
{
	return kind_names[kind];
}

enum suite_check_kind suite_find_check_kind(const char *name)
{
	return (enum suite_check_kind)find(kind_names, SUITE_CHECK_KINDS, name);
}

enum suite_outcome suite_outcome_of(int status)
{
	static const enum suite_outcome of[] = {
		[0] = SUITE_PASSED,       [ERR_EXPECT] = SUITE_FAILED, [ERR_USAGE] = SUITE_WRONG,
		[ERR_ENV] = SUITE_BROKEN, [ERR_TIMEOUT] = SUITE_LATE,
	};

	return status >= 0 && (size_t)status < ARRAY_LEN(of) ? of[status] : SUITE_BROKEN;
}

struct suite_case *suite_add(struct suite *s, const struct suite_case *like)
{
	struct suite_case *c = xcalloc(1, sizeof(*c));

	*c = (struct suite_case){
		.number = s->cases.n + 1,
		.file = xstrdup(like->file),
		.lab = xstrdup(like->lab),
		.is_virtual = like->is_virtual,
		.n_nodes = like->n_nodes,
		.n_expects = like->n_expects,
		.n_points = like->n_points,
		.memory_bytes = like->memory_bytes,
		.round = like->round,
		.has_seed = like->has_seed,
		.seed = like->seed,
		.trouble = xstrdup(""),
	};
	vec_push(&s->cases, c);
	return c;
}

void suite_case_add_check(struct suite_case *c, const struct suite_check *check)
{
	vec_push(&c->checks, *check);
}

bool suite_check_fails(const struct suite_check *k)
{
	return k->kind == SUITE_ACTION ||
	       (k->kind == SUITE_EXPECT && !k->held && k->level == LEVEL_REQUIRED);
}

struct suite_count suite_case_count(const struct suite_case *c)
{
	struct suite_count n = {.done = 0};
	const struct suite_check *k;

	VEC_FOREACH (k, &c->checks) {
		bool is_expect = k->kind == SUITE_EXPECT;

		n.held += is_expect && k->held;
		n.missed += is_expect && suite_check_fails(k);
		n.excused += is_expect && !k->held && !suite_check_fails(k);
		n.refused += k->kind == SUITE_ACTION;
	}
	return n;
}

static int by_number(const void *a, const void *b)
{
	const struct suite_check *x = *(const struct suite_check *const *)a;
	const struct suite_check *y = *(const struct suite_check *const *)b;
	bool is_first = x->kind == SUITE_EXPECT;

	if (is_first != (y->kind == SUITE_EXPECT))
		return is_first ? -1 : 1;
	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	/* Both are in one array: it was told in this order. */
	return x < y ? -1 : x > y;
}

const struct suite_check **suite_case_in_order(const struct suite_case *c)
{
	const struct suite_check **all = xcalloc(c->checks.n + 1, sizeof(*all));

	for (size_t i = 0; i < c->checks.n; i++)
		all[i] = &c->checks.at[i];
	if (c->checks.n)
		qsort(all, c->checks.n, sizeof(*all), by_number);
	return all;
}

int64_t suite_case_points(const struct suite_case *c)
{
	const struct suite_check *k;
	int64_t points = 0;

	VEC_FOREACH (k, &c->checks)
		points += k->held ? k->points : 0;
	return points;
}

struct suite_count suite_count(const struct suite *s)
{
	struct suite_count n = {.done = 0};

	for (size_t i = 0; i < s->cases.n; i++) {
		const struct suite_case *c = s->cases.at[i];
		struct suite_count of_case = suite_case_count(c);

		n.of[c->outcome]++;
		n.done += c->outcome != SUITE_WAITS && c->outcome != SUITE_RUNS;
		n.held += of_case.held;
		n.missed += of_case.missed;
		n.excused += of_case.excused;
		n.refused += of_case.refused;
		n.points += suite_case_points(c);
		n.n_points += c->n_points;
	}
	return n;
}

char *suite_check_title(const struct suite_check *k)
{
	char worth[64] = "";

	if (k->points)
		snprintf(worth, sizeof(worth), "%s%" PRId64 " point%s", k->level ? ", " : "",
			 k->points, k->points == 1 ? "" : "s");
	if (!*k->name)
		return xasprintf("%s:%" PRId64 " %s", k->script, k->line, k->text);
	if (!k->points && !k->level)
		return xasprintf("%s:%" PRId64 " %s: %s", k->script, k->line, k->name, k->text);
	return xasprintf("%s:%" PRId64 " %s (%s%s): %s", k->script, k->line, k->name,
			 k->level ? graph_level_name(k->level) : "", worth, k->text);
}

char *suite_case_name(const struct suite_case *c)
{
	if (c->has_seed)
		return xasprintf("%s (seed %" PRIu64 ")", c->file, c->seed);
	return c->round ? xasprintf("%s (run %zu)", c->file, c->round + 1) : xstrdup(c->file);
}

int suite_status(const struct suite *s)
{
	int status = 0;

	for (size_t i = 0; i < s->cases.n; i++)
		if (s->cases.at[i]->status > status)
			status = s->cases.at[i]->status;
	return status;
}

/* What waits takes as long as what has ended took on average; what runs is taken for half done. */
int64_t suite_time_left(const struct suite *s)
{
	int64_t took_ns = 0;
	int64_t ended = 0;
	int64_t halves = 0;

	for (size_t i = 0; i < s->cases.n; i++) {
		const struct suite_case *c = s->cases.at[i];

		halves += c->outcome == SUITE_WAITS ? 2 : c->outcome == SUITE_RUNS;
		if (c->outcome == SUITE_WAITS || c->outcome == SUITE_RUNS)
			continue;
		took_ns += c->wall_ns;
		ended++;
	}
	if (!ended)
		return -1;
	return took_ns / ended * halves / 2 / (int64_t)(s->side_by_side ? s->side_by_side : 1);
}

void suite_case_free(struct suite_case *c)
{
	struct suite_check *k;

	VEC_FOREACH (k, &c->checks) {
		free(k->script);
		free(k->text);
		free(k->name);
		free(k->hint);
		free(k->message);
		free(k->detail);
	}
	vec_free(&c->checks);
	free(c->file);
	free(c->lab);
	free(c->trouble);
	free(c->archive);
	free(c->again);
	free(c);
}

void suite_finish(struct suite *s)
{
	for (size_t i = 0; i < s->cases.n; i++)
		suite_case_free(s->cases.at[i]);
	vec_free(&s->cases);
}
