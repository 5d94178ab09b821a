/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What has failed in guests: the one message that is made of it, and when it is forgotten. */
#include "vbet-server/lab/failures.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct failures f;
static struct err e;

static void teardown(void)
{
	failures_finish(&f);
	f = (struct failures){0};
}

static void add(enum err_kind kind, const char *node, const char *why)
{
	failures_add(&f, kind, node, why, "");
}

/* Every node once, with its first reason; the end of one console. */
START_TEST(test_error)
{
	add(ERR_NONE, "z", "run failed: true enough");
	failures_add(&f, ERR_ENV, "a", "zebra failed", "last words\n");
	add(ERR_ENV, "b", "run failed: false");
	add(ERR_ENV, "a", "ospfd failed");
	failures_make_error(&f, &e);
	ck_assert_int_eq(e.kind, ERR_ENV);
	ck_assert_str_eq(e.text, "a: zebra failed; also b: run failed: false; the end of the first "
				 "one's console:\nlast words\n");
}
END_TEST

START_TEST(test_only_one)
{
	failures_add(&f, ERR_ENV, "a", "zebra failed", "last words\n");
	failures_make_error(&f, &e);
	ck_assert_str_eq(e.text, "a: zebra failed; the end of its console:\nlast words\n");
}
END_TEST

/* "late" is said only if nothing else is wrong, whatever came first. */
START_TEST(test_late)
{
	add(ERR_TIMEOUT, "a", "not ready after 8 s");
	failures_make_error(&f, &e);
	ck_assert_int_eq(e.kind, ERR_TIMEOUT);
	add(ERR_ENV, "b", "run failed: false");
	failures_make_error(&f, &e);
	ck_assert_int_eq(e.kind, ERR_ENV);
	ck_assert_str_eq(e.text, "a: not ready after 8 s; also b: run failed: false");
}
END_TEST

/* Many: reasons, then names, then a number; all of them are counted, and it stays readable. */
START_TEST(test_many)
{
	size_t named = 0;
	size_t more = 0;

	for (int i = 0; i < 300; i++) {
		char name[16];

		snprintf(name, sizeof(name), "n%03d", i);
		add(ERR_ENV, name, "run failed: cat /no/such/file: status 1");
	}
	failures_make_error(&f, &e);
	ck_assert(!strncmp(e.text, "n000: run failed: cat /no/such/file: status 1; also n001: run ",
			   62));
	for (const char *at = e.text; (at = strstr(at, "n")); at++)
		named += strspn(at + 1, "0123456789") == 3;
	ck_assert_msg(strstr(e.text, "; and "), "%s", e.text);
	ck_assert_int_eq(sscanf(strstr(e.text, "; and "), "; and %zu more", &more), 1);
	ck_assert_uint_eq(named + more, 300);
	ck_assert_uint_gt(named, 10);
	ck_assert_uint_lt(strlen(e.text), 600);
}
END_TEST

START_TEST(test_print)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&text, &len);

	add(ERR_ENV, "a", "run failed: false");
	add(ERR_NONE, "b", "ospfd failed");
	failures_print(&f, out);
	fclose(out);
	ck_assert_str_eq(text, "a: run failed: false\nb: ospfd failed (it may fail)\n");
	free(text);
}
END_TEST

/* What may fail has failed, and the node has not. */
START_TEST(test_may_fail)
{
	add(ERR_NONE, "a", "run failed: false");
	ck_assert(!failures_has(&f, "a"));
	ck_assert_uint_eq(f.n_fatal, 0);
	add(ERR_ENV, "a", "zebra failed");
	ck_assert(failures_has(&f, "a"));
	ck_assert(!failures_has(&f, "b"));
	ck_assert_uint_eq(f.n_fatal, 1);
}
END_TEST

START_TEST(test_forget)
{
	add(ERR_ENV, "a", "one");
	add(ERR_TIMEOUT, "b", "two");
	add(ERR_NONE, "a", "three");
	add(ERR_ENV, "b", "four");
	failures_forget_late(&f, "a");
	ck_assert_uint_eq(f.all.n, 4);
	failures_forget_late(&f, "b");
	ck_assert_uint_eq(f.n_fatal, 2);
	failures_forget(&f, "a");
	ck_assert_uint_eq(f.n_fatal, 1);
	ck_assert_uint_eq(f.all.n, 1);
	ck_assert_str_eq(f.all.at[0].why, "four");
}
END_TEST

/* A guest that fails without end costs no more than a few lines, and hides nothing that is fatal.
 */
START_TEST(test_bound)
{
	for (int i = 0; i < 1000; i++)
		add(ERR_NONE, "a", "again");
	ck_assert_uint_eq(f.all.n, FAILURES_OF_NODE_MAX);
	add(ERR_ENV, "a", "now really");
	ck_assert_uint_eq(f.n_fatal, 1);
	for (int i = 0; i < 1000; i++)
		add(ERR_ENV, "a", "and again");
	ck_assert_uint_eq(f.all.n, FAILURES_OF_NODE_MAX + 1);
	add(ERR_NONE, "b", "other");
	ck_assert_uint_eq(f.all.n, FAILURES_OF_NODE_MAX + 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_failures");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, test_error);
	tcase_add_test(t, test_only_one);
	tcase_add_test(t, test_late);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_print);
	tcase_add_test(t, test_may_fail);
	tcase_add_test(t, test_forget);
	tcase_add_test(t, test_bound);
	suite_add_tcase(s, t);
	return suite_run(s);
}
