/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/quota.h"

#include "tests/support/suite.h"

START_TEST(so_many_in_so_much_time)
{
	struct quota q = {0};

	for (int span = 0; span < 3; span++) {
		int64_t begin = span * 1000 + 7;

		for (int i = 0; i < 5; i++)
			ck_assert_int_eq(quota_take(&q, 5, 1000, begin + i), QUOTA_YES);
		ck_assert_int_eq(quota_take(&q, 5, 1000, begin + 5), QUOTA_LAST);
		for (int i = 0; i < 100; i++)
			ck_assert_int_eq(quota_take(&q, 5, 1000, begin + 999), QUOTA_NO);
	}
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, so_many_in_so_much_time);
}

int main(void)
{
	return suite_run_case("quota", add);
}
