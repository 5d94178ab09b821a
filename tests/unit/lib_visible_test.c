/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/visible.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text, *shown;
} texts[] = {
	{"plain\ttext\nof lines\r\n", "plain\ttext\nof lines\r\n"},
	{"\033[2J\033]0;title\007", "\\x1b[2J\\x1b]0;title\\x07"},
	{"right\rwrong", "right\\x0dwrong"},
	{"\r\r\n\r", "\\x0d\r\n\\x0d"},
	{"a\b\177", "a\\x08\\x7f"},
	{"gr\303\274n \342\202\254 \360\237\246\206", "gr\303\274n \342\202\254 \360\237\246\206"},
	{"\302\233"
	 "2J \302\240",
	 "\\xc2\\x9b"
	 "2J \302\240"}, /* CSI in one letter */
	{"\233"
	 "2J",
	 "\\x9b"
	 "2J"},
	{"\303(", "\\xc3("},
	{"\342\202", "\\xe2\\x82"},
	{"\342\202\033", "\\xe2\\x82\\x1b"},
	{"\300\257\365\200", "\\xc0\\xaf\\xf5\\x80"},
	{"\303\r\n", "\\xc3\r\n"},
};

START_TEST(what_a_terminal_obeys_is_shown)
{
	char *got = visible_text(texts[_i].text);

	ck_assert_str_eq(got, texts[_i].shown);
	free(got);
}
END_TEST

/* However a text is cut into pieces. */
START_TEST(pieces_do_not_matter)
{
	const char *text = texts[_i].text;
	struct visible v = {0};
	char *got = NULL;
	size_t len;
	FILE *f = open_memstream(&got, &len);

	for (; *text; text++)
		visible_write(&v, f, text, 1);
	visible_end(&v, f);
	fclose(f);
	ck_assert_str_eq(got, texts[_i].shown);
	free(got);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("visible");
	TCase *tc = tcase_create("visible");

	tcase_add_loop_test(tc, what_a_terminal_obeys_is_shown, 0, (int)ARRAY_LEN(texts));
	tcase_add_loop_test(tc, pieces_do_not_matter, 0, (int)ARRAY_LEN(texts));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
