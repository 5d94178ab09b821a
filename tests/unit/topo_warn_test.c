/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/warn.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "topo/topo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *words[4];
	bool has_mtu, has_unplugged, is_error;
} choices[] = {
	{{NULL}, true, true, false},
	{{"no-mtu"}, false, true, false},
	{{"no-all"}, false, false, false},
	{{"no-all", "mtu"}, true, false, false},
	{{"no-mtu", "all"}, true, true, false},
	{{"error"}, true, true, true},
	{{"error", "no-error", "no-unplugged"}, true, false, false},
};

START_TEST(words_turn_warnings_on_and_off)
{
	struct warn_choice c = {0};
	struct err e = {0};

	for (size_t i = 0; choices[_i].words[i]; i++)
		ck_assert_int_eq(warn_choose(&c, choices[_i].words[i], &e), 0);
	ck_assert_int_eq(!(c.off >> WARN_MTU & 1), choices[_i].has_mtu);
	ck_assert_int_eq(!(c.off >> WARN_UNPLUGGED & 1), choices[_i].has_unplugged);
	ck_assert_int_eq(c.is_error, choices[_i].is_error);
}
END_TEST

START_TEST(an_unknown_warning_is_refused)
{
	struct warn_choice c = {0};
	struct err e = {0};

	ck_assert_int_lt(warn_choose(&c, "no-unpluged", &e), 0);
	ck_assert_str_eq(e.text, "there is no warning 'unpluged'; did you mean 'unplugged'?");
	ck_assert_uint_eq(c.off, 0);
}
END_TEST

static size_t print(const char *text, const struct warn_choice *c, char **out)
{
	struct topo_script *s = topo_parse("t.vbet", text, strlen(text), NULL);
	struct graph *g = topo_make_graph(s);
	size_t len = 0;
	FILE *f = open_memstream(out, &len);

	ck_assert_ptr_nonnull(g);
	size_t n = topo_print_warnings(f, s, g, c);

	fclose(f);
	graph_destroy(g);
	topo_destroy(s);
	return n;
}

START_TEST(each_is_a_line_with_its_place_and_name)
{
	static const char text[] = "a = alloc(host)\nlink(alloc(host), alloc(host))\n";
	struct warn_choice c = {0};
	char *got;

	ck_assert_uint_eq(print(text, &c, &got), 1);
	ck_assert_str_eq(got, "t.vbet:1:5: warning: a is connected to nothing [unplugged]\n");
	free(got);
	c.off = 1u << WARN_UNPLUGGED;
	ck_assert_uint_eq(print(text, &c, &got), 0);
	ck_assert_str_eq(got, "");
	free(got);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("warn");
	TCase *tc = tcase_create("warn");

	tcase_add_loop_test(tc, words_turn_warnings_on_and_off, 0, (int)ARRAY_LEN(choices));
	tcase_add_test(tc, an_unknown_warning_is_refused);
	tcase_add_test(tc, each_is_a_line_with_its_place_and_name);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
