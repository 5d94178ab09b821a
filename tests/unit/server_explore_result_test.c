/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/explore/explore_result.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static struct explore_results all;

static void tear_down(void)
{
	explore_results_finish(&all);
	all = (struct explore_results){0};
}

static struct explore_result *add(const char *text, enum explore_outcome o, int64_t settled_ns,
				  const char *broke)
{
	struct explore_result r = {.number = all.list.n,
				   .text = xstrdup(text),
				   .outcome = o,
				   .settled_ns = settled_ns};

	if (broke)
		vec_push(&r.broke, xstrdup(broke));
	vec_push(&all.list, r);
	return &all.list.at[all.list.n - 1];
}

START_TEST(what_a_worker_says_is_read)
{
	struct explore_result back;
	char *line = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&line, &len);

	add("cut(r1, r2)", EXPLORE_BROKE, 250000000, "ping: \"none\"")->kept = xstrdup("/k/1");
	explore_result_put(f, &all.list.at[0]);
	fclose(f);
	ck_assert_int_eq(explore_result_read(&back, line, len - 1, NULL), 0);
	ck_assert_int_eq(back.outcome, EXPLORE_BROKE);
	ck_assert_int_eq(back.settled_ns, 250000000);
	ck_assert_str_eq(back.text, "cut(r1, r2)");
	ck_assert_str_eq(back.kept, "/k/1");
	ck_assert_uint_eq(back.broke.n, 1);
	ck_assert_str_eq(back.broke.at[0], "ping: \"none\"");
	explore_result_finish(&back);
	free(line);
	ck_assert_int_eq(explore_result_read(&back, "1 2", 3, NULL), -1);
	explore_result_finish(&back);
}
END_TEST

START_TEST(worst_first)
{
	static const char *const wanted[] = {"restless", "broke more", "broke",
					     "refused",  "slow",       "quick"};

	struct explore_result *more = add("broke more", EXPLORE_BROKE, 0, "a");

	vec_push(&more->broke, xstrdup("b"));
	add("quick", EXPLORE_HELD, 1, NULL);
	add("broke", EXPLORE_BROKE, 9, "a");
	add("slow", EXPLORE_HELD, 5, NULL);
	add("refused", EXPLORE_REFUSED, -1, "no");
	add("restless", EXPLORE_RESTLESS, -1, "r1 changed");
	explore_results_sort(&all);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
		ck_assert_str_eq(all.list.at[i].text, wanted[i]);
	ck_assert_int_eq(explore_results_status(&all), ERR_EXPECT);
}
END_TEST

START_TEST(a_fork_that_was_not_made_is_no_finding)
{
	add("a", EXPLORE_HELD, 1, NULL);
	add("b", EXPLORE_SKIPPED, -1, NULL);
	ck_assert_int_eq(explore_results_status(&all), 0);
	add("c", EXPLORE_TROUBLE, -1, "no memory");
	ck_assert_int_eq(explore_results_status(&all), ERR_ENV);
}
END_TEST

START_TEST(a_table_for_people)
{
	static const char wanted[] = "what was done  quiet after  what came of it\n"
				     "cut(a, b)          0.250 s  ping(a, b): none\n"
				     "cut(b, c)          5.000 s  held\n"
				     "... and 1 more that held and were quiet sooner\n"
				     "again: vbet explore x.vbet --only 'cut(a, b)'\n"
				     "3 tried: 2 held, 1 broke; 2.0 s\n";
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	add("cut(a, b)", EXPLORE_BROKE, 250000000, "ping(a, b): none");
	add("cut(b, c)", EXPLORE_HELD, 5000000000, NULL);
	add("cut(c, d)", EXPLORE_HELD, 1, NULL);
	all.again = "vbet explore x.vbet";
	all.wall_ns = 2000000000;
	explore_table(f, &all, 1);
	fclose(f);
	ck_assert_str_eq(text, wanted);
	free(text);
}
END_TEST

static void check_lost(const char *before, const char *after, const char *wanted)
{
	char *a = xstrdup(before);
	char *b = xstrdup(after);
	char *got = explore_lost_text(a, b);

	if (wanted)
		ck_assert_str_eq(got, wanted);
	else
		ck_assert_ptr_null(got);
	free(got);
	free(a);
	free(b);
}

START_TEST(who_lost_whom)
{
	check_lost("a b\n", "a b\n", NULL);
	check_lost("a b\nb a\n", "", NULL);
	check_lost("", "a b\n", "1 pair is lost: a to b");
	check_lost("", "b a\na b\nc d ipv6\n", "2 pairs are lost: a and b, c to d ipv6");
	check_lost("b a\n", "b a\na b\n", "1 pair is lost: a to b");
	check_lost("", "a b\na c\na d\na e\na f\na g\na h\n",
		   "7 pairs are lost: a to b, a to c, a to d, a to e, a to f, a to g, ...");
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, NULL, tear_down);
	tcase_add_test(tc, what_a_worker_says_is_read);
	tcase_add_test(tc, worst_first);
	tcase_add_test(tc, a_fork_that_was_not_made_is_no_finding);
	tcase_add_test(tc, a_table_for_people);
	tcase_add_test(tc, who_lost_whom);
}

int main(void)
{
	return suite_run_case("explore_result", add_tests);
}
