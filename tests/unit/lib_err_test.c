/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/err.h"
#include "tests/support/suite.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

START_TEST(an_error_has_a_kind_and_a_text)
{
	struct err e = {0};

	ck_assert_int_eq(err_set(&e, ERR_USAGE, "no %s %d", "way", 7), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_str_eq(e.text, "no way 7");
}
END_TEST

START_TEST(a_system_error_says_which_and_keeps_errno)
{
	struct err e = {0};

	errno = ENOENT;
	ck_assert_int_eq(err_sys(&e, "open %s", "/x"), -1);
	ck_assert_int_eq(e.kind, ERR_ENV);
	ck_assert_str_eq(e.text, "open /x: No such file or directory");
	ck_assert_int_eq(errno, ENOENT);
}
END_TEST

START_TEST(context_is_put_in_front)
{
	struct err e = {0};

	err_set(&e, ERR_TIMEOUT, "no answer");
	ck_assert_int_eq(err_wrap(&e, "guest %s", "h1"), -1);
	err_wrap(&e, "lab");
	ck_assert_str_eq(e.text, "lab: guest h1: no answer");
	ck_assert_int_eq(e.kind, ERR_TIMEOUT);
}
END_TEST

START_TEST(nobody_has_to_listen)
{
	ck_assert_int_eq(err_set(NULL, ERR_ENV, "x"), -1);
	ck_assert_int_eq(err_sys(NULL, "x"), -1);
	ck_assert_int_eq(err_wrap(NULL, "x"), -1);
}
END_TEST

START_TEST(too_much_text_is_cut_not_overrun)
{
	struct err e = {0};
	char long_text[3000];

	memset(long_text, 'a', sizeof(long_text) - 1);
	long_text[sizeof(long_text) - 1] = '\0';
	err_set(&e, ERR_ENV, "%s", long_text);
	ck_assert_uint_eq(strlen(e.text), sizeof(e.text) - 1);
	for (int i = 0; i < 20; i++)
		err_wrap(&e, "%s", long_text);
	ck_assert_uint_lt(strlen(e.text), sizeof(e.text));
	errno = EPERM;
	err_sys(&e, "%s", long_text);
	ck_assert_uint_lt(strlen(e.text), sizeof(e.text));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("err");
	TCase *tc = tcase_create("err");

	tcase_add_test(tc, an_error_has_a_kind_and_a_text);
	tcase_add_test(tc, a_system_error_says_which_and_keeps_errno);
	tcase_add_test(tc, context_is_put_in_front);
	tcase_add_test(tc, nobody_has_to_listen);
	tcase_add_test(tc, too_much_text_is_cut_not_overrun);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
