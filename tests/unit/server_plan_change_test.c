/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/plan_help.h"

START_TEST(no_change_is_no_difference)
{
	assert_diff(TWO "link(a, b)", TWO "link(a, b)", "");
}
END_TEST

START_TEST(from_nothing_everything_is_added)
{
	static const struct plan nothing;
	struct plan *p = plan_of(TWO "link(a, b)");
	struct plan_diff_item *items;
	size_t n = plan_diff(&nothing, p, &items);

	ck_assert_uint_eq(n, p->n_steps);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(items[i].change, PLAN_ADD);
		ck_assert_ptr_eq(items[i].step, &p->steps[i]);
	}
	free(items);
	plan_destroy(p);
}
END_TEST

START_TEST(to_nothing_everything_is_removed_backwards)
{
	static const struct plan nothing;
	struct plan *p = plan_of(TWO "link(a, b)");
	struct plan_diff_item *items;
	size_t n = plan_diff(p, &nothing, &items);

	ck_assert_uint_eq(n, p->n_steps);
	for (size_t i = 0; i < n; i++) {
		ck_assert_int_eq(items[i].change, PLAN_REMOVE);
		ck_assert_ptr_eq(items[i].step, &p->steps[n - 1 - i]);
	}
	free(items);
	plan_destroy(p);
}
END_TEST

START_TEST(a_changed_cable_is_set)
{
	assert_diff(TWO FIXED "link(a, b, name = \"c\")",
		    TWO FIXED "link(a, b, name = \"c\", loss = 1%)", "~ substrate c\n");
	assert_diff(TWO FIXED "link(a, b, name = \"c\")",
		    TWO FIXED "link(a, b, name = \"c\", up = off)", "~ substrate c\n");
}
END_TEST

/* A running cable is told all that it is from now on: what it was before does not stay. */
START_TEST(a_changed_cable_is_told_what_it_is)
{
	struct plan *p = plan_of(TWO FIXED "link(a, b, name = \"c\", delay = 5ms, up = off)");
	const char *set = NULL;

	for (size_t i = 0; i < p->n_steps; i++)
		if (!strcmp(p->steps[i].name, "c"))
			set = p->steps[i].set;
	ck_assert_str_eq(set, "reset c up=1 ab.delay=5ms ba.delay=5ms up=0");
	plan_destroy(p);
}
END_TEST

/* Nothing that stands on the node goes; what is no longer said holds no longer. */
START_TEST(a_changed_policy_is_set)
{
	static const char two[] = "s2 = alloc(substrate) slink(s1, s2, name = \"w\")";
	char from[160], to[160];
	struct plan *p = plan_of("s1 = alloc(substrate, idle = 2s)");
	const struct plan_step *s = p->steps;

	snprintf(from, sizeof(from), "s1 = alloc(substrate) %s", two);
	snprintf(to, sizeof(to), "s1 = alloc(substrate, lower_below = 40%%) %s", two);
	assert_diff(from, to, "~ substrate s1\n");
	while (strcmp(s->name, "s1") != 0)
		s++;
	ck_assert_str_eq(s->text, "snode s1 key=00000000000000000000000000000000 idle=2s");
	ck_assert_str_eq(s->set,
			 "set s1 measure=default idle=2s raise_above=default lower_below=default");
	plan_destroy(p);
}
END_TEST

START_TEST(what_is_added_to_a_lab_is_all_that_happens)
{
	assert_diff(
		TWO FIXED "link(a, b, name = \"c\")",
		TWO FIXED "link(a, b, name = \"c\") d = alloc(host)",
		"+ dir n/d\n+ dir n/d/j\n+ file n/d/j/init.conf\n+ substrate d:agent\n+ guest d\n");
}
END_TEST

START_TEST(what_is_taken_away_goes_backwards)
{
	assert_diff(
		TWO FIXED "link(a, b, name = \"c\") d = alloc(host)",
		TWO FIXED "link(a, b, name = \"c\")",
		"- guest d\n- substrate d:agent\n- file n/d/j/init.conf\n- dir n/d/j\n- dir n/d\n");
}
END_TEST

/* What is plugged into a node that is off goes with it, and comes back as it was; all else stays.
 */
START_TEST(a_stopped_node_takes_its_cables_along)
{
	graph_of(TWO FIXED
		 "sw = alloc(switch) link(a, sw, name = \"c\", delay = 5ms) link(a, b, name = "
		 "\"d\")");
	struct plan *on = plan_of_graph(graph);
	struct graph_node *sw = &graph->nodes[graph_find_node(graph, "sw")];

	sw->stopped = true;
	struct plan *off = plan_of_graph(graph);
	char *goes = print_diff(on, off);
	char *comes = print_diff(off, on);

	ck_assert_str_eq(goes, "- substrate c\n- substrate sw:1\n- substrate sw\n");
	ck_assert_str_eq(comes, "+ substrate sw\n+ substrate sw:1\n+ substrate c\n");
	ck_assert_uint_eq(plan_process_of(off, "c"), 0);
	free(goes);
	free(comes);
	plan_destroy(on);
	plan_destroy(off);
}
END_TEST

/* Of a virtual link through it, both ends elsewhere stay and look for their way; of one that ends
 * there, the other end is told anew. */
START_TEST(a_stopped_substrate_node_takes_what_begins_there)
{
	graph_of("s = line(3, substrate) v = vnet() a = alloc(host, vnet = v, on = s[1]) b = "
		 "alloc(host, vnet = v, on = s[3]) vlink(a, b, name = \"x\", min = 1Mbit)");
	struct plan *on = plan_of_graph(graph);

	graph->nodes[graph_find_node(graph, "s2")].stopped = true;
	struct plan *middle = plan_of_graph(graph);
	char *goes = print_diff(on, middle);

	ck_assert_ptr_null(strstr(goes, "x:ab"));
	ck_assert_ptr_null(strstr(goes, "x:ba"));
	ck_assert_ptr_nonnull(strstr(goes, "- substrate s2\n"));
	free(goes);
	graph->nodes[graph_find_node(graph, "s2")].stopped = false;
	graph->nodes[graph_find_node(graph, "s3")].stopped = true;
	struct plan *end = plan_of_graph(graph);

	goes = print_diff(on, end);
	ck_assert_ptr_nonnull(strstr(goes, "- substrate x:ba\n"));
	ck_assert_ptr_nonnull(strstr(goes, "+ substrate x:ab\n"));
	ck_assert_ptr_null(strstr(goes, "+ substrate x:ba\n"));
	free(goes);
	plan_destroy(on);
	plan_destroy(middle);
	plan_destroy(end);
}
END_TEST

/* Nothing is said to a process that is left out, and nobody names what it had. */
START_TEST(a_process_is_left_out)
{
	env.processes = 2;
	graph_of("s = line(2, substrate) v = vnet() a = alloc(host, vnet = v, on = s[1]) b = "
		 "alloc(host, vnet = v, on = s[2]) vlink(a, b)");
	struct plan *whole = plan_of_graph(graph);
	unsigned gone = plan_process_of(whole, "s2");

	ck_assert_uint_eq(gone, 3 - plan_process_of(whole, "s1"));
	env.running = whole;
	env.gone = gone;
	struct plan *rest = plan_of_graph(graph);

	env.gone = 0;
	ck_assert_uint_eq(plan_process_of(rest, "s2"), 0);
	ck_assert_uint_ne(plan_process_of(rest, "s1"), 0);
	for (size_t i = 0; i < rest->n_steps; i++) {
		ck_assert_uint_ne(rest->steps[i].process, gone);
		ck_assert(rest->steps[i].op != PLAN_SUBSTRATE ||
			  strncmp(rest->steps[i].text, "trunk", 5) != 0);
	}
	plan_destroy(rest);
	plan_destroy(whole);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan: changes");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, no_change_is_no_difference);
	tcase_add_test(tc, from_nothing_everything_is_added);
	tcase_add_test(tc, to_nothing_everything_is_removed_backwards);
	tcase_add_test(tc, a_changed_cable_is_set);
	tcase_add_test(tc, a_changed_cable_is_told_what_it_is);
	tcase_add_test(tc, a_changed_policy_is_set);
	tcase_add_test(tc, what_is_added_to_a_lab_is_all_that_happens);
	tcase_add_test(tc, what_is_taken_away_goes_backwards);
	tcase_add_test(tc, a_stopped_node_takes_its_cables_along);
	tcase_add_test(tc, a_stopped_substrate_node_takes_what_begins_there);
	tcase_add_test(tc, a_process_is_left_out);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
