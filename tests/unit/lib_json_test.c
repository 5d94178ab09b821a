/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/json.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>

static void assert_merged(const char *const *objects, size_t n, const char *want)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	json_merge(f, objects, n);
	fclose(f);
	ck_assert_str_eq(text, want);
	free(text);
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

int main(void)
{
	Suite *s = suite_create("json");
	TCase *tc = tcase_create("json");

	tcase_add_test(tc, what_only_one_has_stays);
	tcase_add_test(tc, numbers_add_up_and_of_the_rest_the_first_stays);
	tcase_add_test(tc, objects_are_merged_at_any_depth);
	tcase_add_test(tc, quotes_and_brackets_in_strings_are_text);
	tcase_add_test(tc, nothing_is_an_empty_object);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
