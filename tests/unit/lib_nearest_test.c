/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/nearest.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const known[] = {"router", "host", "firewall", "server", "hub", "switch"};

static const struct {
	const char *wanted, *best;
} cases[] = {
	{"ruter", "router"},
	{"rotuer", "router"},
	{"ROUTER", "router"},
	{"hots", "host"},
	{"swich", "switch"},
	{"hubb", "hub"},
	{"fierwall", "firewall"},
	{"quagmire", NULL},
	{"", NULL},
	{"x", NULL},
	{"completely different", NULL},
};

START_TEST(the_nearest_is_found_and_the_far_is_not)
{
	struct nearest n;
	char want[64] = "";

	nearest_init(&n, cases[_i].wanted);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		nearest_offer(&n, known[i]);
	if (cases[_i].best) {
		ck_assert_ptr_nonnull(n.best);
		ck_assert_str_eq(n.best, cases[_i].best);
		snprintf(want, sizeof(want), "; did you mean '%s'?", cases[_i].best);
	} else {
		ck_assert_ptr_null(n.best);
	}
	ck_assert_str_eq(nearest_hint(&n), want);
}
END_TEST

/* From scanning the paper of vBET: an l for a 1, an O for a 0. */
START_TEST(letters_that_look_alike_are_nearer)
{
	static const struct {
		const char *wanted, *known[4], *best;
	} scans[] = {
		{"hostl", {"host3", "host2", "host1", "hosts"}, "host1"},
		{"rl", {"r3", "r2", "r1", "h1"}, "r1"},
		{"fwO", {"fw1", "fw2", "fw0", "fwa"}, "fw0"},
		{"rlO", {"r11", "r1", "r20", "r10"}, "r10"},
		{"pc_1", {"pc_2", "pc1", "pc-1", "pc_l"}, "pc-1"},
	};

	for (size_t i = 0; i < ARRAY_LEN(scans); i++) {
		struct nearest n;

		nearest_init(&n, scans[i].wanted);
		for (size_t k = 0; k < 4; k++)
			nearest_offer(&n, scans[i].known[k]);
		ck_assert_ptr_nonnull(n.best);
		ck_assert_str_eq(n.best, scans[i].best);
	}
}
END_TEST

/* Half of a word is not enough: ldpd is no ripd. */
START_TEST(words_that_share_little_are_far)
{
	static const char *const others[] = {"ripd", "ospfd", "bgpd", "zebra"};
	struct nearest n;

	nearest_init(&n, "ldpd");
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		nearest_offer(&n, others[i]);
	ck_assert_ptr_null(n.best);
}
END_TEST

START_TEST(very_long_names_are_compared_by_their_beginning)
{
	char a[2000];
	char b[2000];
	struct nearest n;

	memset(a, 'a', sizeof(a) - 1);
	memset(b, 'a', sizeof(b) - 1);
	a[sizeof(a) - 1] = b[sizeof(b) - 1] = '\0';
	b[1900] = 'x';
	nearest_init(&n, a);
	nearest_offer(&n, b);
	ck_assert_ptr_eq(n.best, b);
	ck_assert_uint_lt(strlen(nearest_hint(&n)), sizeof(n.hint));
}
END_TEST

START_TEST(the_first_of_equals_wins)
{
	struct nearest n;

	nearest_init(&n, "fw0");
	nearest_offer(&n, "fw1");
	nearest_offer(&n, "fw2");
	ck_assert_str_eq(n.best, "fw1");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("nearest");
	TCase *tc = tcase_create("nearest");

	tcase_add_loop_test(tc, the_nearest_is_found_and_the_far_is_not, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, letters_that_look_alike_are_nearer);
	tcase_add_test(tc, words_that_share_little_are_far);
	tcase_add_test(tc, very_long_names_are_compared_by_their_beginning);
	tcase_add_test(tc, the_first_of_equals_wins);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
