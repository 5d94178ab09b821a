/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/explore/explore_cases.h"

#include "tests/support/script.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const char text[] = "r = line(3, router) s = alloc(switch) h = alloc(host)\n"
			   "link(s, r[3], h) link(NIC(r[1], 5), NIC(r[2], 5))\n"
			   "down(r[2], r[3])\n";

static struct topo_script *script;
static struct graph *g;
static struct explore_cases cases;
static struct err e;

static void set_up(void)
{
	g = script_graph("t.vbet", text, &script);
	cases = (struct explore_cases){0};
	e = (struct err){0};
}

static void tear_down(void)
{
	explore_cases_finish(&cases);
	graph_destroy(g);
	topo_destroy(script);
}

static int make(const char *each, bool pairs, const char *only)
{
	const char *list[] = {each};
	struct strvec v = {list, 1, 1};

	return explore_cases_make(&cases, g, &(struct explore_wish){&v, pairs, only}, &e);
}

static void check_case(size_t i, const char *wanted)
{
	ck_assert_uint_lt(i, cases.list.n);
	char *got = explore_case_text(&cases, &cases.list.at[i]);

	ck_assert_str_eq(got, wanted);
	free(got);
}

START_TEST(each_link_has_a_name)
{
	ck_assert_int_eq(make("cut(LINK)", false, NULL), 0);
	/* One that is cut already is not cut again; of several between two nodes the NICs are told.
	 */
	ck_assert_uint_eq(cases.list.n, 4);
	check_case(0, "cut(r1:eth0, r2:eth0)");
	check_case(1, "cut(s, r3)");
	check_case(3, "cut(r1:eth4, r2:eth4)");
}
END_TEST

/* Whatever variables a node is in: the language understands the statement, and means that cable. */
START_TEST(the_language_understands_it)
{
	ck_assert_int_eq(make("cut(LINK)", false, NULL), 0);
	for (size_t i = 0; i < cases.steps.n; i++) {
		const char *statement = cases.steps.at[i].statement;
		struct topo_place place = {.before = "at 5s "};
		struct graph *more =
			topo_add_statement(script, &place, statement, strlen(statement));

		ck_assert_ptr_nonnull(more);
		ck_assert_uint_eq(more->n_events, 1);
		ck_assert_int_eq(more->events[0].cable, (int)(i + (i > 0)));
		graph_destroy(more);
		graph_destroy(topo_drop_statement(script));
	}
}
END_TEST

START_TEST(words_stand_alone)
{
	ck_assert_int_eq(make("exec(HOST, \"echo HOST LINK\", LINKS)", false, NULL), 0);
	ck_assert_uint_eq(cases.list.n, 1);
	check_case(0, "exec(h, \"echo HOST LINK\", LINKS)");
	ck_assert_str_eq(cases.steps.at[0].statement,
			 "exec(node(\"h\"), \"echo HOST LINK\", LINKS)");
}
END_TEST

START_TEST(nodes_by_kind)
{
	ck_assert_int_eq(make("stop(ROUTER)", false, NULL), 0);
	ck_assert_uint_eq(cases.list.n, 3);
	ck_assert_int_eq(make("stop(NODE)", false, NULL), 0);
	ck_assert_uint_eq(cases.list.n, 3 + 3 + 5);
}
END_TEST

START_TEST(pairs_and_those_that_are_meant)
{
	ck_assert_int_eq(make("kill(ROUTER)", true, NULL), 0);
	ck_assert_uint_eq(cases.list.n, 6);
	check_case(3, "kill(r1) + kill(r2)");
	check_case(5, "kill(r2) + kill(r3)");
	explore_cases_finish(&cases);
	ck_assert_int_eq(make("kill(ROUTER)", true, "kill(r1)"), 0);
	ck_assert_uint_eq(cases.list.n, 3);
	explore_cases_finish(&cases);
	ck_assert_int_eq(make("restart(r[1])", false, NULL), 0);
	check_case(0, "restart(r[1])");
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
	ck_assert_int_eq(make("cut(LINK, NODE)", false, NULL), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "LINK and NODE in one statement"));
	ck_assert_int_eq(make("kill(FIREWALL)", false, NULL), -1);
	ck_assert_ptr_nonnull(
		strstr(e.text, "FIREWALL stands for nothing: the lab has no firewall"));
	ck_assert_int_eq(make("kill(HOST)", false, "r1"), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "nothing that would be done has 'r1' in it"));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, each_link_has_a_name);
	tcase_add_test(tc, the_language_understands_it);
	tcase_add_test(tc, words_stand_alone);
	tcase_add_test(tc, nodes_by_kind);
	tcase_add_test(tc, pairs_and_those_that_are_meant);
	tcase_add_test(tc, what_is_wrong_is_said);
}

int main(void)
{
	return suite_run_case("explore_cases", add_tests);
}
