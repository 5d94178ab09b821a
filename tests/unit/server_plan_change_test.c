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
	suite_add_tcase(s, tc);
	return suite_run(s);
}
