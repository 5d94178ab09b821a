/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/json.h"

#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(commas_and_escapes)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	struct json j;

	json_init(&j, f);
	json_open(&j, NULL, '{');
	json_int(&j, "least", INT64_MIN);
	json_uint(&j, "most", UINT64_MAX);
	json_open(&j, "list", '[');
	json_bool(&j, NULL, true);
	json_string(&j, NULL, NULL);
	json_open(&j, NULL, '{');
	json_close(&j, '}');
	json_close(&j, ']');
	json_string(&j, "a\"b", "\\ \n \x01 \x7f /");
	json_raw(&j, "raw", "{}");
	json_close(&j, '}');
	fclose(f);
	ck_assert_str_eq(text, "{\"least\":-9223372036854775808,\"most\":18446744073709551615,"
			       "\"list\":[true,null,{}],"
			       "\"a\\\"b\":\"\\\\ \\n \\u0001 \\u007f /\",\"raw\":{}}");
	free(text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib_json");
	TCase *tc = tcase_create("json");

	tcase_add_test(tc, commas_and_escapes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
