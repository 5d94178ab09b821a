/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/status.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void assert_merged(const char *const *objects, size_t n, const char *want)
{
	struct json_object *all = status_parse("{}");

	for (size_t i = 0; i < n; i++) {
		struct json_object *one = status_parse(objects[i]);

		ck_assert_ptr_nonnull(one);
		status_merge(all, one);
		status_free(one);
	}
	ck_assert_str_eq(status_json(all, "null"), want);
	status_free(all);
}

START_TEST(what_only_one_has_stays)
{
	const char *two[] = {"{\"a\":1,\"b\":[1,2]}", "{\"c\":{\"d\":null}}"};

	assert_merged(two, 2, "{\"a\":1,\"b\":[1,2],\"c\":{\"d\":null}}");
}
END_TEST

START_TEST(numbers_add_up_and_of_the_rest_the_first_stays)
{
	const char *two[] = {"{\"n\":5,\"s\":\"x\",\"b\":true}",
			     "{\"n\":-2,\"s\":\"y\",\"b\":false}"};

	assert_merged(two, 2, "{\"n\":3,\"s\":\"x\",\"b\":true}");
}
END_TEST

START_TEST(objects_are_merged_at_any_depth)
{
	const char *three[] = {"{\"c\":{\"ab\":{\"frames\":1}}}", "{\"c\":{\"ba\":{\"frames\":2}}}",
			       "{\"c\":{\"ba\":{\"frames\":3}},\"d\":0}"};

	assert_merged(three, 3, "{\"c\":{\"ab\":{\"frames\":1},\"ba\":{\"frames\":5}},\"d\":0}");
}
END_TEST

START_TEST(quotes_and_brackets_in_strings_are_text)
{
	const char *two[] = {"{\"a\\\"{\":\"},\\\\\",\"b\":1}", "{\"b\":1}"};

	assert_merged(two, 2, "{\"a\\\"{\":\"},\\\\\",\"b\":2}");
}
END_TEST

START_TEST(nothing_is_an_empty_object)
{
	const char *two[] = {"{}", "{}"};

	assert_merged(two, 0, "{}");
	assert_merged(two, 2, "{}");
}
END_TEST

static const char *const bad[] = {
	"", "{", "{}x", "[]", "1", "null", "{\"a\":}", "{\"a\":1,}", "{\"a\":\"",
};

START_TEST(what_is_no_object_is_refused)
{
	ck_assert_ptr_null(status_parse(bad[_i]));
}
END_TEST

START_TEST(deep_nesting_is_refused)
{
	enum { DEPTH = 1 << 20 };
	static const char level[] = "{\"a\":";
	char *text = xcalloc(DEPTH, sizeof(level));

	for (size_t i = 0; i < DEPTH * strlen(level); i++)
		text[i] = level[i % strlen(level)];
	ck_assert_ptr_null(status_parse(text));
	free(text);
}
END_TEST

START_TEST(big_numbers_are_exact)
{
	struct json_object *s = status_parse("{\"n\":9007199254740993,\"u\":18446744073709551615,"
					     "\"n\":9007199254740995}");
	const char *two[] = {"{\"n\":9223372036854775807}", "{\"n\":9223372036854775807}"};

	/* Beyond what a double holds; of two with the same name the last counts. */
	ck_assert_int_eq(status_number(s, "n"), 9007199254740995);
	ck_assert_str_eq(status_text(s, "u"), "18446744073709551615");
	status_free(s);
	assert_merged(two, 2, "{\"n\":18446744073709551614}");
}
END_TEST

START_TEST(what_is_not_there_has_no_members)
{
	struct json_object *s = status_parse("{\"objects\":{\"a:b\":{\"up\":false,\"t\":\"x\\ny\"},"
					     "\"deep\":{\"c\":{}}}}");

	ck_assert(status_is_false(status_object(s, "a:b"), "up"));
	ck_assert_str_eq(status_text(status_object(s, "a:b"), "t"), "x\ny");
	ck_assert_ptr_null(status_object(s, "c"));
	ck_assert_ptr_null(status_member(status_object(s, "none"), "up"));
	ck_assert(!status_is_false(status_object(s, "none"), "up"));
	ck_assert_int_eq(status_number(NULL, "n"), 0);
	ck_assert_ptr_null(status_text(NULL, "t"));
	status_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_status");
	TCase *tc = tcase_create("status");

	tcase_add_test(tc, what_only_one_has_stays);
	tcase_add_test(tc, numbers_add_up_and_of_the_rest_the_first_stays);
	tcase_add_test(tc, objects_are_merged_at_any_depth);
	tcase_add_test(tc, quotes_and_brackets_in_strings_are_text);
	tcase_add_test(tc, nothing_is_an_empty_object);
	tcase_add_loop_test(tc, what_is_no_object_is_refused, 0, (int)ARRAY_LEN(bad));
	tcase_add_test(tc, deep_nesting_is_refused);
	tcase_add_test(tc, big_numbers_are_exact);
	tcase_add_test(tc, what_is_not_there_has_no_members);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
