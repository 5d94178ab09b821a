/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/linkspec.h"

#include "lib/arena.h"
#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *print(const struct linkspec *s, const char *prefix)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	linkspec_print(f, s, prefix);
	fclose(f);
	return text;
}

START_TEST(nothing_set_prints_nothing)
{
	struct linkspec s = {0};
	char *text = print(&s, "");

	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

START_TEST(what_is_printed_can_be_set)
{
	struct linkspec s = {0};
	struct linkspec again = {0};
	struct arena a = {0};
	struct words w;
	struct err e = {0};

	ck_assert_int_eq(linkspec_set(&s, "rate", "10Mbit", &e), 0);
	ck_assert_int_eq(linkspec_set(&s, "delay", "1.5ms", &e), 0);
	ck_assert_int_eq(linkspec_set(&s, "loss", "0.1%", &e), 0);
	ck_assert_int_eq(linkspec_set(&s, "limit", "100", &e), 0);
	char *text = print(&s, "");

	ck_assert_int_eq(words_split(text, strlen(text), &a, &w, &e), 0);
	for (size_t i = 0; i < w.n; i++) {
		char *value = strchr(w.at[i], '=');

		*value++ = '\0';
		ck_assert_int_eq(linkspec_set(&again, w.at[i], value, &e), 0);
	}
	ck_assert(linkspec_equal(&s, &again));
	ck_assert_int_eq(s.rate_bps, 10000000);
	ck_assert_int_eq(s.delay_ns, 1500000);
	ck_assert_int_eq(s.loss_ppm, 1000);
	again.delay_ns++;
	ck_assert(!linkspec_equal(&s, &again));
	free(text);
	arena_finish(&a);
}
END_TEST

START_TEST(a_prefix_stands_before_each_key)
{
	struct linkspec s = {.delay_ns = 5000000, .loss_ppm = 10000};
	char *text = print(&s, "ab.");

	ck_assert_str_eq(text, " ab.delay=5ms ab.loss=1%");
	free(text);
}
END_TEST

START_TEST(an_unknown_key_gets_the_nearest)
{
	struct linkspec s = {0};
	struct err e = {0};

	ck_assert_int_eq(linkspec_set(&s, "dealy", "5ms", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "'delay'"));
	ck_assert(!linkspec_has_key("dealy"));
	ck_assert(linkspec_has_key("delay"));
}
END_TEST

static const struct {
	const char *key, *value;
} bad[] = {
	{"delay", "5"},   {"delay", "5Mbit"}, {"loss", "101%"},
	{"rate", "fast"}, {"limit", "-1"},    {"mtu", "65536"},
};

START_TEST(a_bad_value_is_refused)
{
	struct linkspec s = {0};
	struct linkspec none = {0};
	struct err e = {0};

	ck_assert_int_eq(linkspec_set(&s, bad[_i].key, bad[_i].value, &e), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_ptr_nonnull(strstr(e.text, bad[_i].key));
	ck_assert(linkspec_equal(&s, &none));
}
END_TEST

START_TEST(numbers_must_be_of_the_right_unit)
{
	struct linkspec s = {0};
	struct err e = {0};

	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_TIME, 1000, &e), 0);
	ck_assert_int_eq(s.delay_ns, 1000);
	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_COUNT, 0, &e), 0);
	ck_assert_int_eq(s.delay_ns, 0);
	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_COUNT, 5, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_SIZE, 5, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "delay", UNIT_TIME, -1, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "nothing", UNIT_TIME, 1, &e), -1);
	ck_assert_int_eq(linkspec_set_number(&s, "mtu", UNIT_COUNT, 1400, &e), 0);
	ck_assert_int_eq(s.mtu, 1400);
}
END_TEST

START_TEST(every_key_has_help)
{
	const char *help = NULL;
	size_t n = 0;

	for (; linkspec_key(n, &help); n++) {
		ck_assert(linkspec_has_key(linkspec_key(n, &help)));
		ck_assert_ptr_nonnull(help);
		ck_assert_uint_gt(strlen(help), 0);
	}
	ck_assert_uint_gt(n, 9);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("linkspec");
	TCase *tc = tcase_create("linkspec");

	tcase_add_test(tc, nothing_set_prints_nothing);
	tcase_add_test(tc, what_is_printed_can_be_set);
	tcase_add_test(tc, a_prefix_stands_before_each_key);
	tcase_add_test(tc, an_unknown_key_gets_the_nearest);
	tcase_add_loop_test(tc, a_bad_value_is_refused, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tc, numbers_must_be_of_the_right_unit);
	tcase_add_test(tc, every_key_has_help);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
