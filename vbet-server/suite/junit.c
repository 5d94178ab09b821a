/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * There is no standard for this XML. What Jenkins, GitLab and GitHub's reporters all read is
 * <testsuites>, <testsuite>, <testcase>, <failure>, <error> and <skipped> with the attributes used
 * here.
 */
#include "vbet-server/suite/junit.h"

#include "lib/xalloc.h"

#include <stdlib.h>

/*
 * XML 1.0 has no way at all to write most control characters (2.2). Texts come without them
 * (suite.h), but file names are the user's.
 */
static void put_text(FILE *out, const char *text)
{
	for (const char *p = text; *p; p++) {
		unsigned char c = (unsigned char)*p;

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c == '\n' || c == '\t')
			fprintf(out, "&#%d;", c);
		else if (c < ' ' || c == 0x7f)
			fprintf(out, "\\x%02x", c);
		else
			fputc(c, out);
	}
}

static void put_attribute(FILE *out, const char *name, const char *value)
{
	fprintf(out, " %s=\"", name);
	put_text(out, value);
	fputc('"', out);
}

static void put_seconds(FILE *out, int64_t ns)
{
	fprintf(out, " time=\"%.3f\"", (double)ns / 1e9);
}

/* What people look at: the message, what was seen, and the hint. */
static void put_reasons(FILE *out, const struct suite_check *k)
{
	put_text(out, k->message);
	fputs("&#10;", out);
	put_text(out, k->detail);
	if (!*k->hint)
		return;
	fputs("hint: ", out);
	put_text(out, k->hint);
	fputs("&#10;", out);
}

/* No reader knows of warnings. What is skipped is told, and fails nothing. */
static void write_check(FILE *out, const char *name, const struct suite_check *k)
{
	bool is_good = k->held || k->kind == SUITE_NOTE;
	const char *element = suite_check_fails(k) ? "failure" : "skipped";
	char *what = suite_check_title(k);

	fputs("    <testcase", out);
	put_attribute(out, "classname", name);
	put_attribute(out, "name", what);
	fputs(" time=\"0\">\n", out);
	if (k->kind == SUITE_EXPECT)
		fprintf(out,
			"      <properties><property name=\"level\" value=\"%s\"/></properties>\n",
			graph_level_name(k->level));
	if (!is_good) {
		fprintf(out, "      <%s", element);
		put_attribute(out, "message", k->message);
		if (suite_check_fails(k))
			put_attribute(out, "type", suite_check_kind_name(k->kind));
		fputc('>', out);
		put_reasons(out, k);
		fprintf(out, "</%s>\n", element);
	}
	fputs("    </testcase>\n", out);
	free(what);
}

static bool is_error(const struct suite_case *c)
{
	return c->outcome == SUITE_WRONG || c->outcome == SUITE_BROKEN || c->outcome == SUITE_LATE;
}

static void write_lab(FILE *out, const char *name, const struct suite_case *c)
{
	fputs("    <testcase", out);
	put_attribute(out, "classname", name);
	put_attribute(out, "name", "lab");
	put_seconds(out, c->wall_ns);
	fputs(">\n", out);
	if (is_error(c)) {
		fputs("      <error", out);
		put_attribute(out, "message", c->trouble);
		put_attribute(out, "type", suite_outcome_name(c->outcome));
		fputs("/>\n", out);
	} else if (c->outcome == SUITE_SKIPPED) {
		fputs("      <skipped/>\n", out);
	}
	if (c->archive || c->again) {
		fputs("      <system-out>", out);
		put_text(out, c->archive ? c->archive : "");
		fputs("&#10;", out);
		put_text(out, c->again ? c->again : "");
		fputs("</system-out>\n", out);
	}
	fputs("    </testcase>\n", out);
}

static void write_case(FILE *out, const struct suite_case *c)
{
	char *name = suite_case_name(c);
	bool is_skipped = c->outcome == SUITE_SKIPPED;
	struct suite_count n = suite_case_count(c);
	const struct suite_check **checks = suite_case_in_order(c);

	fputs("  <testsuite", out);
	put_attribute(out, "name", name);
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%d\" skipped=\"%zu\"",
		c->checks.n + 1, n.missed + n.refused, is_error(c), n.excused + is_skipped);
	put_seconds(out, c->wall_ns);
	fputs(">\n", out);
	write_lab(out, name, c);
	for (size_t i = 0; i < c->checks.n; i++)
		write_check(out, name, checks[i]);
	fputs("  </testsuite>\n", out);
	free(checks);
	free(name);
}

void junit_write(FILE *out, const struct suite *s)
{
	struct suite_count n = suite_count(s);
	size_t tests = 0;

	for (size_t i = 0; i < s->cases.n; i++)
		tests += s->cases.at[i]->checks.n + 1;
	fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"vbet\"");
	fprintf(out, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"", tests,
		n.missed + n.refused, n.of[SUITE_WRONG] + n.of[SUITE_BROKEN] + n.of[SUITE_LATE],
		n.of[SUITE_SKIPPED] + n.excused);
	put_seconds(out, s->wall_ns);
	fputs(">\n", out);
	for (size_t i = 0; i < s->cases.n; i++)
		write_case(out, s->cases.at[i]);
	fputs("</testsuites>\n", out);
}
