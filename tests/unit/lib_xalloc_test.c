/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(a_stream_is_what_was_written)
{
	char *text = NULL;
	size_t len = 7;
	FILE *f = xmemstream(&text, &len);

	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(len, 0);
	for (int i = 0; i < 10000; i++) {
		ck_assert_int_eq(ftell(f), 5 * i);
		fprintf(f, "%04d\n", i);
	}
	fflush(f);
	ck_assert_uint_eq(len, 50000);
	fputc('\0', f);
	fputs("end", f);
	fclose(f);
	ck_assert_uint_eq(len, 50004);
	ck_assert_int_eq(strncmp(text, "0000\n0001\n", 10), 0);
	ck_assert_str_eq(text + 50001, "end");
	free(text);
}
END_TEST

START_TEST(a_stream_without_a_word_is_a_text)
{
	char *text = NULL;
	size_t len = 7;

	fclose(xmemstream(&text, &len));
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(len, 0);
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xalloc");
	TCase *tc = tcase_create("xalloc");

	tcase_add_test(tc, a_stream_is_what_was_written);
	tcase_add_test(tc, a_stream_without_a_word_is_a_text);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
