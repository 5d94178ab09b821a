/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/vec.h"
#include "tests/support/suite.h"

#include <check.h>

struct thing {
	int a;
	char text[40];
};

START_TEST(an_added_item_is_zero_and_in_place_when_the_array_moves)
{
	VEC(struct thing) v = {0};

	for (int i = 0; i < 1000; i++) {
		struct thing *t = vec_add(&v);

		ck_assert_ptr_eq(t, &v.at[i]);
		ck_assert_int_eq(t->a, 0);
		t->a = i;
	}
	ck_assert_uint_eq(v.n, 1000);
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(v.at[i].a, i);
	vec_free(&v);
	ck_assert_ptr_null(v.at);
	ck_assert_uint_eq(v.n, 0);
}
END_TEST

START_TEST(push_remove_and_walk)
{
	VEC(int) v = {0};
	const int *p;
	int sum = 0;

	VEC_FOREACH (p, &v)
		sum++;
	ck_assert_int_eq(sum, 0);

	for (int i = 0; i < 10; i++)
		vec_push(&v, i);
	vec_remove(&v, 0);
	vec_remove(&v, 8);
	vec_remove(&v, 3);
	ck_assert_uint_eq(v.n, 7);
	VEC_FOREACH (p, &v)
		sum = sum * 10 + *p;
	ck_assert_int_eq(sum, 1235678);
	vec_free(&v);
}
END_TEST

START_TEST(an_item_is_removed_by_its_value_once)
{
	VEC(const char *) v = {0};
	const char *a = "a", *b = "b", *c = "c", *other = "d";

	vec_remove_item(&v, a);
	ck_assert_uint_eq(v.n, 0);
	vec_push(&v, a);
	vec_push(&v, b);
	vec_push(&v, c);
	vec_push(&v, b);
	vec_remove_item(&v, b);
	ck_assert_uint_eq(v.n, 3);
	ck_assert_ptr_eq(v.at[0], a);
	ck_assert_ptr_eq(v.at[1], c);
	ck_assert_ptr_eq(v.at[2], b);
	vec_remove_item(&v, other);
	ck_assert_uint_eq(v.n, 3);
	vec_remove_item(&v, b);
	vec_remove_item(&v, a);
	vec_remove_item(&v, c);
	ck_assert_uint_eq(v.n, 0);
	vec_free(&v);
}
END_TEST

START_TEST(reserve_makes_room_once)
{
	VEC(int) v = {0};

	vec_reserve(&v, 100);
	const int *at = v.at;

	for (int i = 0; i < 100; i++)
		vec_push(&v, i);
	ck_assert_ptr_eq(at, v.at);
	vec_free(&v);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vec");
	TCase *tc = tcase_create("vec");

	tcase_add_test(tc, an_added_item_is_zero_and_in_place_when_the_array_moves);
	tcase_add_test(tc, push_remove_and_walk);
	tcase_add_test(tc, an_item_is_removed_by_its_value_once);
	tcase_add_test(tc, reserve_makes_room_once);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
