/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/explore/explore_result.h"

#include "lib/columns.h"
#include "lib/json.h"
#include "lib/words.h"
#include "lib/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char *const outcome_names[] = {
	[EXPLORE_SKIPPED] = "skipped", [EXPLORE_HELD] = "held",
	[EXPLORE_BROKE] = "broke",     [EXPLORE_RESTLESS] = "restless",
	[EXPLORE_REFUSED] = "refused", [EXPLORE_TROUBLE] = "trouble",
};
_Static_assert(ARRAY_LEN(outcome_names) == EXPLORE_OUTCOMES, "names out of step with outcomes");

const char *explore_outcome_name(enum explore_outcome o)
{
	return outcome_names[o];
}

/* ---- as words ---- */

/* NUMBER OUTCOME SETTLED WALL TEXT KEPT, then what broke. */
enum { NUMBER, OUTCOME, SETTLED, WALL, TEXT, KEPT, BROKE };

void explore_result_put(FILE *out, const struct explore_result *r)
{
	struct strvec v = {0};
	char numbers[4][32];

	snprintf(numbers[0], sizeof(numbers[0]), "%zu", r->number);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", (int)r->outcome);
	snprintf(numbers[2], sizeof(numbers[2]), "%" PRId64, r->settled_ns);
	snprintf(numbers[3], sizeof(numbers[3]), "%" PRId64, r->wall_ns);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		vec_push(&v, numbers[i]);
	vec_push(&v, r->text);
	vec_push(&v, r->kept ? r->kept : "");
	for (size_t i = 0; i < r->broke.n; i++)
		vec_push(&v, r->broke.at[i]);
	words_put_line(out, (char *const *)v.at, v.n);
	vec_free(&v);
}

int explore_result_read(struct explore_result *r, const char *line, size_t len, struct err *e)
{
	struct arena a = {0};
	struct words w;

	memset(r, 0, sizeof(*r));
	int rc = words_split(line, len, &a, &w, e);

	if (rc == 0 && w.n < BROKE)
		rc = err_set(e, ERR_ENV, "that is no result: %.*s", (int)len, line);
	if (rc == 0) {
		unsigned long outcome = strtoul(w.at[OUTCOME], NULL, 10);

		r->number = strtoul(w.at[NUMBER], NULL, 10);
		r->outcome = outcome < EXPLORE_OUTCOMES ? (enum explore_outcome)outcome
							: EXPLORE_TROUBLE;
		r->settled_ns = strtoll(w.at[SETTLED], NULL, 10);
		r->wall_ns = strtoll(w.at[WALL], NULL, 10);
		r->text = xstrdup(w.at[TEXT]);
		r->kept = *w.at[KEPT] ? xstrdup(w.at[KEPT]) : NULL;
		for (size_t i = BROKE; i < w.n; i++)
			vec_push(&r->broke, xstrdup(w.at[i]));
	}
	arena_finish(&a);
	return rc;
}

void explore_result_report(FILE *out, const struct explore_result *r)
{
	fprintf(out, "%s: %s", r->text, explore_outcome_name(r->outcome));
	if (r->settled_ns >= 0)
		fprintf(out, ", quiet after %.3f s", (double)r->settled_ns / 1e9);
	fputc('\n', out);
	for (size_t i = 0; i < r->broke.n; i++)
		fprintf(out, "    %s\n", r->broke.at[i]);
}

void explore_result_finish(struct explore_result *r)
{
	for (size_t i = 0; i < r->broke.n; i++)
		free(r->broke.at[i]);
	vec_free(&r->broke);
	free(r->text);
	free(r->kept);
}

/* ---- who lost whom ---- */

enum { PAIRS_TOLD = 6 };

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, to be searched. */
static void take_lines(struct strvec *v, char *text)
{
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		vec_push(v, line);
	if (v->n)
		qsort(v->at, v->n, sizeof(*v->at), by_text);
}

static bool has(const struct strvec *v, const char *line)
{
	return v->n && bsearch(&line, v->at, v->n, sizeof(*v->at), by_text);
}

/* "A B" or "A B ipv6" the other way round, malloc'ed. */
static char *reversed(const char *line)
{
	size_t a = strcspn(line, " ");
	const char *second = line + a + 1;
	size_t b = strcspn(second, " ");

	return xasprintf("%.*s %.*s%s", (int)b, second, (int)a, line, second + b);
}

static void put_pair(FILE *out, const char *line, bool both)
{
	size_t a = strcspn(line, " ");

	fprintf(out, "%.*s %s %s", (int)a, line, both ? "and" : "to", line + a + 1);
}

char *explore_lost_text(char *before, char *after)
{
	struct strvec old = {0};
	struct strvec now = {0};
	size_t n = 0;
	char *list = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&list, &len);

	take_lines(&old, before);
	take_lines(&now, after);
	for (size_t i = 0; i < now.n; i++) {
		const char *line = now.at[i];
		char *back = reversed(line);
		bool both = has(&now, back) && !has(&old, back);

		/* What is lost in both directions is told once. */
		if (!has(&old, line) && !(both && strcmp(back, line) < 0) && n++ < PAIRS_TOLD) {
			fputs(n > 1 ? ", " : "", out);
			put_pair(out, line, both);
		}
		free(back);
	}
	fclose(out);
	char *text = !n ? NULL
			: xasprintf("%zu pair%s lost: %s%s", n, n == 1 ? " is" : "s are", list,
				    n > PAIRS_TOLD ? ", ..." : "");

	free(list);
	vec_free(&old);
	vec_free(&now);
	return text;
}

/* ---- all of them ---- */

/* How bad it is: what did not hold before what did, then the one that took longer. */
static int rank(const struct explore_result *r)
{
	static const int ranks[] = {
		[EXPLORE_RESTLESS] = 0, [EXPLORE_BROKE] = 0, [EXPLORE_REFUSED] = 1,
		[EXPLORE_TROUBLE] = 1,  [EXPLORE_HELD] = 2,  [EXPLORE_SKIPPED] = 3,
	};

	return ranks[r->outcome];
}

static int by_badness(const void *pa, const void *pb)
{
	const struct explore_result *a = pa;
	const struct explore_result *b = pb;

	if (rank(a) != rank(b))
		return rank(a) - rank(b);
	if ((a->outcome == EXPLORE_RESTLESS) != (b->outcome == EXPLORE_RESTLESS))
		return a->outcome == EXPLORE_RESTLESS ? -1 : 1;
	if (a->broke.n != b->broke.n)
		return a->broke.n > b->broke.n ? -1 : 1;
	if (a->settled_ns != b->settled_ns)
		return a->settled_ns > b->settled_ns ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

void explore_results_sort(struct explore_results *all)
{
	if (all->list.n)
		qsort(all->list.at, all->list.n, sizeof(*all->list.at), by_badness);
}

static size_t count(const struct explore_results *all, enum explore_outcome o)
{
	size_t n = 0;

	for (size_t i = 0; i < all->list.n; i++)
		n += all->list.at[i].outcome == o;
	return n;
}

int explore_results_status(const struct explore_results *all)
{
	size_t n = count(all, EXPLORE_BROKE) + count(all, EXPLORE_RESTLESS) +
		   count(all, EXPLORE_REFUSED);

	if (count(all, EXPLORE_TROUBLE))
		return ERR_ENV;
	return n ? ERR_EXPECT : 0;
}

static void put_row(FILE *out, const struct explore_result *r)
{
	const char *first = r->broke.n ? r->broke.at[0] : explore_outcome_name(r->outcome);

	if (r->settled_ns >= 0)
		fprintf(out, "%s\t%.3f s\t%s\n", r->text, (double)r->settled_ns / 1e9, first);
	else
		fprintf(out, "%s\t-\t%s\n", r->text, first);
	for (size_t i = 1; i < r->broke.n; i++)
		fprintf(out, "\t\t%s\n", r->broke.at[i]);
}

static void put_sum(FILE *out, const struct explore_results *all)
{
	static const enum explore_outcome told[] = {
		EXPLORE_BROKE, EXPLORE_RESTLESS, EXPLORE_REFUSED, EXPLORE_TROUBLE, EXPLORE_SKIPPED};

	fprintf(out, "%zu tried: %zu held", all->list.n, count(all, EXPLORE_HELD));
	for (size_t i = 0; i < ARRAY_LEN(told); i++)
		if (count(all, told[i]))
			fprintf(out, ", %zu %s", count(all, told[i]),
				explore_outcome_name(told[i]));
	fprintf(out, "; %.1f s\n", (double)all->wall_ns / 1e9);
}

/* What broke, and nobody did anything about: it may not have been noticed. */
static void put_hint(FILE *out, const struct explore_results *all)
{
	for (size_t i = 0; i < all->list.n; i++) {
		const struct explore_result *r = &all->list.at[i];

		if (r->outcome != EXPLORE_BROKE || r->settled_ns != 0)
			continue;
		fprintf(out,
			"hint: no routing table changed after %s. If a protocol needs longer to "
			"notice, give it more time: --rest 45s\n",
			r->text);
		return;
	}
}

static void put_again(FILE *out, const struct explore_results *all)
{
	for (size_t i = 0; i < all->list.n; i++) {
		const struct explore_result *r = &all->list.at[i];

		if (r->outcome != EXPLORE_BROKE && r->outcome != EXPLORE_RESTLESS)
			continue;
		if (r->kept)
			fprintf(out, "again: vbet replay %s\n", r->kept);
		else
			fprintf(out, "again: %s --only '%s'\n", all->again, r->text);
	}
}

void explore_table(FILE *out, const struct explore_results *all, size_t most)
{
	char *text = NULL;
	size_t len = 0;
	size_t left_out = 0;
	FILE *f = xmemstream(&text, &len);

	fputs("what was done\tquiet after\twhat came of it\n", f);
	for (size_t i = 0; i < all->list.n; i++) {
		bool held = all->list.at[i].outcome == EXPLORE_HELD;

		if (held && !most) {
			left_out++;
			continue;
		}
		most -= held;
		put_row(f, &all->list.at[i]);
	}
	fclose(f);
	columns_put(out, text, 1 << 1);
	free(text);
	if (left_out)
		fprintf(out, "... and %zu more that held and were quiet sooner\n", left_out);
	put_hint(out, all);
	put_again(out, all);
	put_sum(out, all);
}

void explore_json(FILE *out, const struct explore_result *r)
{
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_string(&j, "event", "case");
	json_uint(&j, "case", r->number + 1);
	json_string(&j, "done", r->text);
	json_string(&j, "outcome", explore_outcome_name(r->outcome));
	if (r->settled_ns >= 0)
		json_int(&j, "settled_ns", r->settled_ns);
	else
		json_string(&j, "settled_ns", NULL);
	json_open(&j, "broke", '[');
	for (size_t i = 0; i < r->broke.n; i++)
		json_string(&j, NULL, r->broke.at[i]);
	json_close(&j, ']');
	json_int(&j, "wall_ns", r->wall_ns);
	json_string(&j, "kept", r->kept);
	json_close(&j, '}');
	fputc('\n', out);
	fflush(out);
}

void explore_json_summary(FILE *out, const struct explore_results *all)
{
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_string(&j, "event", "summary");
	json_uint(&j, "cases", all->list.n);
	for (int o = EXPLORE_SKIPPED; o < EXPLORE_OUTCOMES; o++)
		json_uint(&j, explore_outcome_name((enum explore_outcome)o),
			  count(all, (enum explore_outcome)o));
	json_int(&j, "status", explore_results_status(all));
	json_int(&j, "wall_ns", all->wall_ns);
	json_close(&j, '}');
	fputc('\n', out);
	fflush(out);
}

void explore_results_finish(struct explore_results *all)
{
	for (size_t i = 0; i < all->list.n; i++)
		explore_result_finish(&all->list.at[i]);
	vec_free(&all->list);
}
