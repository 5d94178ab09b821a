/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/columns.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>

static void check(const char *text, uint32_t right, const char *want)
{
	char *got = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&got, &len);

	columns_put(f, text, right);
	fclose(f);
	ck_assert_str_eq(got, want);
	free(got);
}

START_TEST(test_widths)
{
	check("a\tb\tc\nlonger\t1\tx\n", 0, "a       b  c\nlonger  1  x\n");
	check("name\trate\nx\t10.000\nlonger\t5.000\n", 2,
	      "name      rate\nx       10.000\nlonger   5.000\n");
	check("a\t\tc\nb\txyz\t\n", 0, "a       c\nb  xyz  \n");
}
END_TEST

/* A line that is no row widens nothing, wherever it stands; the end may lack a newline. */
START_TEST(test_lines)
{
	check("", 1, "");
	check("\n", 1, "\n");
	check("a\tb\nno row that is long\n\nc\td", 0, "a  b\nno row that is long\n\nc  d");
	check("no row", 0, "no row");
}
END_TEST

/* Rows of different lengths; more cells than there are bits. */
START_TEST(test_ragged)
{
	check("a\tb\nccc\tdd\tlast\n", 3, "  a   b\nccc  dd  last\n");
	check("1\t2\t3\t4\t5\t6\t7\t8\t9\t10\t11\t12\t13\t14\t15\t16\t17\t18\t19\t20\t21\t22\t23\t2"
	      "4\t"
	      "25\t26\t27\t28\t29\t30\t31\t32\t33\t34\n",
	      0xffffffff,
	      "1  2  3  4  5  6  7  8  9  10  11  12  13  14  15  16  17  18  19  20  21  22  23  "
	      "24  "
	      "25  26  27  28  29  30  31  32  33  34\n");
}
END_TEST

START_TEST(test_letters)
{
	ck_assert_uint_eq(columns_of("Zürich"), 6);
	check("Zürich\t1\nBern\t22\n", 2, "Zürich   1\nBern    22\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib_columns");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_widths);
	tcase_add_test(t, test_lines);
	tcase_add_test(t, test_ragged);
	tcase_add_test(t, test_letters);
	suite_add_tcase(s, t);
	return suite_run(s);
}
