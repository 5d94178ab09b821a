/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vbet diff: two directories, made here, and what it says of them. */
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/store/paths.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[32];
static struct err e;

static void setup(void)
{
	strcpy(dir, "/tmp/vbet-diff-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chdir(dir), 0);
	ck_assert_int_eq(mkdir("one", 0700), 0);
	ck_assert_int_eq(mkdir("two", 0700), 0);
	e.kind = ERR_NONE;
}

static void teardown(void)
{
	ck_assert_int_eq(chdir("/"), 0);
	paths_remove_tree(dir);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void put_both(const char *name, const char *text)
{
	char path[64];

	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", i ? "two" : "one", name);
		put(path, text);
	}
}

/* A capture (pcap with nanoseconds): frames of 60 octets of one value, a second apart; frame `odd`
 * (from 1; 0: none) has another octet 7, or comes later_ns later. */
static void put_capture(const char *path, unsigned frames, unsigned odd, uint32_t later_ns)
{
	const uint32_t head[] = {0xa1b23c4d, 2 | 4 << 16, 0, 0, 65535, 1};
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fwrite(head, sizeof(head), 1, f);
	for (unsigned i = 1; i <= frames; i++) {
		uint32_t record[] = {1767225600 + i, i == odd ? later_ns : 0, 60, 60};
		uint8_t data[60];

		memset(data, (int)i, sizeof(data));
		if (i == odd && !later_ns)
			data[7] = 0xee;
		fwrite(record, sizeof(record), 1, f);
		fwrite(data, sizeof(data), 1, f);
	}
	fclose(f);
}

/* What it prints (static), and its status. */
static const char *diff(char *a, char *b, int *status)
{
	static char text[4096];
	char *argv[] = {a, b};
	struct cmd_options o = {0};

	fflush(stdout);
	int old = dup(STDOUT_FILENO);
	int file = open("said", O_RDWR | O_CREAT | O_TRUNC, 0600);

	dup2(file, STDOUT_FILENO);
	*status = cmd_diff(&o, 2, argv, &e);
	fflush(stdout);
	dup2(old, STDOUT_FILENO);
	close(old);
	ssize_t n = pread(file, text, sizeof(text) - 1, 0);

	close(file);
	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void says(int status, const char *want)
{
	char one[] = "one";
	char two[] = "two";
	int got;
	const char *text = diff(one, two, &got);

	ck_assert_str_eq(text, want);
	ck_assert_int_eq(got, status);
}

START_TEST(equal_runs_have_no_difference)
{
	put_both("console", "a\nb\n");
	put_both("manifest", "vbet 1\n");
	put_capture("one/x.pcap", 3, 0, 0);
	put_capture("two/x.pcap", 3, 0, 0);
	says(0, "3 files, no difference\n");
}
END_TEST

START_TEST(the_first_line_that_differs_is_named)
{
	put("one/console", "a\nb\nc\n");
	put("two/console", "a\nB\nC\n");
	put("one/longer", "a\nb\n");
	put("two/longer", "a\n");
	put("one/no-end", "a");
	put("two/no-end", "a\n");
	says(ERR_EXPECT, "console: line 2\n  first:  b\n  second: B\n"
			 "longer: line 2\n  first:  b\n  second: (the end)\n"
			 "no-end: line 1\n  first:  a\n  second: a\n");
}
END_TEST

/* Times are those of the run's clock where its manifest says that it had one. */
START_TEST(frames_come_first_by_time)
{
	put_both("manifest", "vbet 1\nclock virtual\n");
	put("one/a", "x\n");
	put("two/a", "y\n");
	put_capture("one/late.pcap", 5, 0, 0);
	put_capture("two/late.pcap", 5, 4, 0);
	put_capture("one/soon.pcap", 5, 0, 0);
	put_capture("two/soon.pcap", 5, 2, 17);
	put_capture("one/short.pcap", 5, 0, 0);
	put_capture("two/short.pcap", 2, 0, 0);
	says(ERR_EXPECT,
	     "soon.pcap: frame 2, at 2.000000000 s: in the second run it passes at 2.000000017 s\n"
	     "short.pcap: frame 3, at 3.000000000 s: only the first run has it\n"
	     "late.pcap: frame 4, at 4.000000000 s: byte 7 is 04 in the first run, ee in the "
	     "second\n"
	     "a: line 1\n  first:  x\n  second: y\n");
}
END_TEST

START_TEST(what_only_one_run_has_is_named)
{
	ck_assert_int_eq(mkdir("one/n", 0700), 0);
	ck_assert_int_eq(mkdir("two/n", 0700), 0);
	put("one/n/r1", "");
	put("two/n/r2", "");
	ck_assert_int_eq(mkdir("one/kind", 0700), 0);
	put("two/kind", "");
	says(ERR_EXPECT, "kind: only the first run has it\n"
			 "n/r1: only the first run has it\n"
			 "n/r2: only the second run has it\n");
}
END_TEST

START_TEST(two_files_are_compared_too)
{
	char a[] = "one/f";
	char b[] = "two/f";
	char none[] = "two/none";
	int status;

	put("one/f", "same\n");
	put("two/f", "same\n");
	ck_assert_str_eq(diff(a, b, &status), "1 files, no difference\n");
	ck_assert_int_eq(status, 0);
	diff(a, none, &status);
	ck_assert_int_lt(status, 0);
	ck_assert_ptr_nonnull(strstr(e.text, "two/none"));
}
END_TEST

START_TEST(what_is_no_capture_is_told)
{
	char one[] = "one";
	char two[] = "two";
	int status;

	put_both("x.pcap", "this is none\n");
	diff(one, two, &status);
	ck_assert_int_lt(status, 0);
	ck_assert_ptr_nonnull(strstr(e.text, "x.pcap"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_diff");
	TCase *t = tcase_create("diff");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, equal_runs_have_no_difference);
	tcase_add_test(t, the_first_line_that_differs_is_named);
	tcase_add_test(t, frames_come_first_by_time);
	tcase_add_test(t, what_only_one_run_has_is_named);
	tcase_add_test(t, two_files_are_compared_too);
	tcase_add_test(t, what_is_no_capture_is_told);
	suite_add_tcase(s, t);
	return suite_run(s);
}
