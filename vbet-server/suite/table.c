/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/suite/table.h"

#include "lib/columns.h"
#include "lib/visible.h"
#include "lib/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>

static const char *word_of(enum suite_outcome o)
{
	static const char *const words[] = {
		[SUITE_PASSED] = "PASS",   [SUITE_FAILED] = "FAIL", [SUITE_WRONG] = "WRONG",
		[SUITE_BROKEN] = "BROKEN", [SUITE_LATE] = "LATE",   [SUITE_SKIPPED] = "SKIPPED",
	};

	return words[o];
}

void table_case(FILE *out, const struct suite_case *c)
{
	char *name = suite_case_name(c);
	struct suite_count n = suite_case_count(c);

	fprintf(out, "%s %s: ", word_of(c->outcome), name);
	if (c->n_expects)
		fprintf(out, "%zu of %zu expectation%s held, ", n.held, c->n_expects,
			c->n_expects == 1 ? "" : "s");
	if (c->n_points)
		fprintf(out, "%" PRId64 " of %" PRId64 " point%s, ", suite_case_points(c),
			c->n_points, c->n_points == 1 ? "" : "s");
	if (n.excused)
		fprintf(out, "%zu did not have to, ", n.excused);
	if (n.refused)
		fprintf(out, "%zu action%s not done, ", n.refused, n.refused == 1 ? "" : "s");
	fprintf(out, "%.1f s\n", (double)c->wall_ns / 1e9);
	for (size_t i = 0; i < c->checks.n; i++) {
		const struct suite_check *k = &c->checks.at[i];

		if (k->held)
			continue;
		char *title = suite_check_title(k);

		fprintf(out, "    %s: %s\n", title, k->message);
		free(title);
		if (*k->hint)
			fprintf(out, "        hint: %s\n", k->hint);
		visible_put_lines(out, "        ", k->detail);
	}
	if (*c->trouble)
		visible_put_lines(out, "    ", c->trouble);
	if (c->archive)
		fprintf(out, "    kept: %s\n", c->archive);
	if (c->again)
		fprintf(out, "    again: %s\n", c->again);
	fflush(out);
	free(name);
}

static void put_row(FILE *out, const struct suite_case *c)
{
	char *name = suite_case_name(c);
	struct suite_count n = suite_case_count(c);

	fprintf(out, "%s\t%s\t%zu\t%zu\t%.3f s\t%.1f s\n", name, suite_outcome_name(c->outcome),
		n.held, c->n_expects, (double)c->lab_ns / 1e9, (double)c->wall_ns / 1e9);
	free(name);
}

static void put_sum(FILE *out, const struct suite *s)
{
	struct suite_count n = suite_count(s);

	fprintf(out, "%zu run%s:", s->cases.n, s->cases.n == 1 ? "" : "s");
	const char *comma = "";

	for (int o = SUITE_PASSED; o < SUITE_OUTCOMES; o++) {
		if (!n.of[o])
			continue;
		fprintf(out, "%s %zu %s", comma, n.of[o],
			suite_outcome_name((enum suite_outcome)o));
		comma = ",";
	}
	fprintf(out, "; %zu expectation%s held, %zu did not", n.held, n.held == 1 ? "" : "s",
		n.missed);
	if (n.excused)
		fprintf(out, ", %zu did not have to", n.excused);
	if (n.n_points)
		fprintf(out, "; %" PRId64 " of %" PRId64 " point%s", n.points, n.n_points,
			n.n_points == 1 ? "" : "s");
	fprintf(out, "; %.1f s\n", (double)s->wall_ns / 1e9);
}

void table_all(FILE *out, const struct suite *s)
{
	char *rows = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&rows, &len);

	fputs("\nscript\toutcome\theld\tof\tlab's time\ttook\n", f);
	for (size_t i = 0; i < s->cases.n; i++)
		put_row(f, s->cases.at[i]);
	fclose(f);
	columns_put(out, rows, 0x3c);
	free(rows);
	put_sum(out, s);
	fflush(out);
}

void table_list(FILE *out, const struct suite *s)
{
	for (size_t i = 0; i < s->cases.n; i++) {
		const struct suite_case *c = s->cases.at[i];
		char *name = suite_case_name(c);

		if (*c->lab)
			fprintf(out, "%s: lab %s, %s clock, %zu node%s, %zu expectation%s\n", name,
				c->lab, c->is_virtual ? "virtual" : "real", c->n_nodes,
				c->n_nodes == 1 ? "" : "s", c->n_expects,
				c->n_expects == 1 ? "" : "s");
		else
			fprintf(out, "%s: has mistakes\n", name);
		free(name);
	}
}

/* Seconds, and from two minutes on minutes. */
static void put_left(FILE *out, int64_t ns)
{
	int64_t s = (ns + 999999999) / 1000000000;

	if (s < 120)
		fprintf(out, ", %" PRId64 " s left", s);
	else
		fprintf(out, ", %" PRId64 " min left", (s + 30) / 60);
}

static void put_running(FILE *out, const struct suite *s)
{
	const char *before = " (";
	size_t n = 0;

	for (size_t i = 0; i < s->cases.n; i++) {
		const struct suite_case *c = s->cases.at[i];

		if (c->outcome != SUITE_RUNS)
			continue;
		fprintf(out, "%s%s", before, *c->lab ? c->lab : c->file);
		before = ", ";
		n++;
	}
	fputs(n ? ")" : "", out);
}

char *table_progress(const struct suite *s, bool is_endless, size_t columns)
{
	struct suite_count n = suite_count(s);
	size_t bad = n.done - n.of[SUITE_PASSED] - n.of[SUITE_SKIPPED];
	int64_t left_ns = is_endless ? -1 : suite_time_left(s);
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	if (is_endless)
		fprintf(f, "%zu done", n.done);
	else
		fprintf(f, "%zu of %zu done", n.done, s->cases.n);
	if (bad)
		fprintf(f, ", %zu not passed", bad);
	if (left_ns >= 0)
		put_left(f, left_ns);
	fprintf(f, ", %zu running", n.of[SUITE_RUNS]);
	put_running(f, s);
	fclose(f);
	/* A line that wraps could not be written over. Names of labs are ASCII, paths may not be.
	 */
	if (len > columns) {
		len = columns;
		while (len && ((unsigned char)text[len] & 0xc0) == 0x80)
			len--;
		text[len] = '\0';
	}
	return text;
}
