/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vectors are those of RFC 4648, 10. */
#include "lib/base64.h"

#include "tests/support/suite.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

START_TEST(vectors_of_the_rfc)
{
	static const char *const pairs[][2] = {
		{"", ""},
		{"f", "Zg=="},
		{"fo", "Zm8="},
		{"foo", "Zm9v"},
		{"foob", "Zm9vYg=="},
		{"fooba", "Zm9vYmE="},
		{"foobar", "Zm9vYmFy"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
		size_t len = 99;
		char *data = base64_decode(pairs[i][1], &len);

		ck_assert_str_eq(text, pairs[i][1]);
		ck_assert_uint_eq(len, strlen(pairs[i][0]));
		ck_assert_str_eq(data, pairs[i][0]);
		free(text);
		free(data);
	}
}
END_TEST

START_TEST(every_octet_comes_back)
{
	uint8_t all[257];

	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (uint8_t)(i * 7);
	for (size_t n = sizeof(all) - 3; n <= sizeof(all); n++) {
		char *text = base64_encode(all, n);
		size_t len = 0;
		char *data = base64_decode(text, &len);

		ck_assert_uint_eq(len, n);
		ck_assert_int_eq(memcmp(data, all, n), 0);
		free(text);
		free(data);
	}
}
END_TEST

START_TEST(anything_else_is_refused)
{
	static const char *const bad[] = {
		"A",        "AA",   "AAA",   "====",  "A===",    "AA=A", "=AAA",
		"AA==AAAA", "AA A", "AAA\n", "AAAA=", "Z\xff==", "AA-_"};
	size_t len;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		ck_assert_msg(!base64_decode(bad[i], &len), "%s", bad[i]);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("base64");
	TCase *t = tcase_create("base64");

	tcase_add_test(t, vectors_of_the_rfc);
	tcase_add_test(t, every_octet_comes_back);
	tcase_add_test(t, anything_else_is_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
