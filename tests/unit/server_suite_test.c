/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Suites of tests as values: which scripts are meant, and what is written of how they fared. */
#include "vbet-server/suite/archive.h"
#include "vbet-server/suite/choose.h"
#include "vbet-server/suite/find.h"
#include "vbet-server/suite/junit.h"
#include "vbet-server/suite/news.h"
#include "vbet-server/suite/table.h"
#include "vbet-server/suite/tap.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the user may call a file, and a guest may print. */
#define HOSTILE "<a>&\"'\\ #1 ]]> \xc3\xa4"

static struct suite suite;

static struct suite_case *add(const char *file, enum suite_outcome outcome, int status)
{
	struct suite_case like = {.file = (char *)file, .lab = "lab", .n_expects = 1};
	struct suite_case *c = suite_add(&suite, &like);

	c->outcome = outcome;
	c->status = status;
	c->wall_ns = INT64_C(1500000000);
	c->lab_ns = INT64_C(2250000000);
	return c;
}

static void add_check(struct suite_case *c, bool held, const char *text, const char *detail)
{
	struct suite_check k = {
		.kind = SUITE_EXPECT,
		.held = held,
		.script = xstrdup(c->file),
		.line = 3,
		.text = xstrdup(text),
		.name = xstrdup(""),
		.hint = xstrdup(""),
		.message = xstrdup(held ? "held at 1.000 s" : "did not hold"),
		.detail = xstrdup(detail),
		.time_ns = INT64_C(1000000000),
	};

	suite_case_add_check(c, &k);
}

static void set_up(void)
{
	struct suite_case *c;

	memset(&suite, 0, sizeof(suite));
	suite.side_by_side = 2;
	suite.wall_ns = INT64_C(3000000000);
	add_check(add("a.vbet", SUITE_PASSED, 0), true, "expect ping(a, b)", "");
	c = add(HOSTILE, SUITE_FAILED, 1);
	add_check(c, false, "expect exec(a, \"" HOSTILE "\")", "seen:\n  | " HOSTILE "\n");
	c = add("c.vbet", SUITE_BROKEN, 3);
	free(c->trouble);
	c->trouble = xstrdup("first\nsecond");
	add("d.vbet", SUITE_SKIPPED, 0);
}

static void tear_down(void)
{
	suite_finish(&suite);
}

static char *text;
static size_t text_len;

static FILE *open_text(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &text_len);
}

static void has(const char *part)
{
	ck_assert_msg(strstr(text, part) != NULL, "no '%s' in\n%s", part, text);
}

static void has_not(const char *part)
{
	ck_assert_msg(strstr(text, part) == NULL, "'%s' in\n%s", part, text);
}

/* ---- which ---- */

START_TEST(a_filter_takes_parts_and_patterns)
{
	ck_assert(choose_is_meant(NULL, "x/a.vbet", "a"));
	ck_assert(choose_is_meant("", "x/a.vbet", "a"));
	ck_assert(choose_is_meant("ospf", "x/ospf-two.vbet", "a"));
	ck_assert(choose_is_meant("ospf", "x/a.vbet", "my-ospf"));
	ck_assert(!choose_is_meant("ospf", "x/a.vbet", "a"));
	ck_assert(choose_is_meant("x/*.vbet", "x/y/a.vbet", "a"));
	ck_assert(!choose_is_meant("x/?.vbet", "x/ab.vbet", "ab"));
	ck_assert(choose_is_meant("bgp,ospf", "ospf", ""));
}
END_TEST

START_TEST(a_filter_takes_out)
{
	ck_assert(!choose_is_meant("!slow", "slow.vbet", "slow"));
	ck_assert(choose_is_meant("!slow", "fast.vbet", "fast"));
	ck_assert(!choose_is_meant("ospf,!slow", "ospf-slow.vbet", "x"));
	ck_assert(!choose_is_meant("!slow,ospf", "bgp.vbet", "bgp"));
	ck_assert(choose_is_meant(",!,", "a.vbet", "a"));
}
END_TEST

static void put(const char *path, const char *script)
{
	FILE *f = fopen(path, "we");

	ck_assert_ptr_nonnull(f);
	fputs(script, f);
	fclose(f);
}

START_TEST(directories_are_searched_for_what_expects)
{
	char dir[] = "/tmp/vbet-suite-XXXXXX";
	struct found f = {.levels = 1u << LEVEL_REQUIRED};
	struct err e = {0};

	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	mkdir("sub", 0700);
	mkdir(".git", 0700);
	put("b.vbet", "a = alloc(host)\nexpect at 1s exec(a, \"true\")\n");
	put("silent.vbet", "a = alloc(host)\n");
	put("sub/wrong.vbet", "a = aloc(host)\n");
	put(".git/c.vbet", "a = alloc(host)\nexpect at 1s exec(a, \"true\")\n");
	put("notes.txt", "expect");
	ck_assert_int_eq(symlink(".", "loop"), 0);
	ck_assert_int_eq(find_path(&f, ".", NULL, &e), 0);
	ck_assert_uint_eq(f.scripts.cases.n, 2);
	ck_assert_str_eq(f.scripts.cases.at[0]->file, "b.vbet");
	ck_assert_str_eq(f.scripts.cases.at[0]->lab, "b");
	ck_assert_int_gt(f.scripts.cases.at[0]->memory_bytes, 0);
	ck_assert_str_eq(f.scripts.cases.at[1]->file, "sub/wrong.vbet");
	ck_assert_uint_eq(f.silent, 1);
	/* Once each; and what is named counts in any case. */
	ck_assert_int_eq(find_path(&f, "b.vbet", NULL, &e), 0);
	ck_assert_int_eq(find_path(&f, "silent.vbet", NULL, &e), 0);
	ck_assert_uint_eq(f.scripts.cases.n, 3);
	ck_assert_int_eq(find_path(&f, "absent", NULL, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	find_finish(&f);
	ck_assert_int_eq(chdir("/"), 0);
	text = xasprintf("rm -r %s", dir);
	ck_assert_int_eq(system(text), 0); /* NOLINT: a path of ours */
}
END_TEST

/* ---- what is counted ---- */

START_TEST(the_worst_status_is_that_of_all)
{
	struct suite_count n = suite_count(&suite);

	ck_assert_int_eq(suite_status(&suite), 3);
	ck_assert_uint_eq(n.of[SUITE_PASSED], 1);
	ck_assert_uint_eq(n.of[SUITE_FAILED], 1);
	ck_assert_uint_eq(n.held, 1);
	ck_assert_uint_eq(n.missed, 1);
	ck_assert_uint_eq(n.done, 4);
	ck_assert_int_eq(suite_outcome_of(4), SUITE_LATE);
	ck_assert_int_eq(suite_outcome_of(77), SUITE_BROKEN);
}
END_TEST

START_TEST(time_left_is_told_from_what_has_ended)
{
	ck_assert_int_eq(suite_time_left(&suite), 0);
	add("e.vbet", SUITE_WAITS, 0);
	add("f.vbet", SUITE_WAITS, 0);
	/* Two of 1.5 s, two at once. */
	ck_assert_int_eq(suite_time_left(&suite), INT64_C(1500000000));
	add("g.vbet", SUITE_RUNS, 0);
	char *line = table_progress(&suite, false, 200);

	ck_assert_str_eq(line, "4 of 7 done, 2 not passed, 2 s left, 1 running (lab)");
	free(line);
	line = table_progress(&suite, true, 12);
	ck_assert_str_eq(line, "4 done, 2 no");
	free(line);
}
END_TEST

START_TEST(names_tell_runs_of_one_script_apart)
{
	struct suite_case *c = add("x/../a b.vbet", SUITE_WAITS, 0);
	char *name;
	char *path;

	c->round = 2;
	name = suite_case_name(c);
	path = archive_path("art", c);
	ck_assert_str_eq(name, "x/../a b.vbet (run 3)");
	ck_assert_str_eq(path, "art/x_.._a_b-run3");
	free(name);
	free(path);
	c->has_seed = true;
	c->seed = UINT64_MAX;
	name = suite_case_name(c);
	ck_assert_str_eq(name, "x/../a b.vbet (seed 18446744073709551615)");
	free(name);
}
END_TEST

/* ---- what is written ---- */

/* What an expectation is called, and what it is worth, is in all that is written. */
static struct suite_check *add_numbered(struct suite_case *c, size_t number, bool held,
					enum graph_level level)
{
	char *name = xasprintf("expect %zu", number);

	add_check(c, held, name, "");
	free(name);
	struct suite_check *k = &c->checks.at[c->checks.n - 1];

	k->number = number;
	k->level = level;
	return k;
}

/* In the order of the script, whatever was decided first. */
START_TEST(junit_has_the_order_of_the_script)
{
	struct suite_case *c = add("e.vbet", SUITE_PASSED, 0);
	FILE *f;

	add_numbered(c, 1, true, LEVEL_REQUIRED)->kind = SUITE_NOTE;
	for (size_t number = 12; number; number--)
		add_numbered(c, number, true, LEVEL_REQUIRED);
	f = open_text();
	junit_write(f, &suite);
	fclose(f);
	const char *at = strstr(text, "e.vbet:3 expect 1\"");

	ck_assert_ptr_nonnull(at);
	for (size_t number = 2; number <= 12; number++) {
		char *next = xasprintf("e.vbet:3 expect %zu\"", number);

		at = strstr(at, next);
		ck_assert_ptr_nonnull(at);
		free(next);
	}
	ck_assert_ptr_nonnull(strstr(at + 1, "e.vbet:3 expect 1\""));
}
END_TEST

START_TEST(what_does_not_have_to_hold_fails_nothing)
{
	struct suite_case *c = add("e.vbet", SUITE_PASSED, 0);
	struct suite_case *to = add("to.vbet", SUITE_RUNS, 0);

	add_numbered(c, 1, false, LEVEL_WARNING);
	struct suite_check *k = add_numbered(c, 2, false, LEVEL_BONUS);

	free(k->name);
	k->name = xstrdup("more");
	k->points = 2;
	FILE *f = open_text();

	junit_write(f, &suite);
	tap_case(f, c, 2);
	table_case(f, c);
	table_all(f, &suite);
	news_check(f, c, k);
	news_end(f, c);
	fclose(f);
	ck_assert(!suite_check_fails(k));
	has("<testsuite name=\"e.vbet\" tests=\"3\" failures=\"0\" errors=\"0\" skipped=\"2\"");
	has("<property name=\"level\" value=\"bonus\"/>");
	has("<property name=\"level\" value=\"required\"/>");
	has("<skipped message=\"did not hold\">did not hold&#10;</skipped>");
	has("not ok 2 - e.vbet:3 more (bonus, 2 points): expect 2 # TODO bonus\n");
	has("not ok 1 - e.vbet:3 expect 1 # TODO warning\n");
	has("ok 2 - e.vbet\n");
	has("0 of 1 expectation held, 2 did not have to, ");
	has("1 expectation held, 1 did not, 2 did not have to; ");
	has("\"level\":\"bonus\",\"number\":2");
	has("\"missed\":0,\"excused\":2");
	char *line = strstr(text, "{\"event\":\"check\"");

	*strchr(line, '\n') = '\0';
	ck_assert_int_eq(news_read(to, line), NEWS_CHECK);
	ck_assert_int_eq(to->checks.at[0].level, LEVEL_BONUS);
	ck_assert_uint_eq(to->checks.at[0].number, 2);
}
END_TEST

START_TEST(names_points_and_hints)
{
	struct suite_case *c = suite.cases.at[1];
	struct suite_check *k = &c->checks.at[0];
	struct suite_case *to = add("to.vbet", SUITE_RUNS, 0);

	free(k->name);
	free(k->hint);
	k->name = xstrdup("r2 <learns>");
	k->hint = xstrdup("look at \"r1\"");
	k->points = 3;
	c->n_points = 3;
	suite.cases.at[0]->n_points = 2;
	suite.cases.at[0]->checks.at[0].points = 2;
	FILE *f = open_text();

	junit_write(f, &suite);
	tap_case(f, c, 2);
	table_case(f, c);
	table_all(f, &suite);
	news_check(f, c, k);
	news_summary(f, &suite);
	fclose(f);
	has(":3 r2 &lt;learns&gt; (3 points): ");
	has("hint: look at &quot;r1&quot;&#10;</failure>");
	has(":3 r2 <learns> (3 points): ");
	has("      hint: \"look at \\\"r1\\\"\"\n");
	has("        hint: look at \"r1\"\n");
	has("0 of 3 points, ");
	has("; 2 of 5 points; ");
	has("\"name\":\"r2 <learns>\"");
	has("\"points\":2,\"points_of\":5");
	char *line = strstr(text, "{\"event\":\"check\"");

	ck_assert_ptr_nonnull(line);
	*strchr(line, '\n') = '\0';
	ck_assert_int_eq(news_read(to, line), NEWS_CHECK);
	ck_assert_str_eq(to->checks.at[0].name, "r2 <learns>");
	ck_assert_str_eq(to->checks.at[0].hint, "look at \"r1\"");
	ck_assert_int_eq(to->checks.at[0].points, 3);
}
END_TEST

START_TEST(junit_escapes_what_is_hostile)
{
	FILE *f = open_text();

	junit_write(f, &suite);
	fclose(f);
	has("<testsuites name=\"vbet\" tests=\"6\" failures=\"1\" errors=\"1\" skipped=\"1\" "
	    "time=\"3.000\">");
	has("<testsuite name=\"&lt;a&gt;&amp;&quot;'\\ #1 ]]&gt; \xc3\xa4\"");
	has("<error message=\"first&#10;second\" type=\"broken\"/>");
	has("<skipped/>");
	has_not("]]>");
	has("<failure message=\"did not hold\" type=\"expect\">did not hold&#10;seen:&#10;  | "
	    "&lt;a&gt;");
}
END_TEST

START_TEST(junit_has_no_control_characters)
{
	FILE *f = open_text();

	add("\x01\x1b[31m", SUITE_PASSED, 0);
	junit_write(f, &suite);
	fclose(f);
	has("name=\"\\x01\\x1b[31m\"");
}
END_TEST

START_TEST(tap_escapes_what_is_hostile)
{
	FILE *f = open_text();

	tap_begin(f);
	for (size_t i = 0; i < suite.cases.n; i++)
		tap_case(f, suite.cases.at[i], i + 1);
	tap_end(f, suite.cases.n);
	fclose(f);
	has("TAP version 14\n# Subtest: a.vbet\n    ok 1 - a.vbet:3 expect ping(a, b)\n    "
	    "1..1\nok 1 - a.vbet\n");
	has("not ok 2 - <a>&\"'\\\\ \\#1 ]]> \xc3\xa4\n");
	has("      detail: |2\n        seen:\n          | <a>");
	has("  message: |2\n    first\n    second\n");
	has("ok 4 - d.vbet # SKIP\n");
	has("\n1..4\n");
}
END_TEST

START_TEST(a_hash_of_a_name_is_no_directive)
{
	FILE *f = open_text();

	tap_case(f, add("a # SKIP.vbet", SUITE_BROKEN, 3), 1);
	fclose(f);
	has("not ok 1 - a \\# SKIP.vbet\n");
}
END_TEST

START_TEST(news_are_read_as_they_were_written)
{
	struct suite_case *to = add("to.vbet", SUITE_RUNS, 0);
	struct suite_case *from = suite.cases.at[1];
	FILE *f = open_text();

	news_check(f, from, &from->checks.at[0]);
	fclose(f);
	ck_assert_ptr_eq(strchr(text, '\n'), text + text_len - 1);
	ck_assert_int_eq(news_read(to, text), NEWS_CHECK);
	ck_assert_str_eq(to->checks.at[0].text, from->checks.at[0].text);
	ck_assert_str_eq(to->checks.at[0].detail, from->checks.at[0].detail);
	ck_assert_int_eq(to->checks.at[0].line, 3);
	ck_assert(!to->checks.at[0].held);
	f = open_text();
	from->again = xstrdup("vbet replay x");
	news_end(f, from);
	fclose(f);
	ck_assert_int_eq(news_read(to, text), NEWS_END);
	ck_assert_str_eq(to->again, "vbet replay x");
	ck_assert_int_eq(to->lab_ns, INT64_C(2250000000));
}
END_TEST

START_TEST(strange_lines_are_no_news)
{
	static const char *const lines[] = {
		"",
		"{",
		"[]",
		"null",
		"{\"event\":7}",
		"{\"event\":\"begin\"}",
		"{\"event\":\"check\"}",
		"{\"event\":\"check\",\"kind\":\"x\"}",
		"\xff\xfe",
	};
	struct suite_case *c = suite.cases.at[0];

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_int_eq(news_read(c, lines[i]), NEWS_NONE);
	ck_assert_uint_eq(c->checks.n, 1);
	/* What is missing is empty, and what a terminal would obey is seen. */
	ck_assert_int_eq(
		news_read(c, "{\"event\":\"check\",\"kind\":\"note\",\"text\":\"\\u001b[2J\"}"),
		NEWS_CHECK);
	ck_assert_str_eq(c->checks.at[1].text, "\\x1b[2J");
	ck_assert_str_eq(c->checks.at[1].detail, "");
}
END_TEST

START_TEST(the_table_has_a_row_for_each)
{
	FILE *f = open_text();

	table_all(f, &suite);
	fclose(f);
	has("a.vbet");
	has("  passed      1   1     2.250 s  1.5 s\n");
	has("4 runs: 1 passed, 1 failed, 1 broken, 1 skipped; 1 expectation held, 1 did not; 3.0 "
	    "s\n");
	f = open_text();
	table_case(f, suite.cases.at[1]);
	fclose(f);
	has(": did not hold\n        seen:\n          | <a>");
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, a_filter_takes_parts_and_patterns);
	tcase_add_test(t, a_filter_takes_out);
	tcase_add_test(t, directories_are_searched_for_what_expects);
	tcase_add_test(t, the_worst_status_is_that_of_all);
	tcase_add_test(t, time_left_is_told_from_what_has_ended);
	tcase_add_test(t, names_tell_runs_of_one_script_apart);
	tcase_add_test(t, names_points_and_hints);
	tcase_add_test(t, junit_has_the_order_of_the_script);
	tcase_add_test(t, what_does_not_have_to_hold_fails_nothing);
	tcase_add_test(t, junit_escapes_what_is_hostile);
	tcase_add_test(t, junit_has_no_control_characters);
	tcase_add_test(t, tap_escapes_what_is_hostile);
	tcase_add_test(t, a_hash_of_a_name_is_no_directive);
	tcase_add_test(t, news_are_read_as_they_were_written);
	tcase_add_test(t, strange_lines_are_no_news);
	tcase_add_test(t, the_table_has_a_row_for_each);
}

int main(void)
{
	return suite_run_case("suite", add_tests);
}
