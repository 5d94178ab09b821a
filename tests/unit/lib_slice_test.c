/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/slice.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Words of struct sched_attr: size and policy, flags, nice and priority, the time it may run, ...
 */
static void read_attr(uint64_t attr[6])
{
	memset(attr, 0, 6 * sizeof(*attr));
	ck_assert_int_eq(syscall(SYS_sched_getattr, 0, attr, 6 * sizeof(*attr), 0), 0);
}

START_TEST(is_the_shortest_and_nothing_else_changes)
{
	uint64_t before[6], after[6];

	ck_assert_int_ne(nice(1), -1);
	read_attr(before);
	slice_want_short();
	read_attr(after);
	ck_assert_uint_eq(after[0], before[0]);
	ck_assert_uint_eq(after[2], before[2]);
	if (before[3]) /* else the kernel has no slices of its own for a process */
		ck_assert_uint_eq(after[3], 100000);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("slice");
	TCase *tc = tcase_create("slice");

	tcase_add_test(tc, is_the_shortest_and_nothing_else_changes);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
