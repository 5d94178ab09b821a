/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The vectors that its authors publish: key 00..0f, input 00..n-1. */
#include "lib/siphash.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>

START_TEST(vectors)
{
	static const struct {
		size_t len;
		uint64_t hash;
	} wanted[] = {
		{0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
		{7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
		{15, UINT64_C(0xa129ca6149be45e5)},
	};
	uint8_t key[16];
	uint8_t in[16];

	for (int i = 0; i < 16; i++)
		key[i] = in[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		ck_assert_uint_eq(siphash24(key, in, wanted[i].len), wanted[i].hash);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("siphash");
	TCase *tc = tcase_create("siphash");

	tcase_add_test(tc, vectors);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
