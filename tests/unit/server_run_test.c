/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vbet-server/command/run.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(test_names)
{
	static const struct {
		const char *text, *name;
		int64_t at_ns;
	} rows[] = {
		{"run", "run", -1},
		{"run@60s", "run", 60000000000},
		{"dir/run@1.5s", "dir/run", 1500000000},
		{"runs@home/one", "runs@home/one", -1},
		{"runs@home/one@250ms", "runs@home/one", 250000000},
	};
	struct err e = {0};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *name = NULL;
		int64_t at_ns;

		ck_assert_int_eq(run_parse(rows[i].text, &name, &at_ns, &e), 0);
		ck_assert_str_eq(name, rows[i].name);
		ck_assert_int_eq(at_ns, rows[i].at_ns);
		free(name);
	}
	char *name = NULL;
	int64_t at_ns;

	ck_assert_int_eq(run_parse("run@soon", &name, &at_ns, &e), -1);
}
END_TEST

START_TEST(test_times)
{
	struct err e = {0};
	int64_t first;
	int64_t last;

	ck_assert_int_eq(run_times("1.000000000 ready\n", &first, &last, &e), 0);
	ck_assert_int_eq(first, 1000000000);
	ck_assert_int_eq(last, 1000000000);
	/* The last line may have been cut off by a crash. */
	ck_assert_int_eq(
		run_times("1.000000000 ready\n61.000000001 link a b do", &first, &last, &e), 0);
	ck_assert_int_eq(last, 61000000001);
	ck_assert_int_eq(run_times("", &first, &last, &e), -1);
	ck_assert_int_eq(run_times("ready\n", &first, &last, &e), -1);
	ck_assert_int_eq(run_times("1.0 ready\n\n", &first, &last, &e), -1);
}
END_TEST

static const struct manifest example = {
	.lab = "t",
	.clock = "virtual",
	.seed = 18446744073709551615u,
	.spin = "stop",
	.script = "my lab.vbet",
	.dir = "/home/of \"x\"",
	.tsc = "virtual",
	.parts = {[MANIFEST_KERNEL] = {"0123456789abcdef", "/k"},
		  [MANIFEST_INIT] = {"1", "/i"},
		  [MANIFEST_SUBSTRATE] = {"2", "/s"},
		  [MANIFEST_TREE] = {"", "/tree"},
		  [MANIFEST_CPU] = {"4", "A CPU"}},
	.graph = "lab = \"t\"\nh = attach(alloc(host))\n",
};

static void text_of(const struct manifest *m, char *text, size_t size)
{
	FILE *f = fmemopen(text, size, "w");

	manifest_write(f, m);
	fclose(f);
}

START_TEST(test_manifest)
{
	struct arena a = {0};
	struct err e = {0};
	struct manifest m;
	char text[1024];
	char again[1024];

	text_of(&example, text, sizeof(text));
	ck_assert_int_eq(manifest_read(&m, &a, text, &e), 0);
	text_of(&m, again, sizeof(again));
	ck_assert_str_eq(text, again);
	/* No part of it may be missing, nor may it be of a later version. */
	*strstr(text, "graph\n") = '\0';
	ck_assert_int_eq(manifest_read(&m, &a, text, &e), -1);
	ck_assert_int_eq(manifest_read(&m, &a, "vbet 2\n", &e), -1);
	ck_assert(strstr(e.text, "newer"));
	ck_assert_int_eq(manifest_read(&m, &a, "ELF", &e), -1);
	arena_finish(&a);
}
END_TEST

static size_t differences(const struct manifest *now, char *out, size_t size)
{
	FILE *f = fmemopen(out, size, "w");
	size_t n = manifest_compare(f, &example, now);

	fclose(f);
	return n;
}

START_TEST(test_compare)
{
	struct manifest now = example;
	char out[1024] = "";

	ck_assert_uint_eq(differences(&now, out, sizeof(out)), 0);
	ck_assert_str_eq(out, "");
	/* Where a program lies does not matter, what is in it does. */
	now.parts[MANIFEST_INIT].where = "/elsewhere";
	ck_assert_uint_eq(differences(&now, out, sizeof(out)), 0);
	now.parts[MANIFEST_KERNEL].id = "fedcba9876543210";
	now.parts[MANIFEST_TREE].where = "/other";
	ck_assert_uint_eq(differences(&now, out, sizeof(out)), 2);
	ck_assert(strstr(out, "kernel is another one: it was /k (0123456789ab), here it is /k "
			      "(fedcba987654)"));
	ck_assert(strstr(out, "root file system may be another one"));
	/* An older run says nothing of the counter. */
	now = example;
	now.tsc = NULL;
	ck_assert_uint_eq(differences(&now, out, sizeof(out)), 0);
	now.tsc = "host";
	ck_assert_uint_eq(differences(&now, out, sizeof(out)), 1);
	ck_assert(strstr(out, "counter in guests was the virtual one, here it is the host one"));
}
END_TEST

START_TEST(test_graphs)
{
	struct arena a = {0};

	ck_assert_ptr_null(manifest_compare_graphs(&a, "a\nb\n", "a\nb\n"));
	ck_assert_str_eq(manifest_compare_graphs(&a, "a\nb\n", "a\nbc\n"),
			 "line 2 was 'b', is 'bc'");
	ck_assert_str_eq(manifest_compare_graphs(&a, "a\n", "a\nb\n"), "line 2 was '', is 'b'");
	arena_finish(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_run");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_names);
	tcase_add_test(t, test_times);
	tcase_add_test(t, test_manifest);
	tcase_add_test(t, test_compare);
	tcase_add_test(t, test_graphs);
	suite_add_tcase(s, t);
	return suite_run(s);
}
