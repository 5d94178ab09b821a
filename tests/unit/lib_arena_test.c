/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/arena.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

START_TEST(memory_is_zero_aligned_and_apart)
{
	struct arena a = {0};
	unsigned char *last = NULL;

	for (size_t size = 1; size < 5000; size += 7) {
		unsigned char *p = arena_alloc(&a, size);

		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			if (p[i])
				ck_abort_msg("byte %zu of %zu is not zero", i, size);
		memset(p, 0xff, size);
		if (last)
			ck_assert_ptr_ne(p, last);
		last = p;
	}
	arena_finish(&a);
	ck_assert_ptr_null(a.head);
}
END_TEST

START_TEST(large_pieces_get_room)
{
	struct arena a = {0};
	char *small = arena_strdup(&a, "small");
	char *large = arena_alloc(&a, 1 << 20);

	memset(large, 1, 1 << 20);
	char *after = arena_strdup(&a, "after");

	ck_assert_str_eq(small, "small");
	ck_assert_str_eq(after, "after");
	arena_finish(&a);
}
END_TEST

START_TEST(strings_are_copied)
{
	struct arena a = {0};
	char text[] = "hello";

	char *copy = arena_strdup(&a, text);
	char *part = arena_strndup(&a, text, 3);
	char *more = arena_strndup(&a, text, 100);
	char *made = arena_printf(&a, "%s-%d-%s", text, 42, "");

	text[0] = 'X';
	ck_assert_str_eq(copy, "hello");
	ck_assert_str_eq(part, "hel");
	ck_assert_str_eq(more, "hello");
	ck_assert_str_eq(made, "hello-42-");
	arena_finish(&a);
}
END_TEST

START_TEST(an_arena_can_be_used_again)
{
	struct arena a = {0};

	for (int i = 0; i < 10; i++) {
		arena_alloc(&a, 100000);
		arena_finish(&a);
	}
	arena_finish(&a);
	ck_assert_ptr_null(a.head);
}
END_TEST

START_TEST(a_cleared_arena_keeps_a_block_that_is_zero)
{
	struct arena a = {0};

	arena_clear(&a);
	ck_assert_ptr_null(a.head);
	memset(arena_alloc(&a, 100), 'x', 100);
	memset(arena_alloc(&a, 100000), 'x', 100000);
	memset(arena_alloc(&a, 100), 'x', 100);
	arena_clear(&a);
	size_t kept = arena_size(&a);
	const char *p = arena_alloc(&a, 200);

	ck_assert_uint_gt(kept, 0);
	ck_assert_uint_eq(arena_size(&a), kept);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(p[i], 0);
	arena_finish(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arena");
	TCase *tc = tcase_create("arena");

	tcase_add_test(tc, memory_is_zero_aligned_and_apart);
	tcase_add_test(tc, large_pieces_get_room);
	tcase_add_test(tc, strings_are_copied);
	tcase_add_test(tc, an_arena_can_be_used_again);
	tcase_add_test(tc, a_cleared_arena_keeps_a_block_that_is_zero);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
