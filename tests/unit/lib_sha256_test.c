/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/sha256.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void check_text(const char *text, size_t times, size_t piece, const char *want)
{
	struct sha256 s;
	char hex[SHA256_HEX];

	sha256_init(&s);
	for (size_t i = 0; i < times; i++)
		for (size_t at = 0, len = strlen(text); at < len; at += piece)
			sha256_add(&s, text + at, len - at < piece ? len - at : piece);
	sha256_finish(&s, hex);
	ck_assert_str_eq(hex, want);
}

/* FIPS 180-4, and its examples of 2001. */
START_TEST(test_known)
{
	static const char two[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	check_text("", 1, 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	check_text("abc", 1, 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	for (size_t piece = 1; piece <= 56; piece += 5)
		check_text(two, 1, piece,
			   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
	check_text("aaaaaaaaaa", 100000, 7,
		   "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}
END_TEST

/* Where the padding just fits, and where it does not: as sha256sum has them. */
START_TEST(test_padding)
{
	static const struct {
		size_t n;
		const char *hex;
	} rows[] = {
		{55, "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318"},
		{56, "b35439a4ac6f0948b6d6f9e3c6af0f5f590ce20f1bde7090ef7970686ec6738a"},
		{63, "7d3e74a05d7db15bce4ad9ec0658ea98e3f06eeecf16b4c6fff2da457ddc2f34"},
		{64, "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb"},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		check_text("a", rows[i].n, 1, rows[i].hex);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib_sha256");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_known);
	tcase_add_test(t, test_padding);
	suite_add_tcase(s, t);
	return suite_run(s);
}
