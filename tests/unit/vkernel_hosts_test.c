/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vkernel/init/hosts.h"

#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char control[] = "hosts \"+10.0.0.3 h3\" \"+fd00::3 h3\" \"-10.0.0.2 h2\"";

static void edits(const char *before, const char *after)
{
	struct arena a = {0};
	struct words w;

	ck_assert_int_eq(words_split(control, strlen(control), &a, &w, NULL), 0);
	char *got = hosts_edit(before, &w);

	ck_assert_str_eq(got, after);
	/* Once more changes nothing. */
	char *again = hosts_edit(got, &w);

	ck_assert_str_eq(again, after);
	free(again);
	free(got);
	arena_finish(&a);
}

START_TEST(lines_come_and_go_and_others_stay)
{
	edits("", "10.0.0.3 h3\nfd00::3 h3\n");
	edits("127.0.0.1 localhost\n10.0.0.2 h2\n10.0.0.4 h4\n",
	      "127.0.0.1 localhost\n10.0.0.4 h4\n10.0.0.3 h3\nfd00::3 h3\n");
	/* Of somebody else: almost ours, a comment, an empty line, no end. */
	edits("10.0.0.2 h2 alias\n# 10.0.0.2 h2\n\n10.0.0.22 h2\n10.0.0.3 h3\nmine",
	      "10.0.0.2 h2 alias\n# 10.0.0.2 h2\n\n10.0.0.22 h2\n10.0.0.3 h3\nmine\nfd00::3 h3\n");
}
END_TEST

START_TEST(a_file_keeps_its_mode_and_one_that_is_gone_stays_away)
{
	char dir[] = "/tmp/vbet-hosts-XXXXXX";
	char path[64];
	struct arena a = {0};
	struct words w;
	struct stat st;
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/hosts", dir);
	ck_assert_int_eq(words_split(control, strlen(control), &a, &w, NULL), 0);
	ck_assert_int_eq(hosts_change(path, &w, &e), 0);
	ck_assert_int_ne(access(path, F_OK), 0);

	FILE *f = fopen(path, "w");

	fputs("10.0.0.2 h2\n", f);
	fclose(f);
	ck_assert_int_eq(chmod(path, 0604), 0);
	ck_assert_int_eq(hosts_change(path, &w, &e), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0604);
	ck_assert_int_eq(st.st_size, strlen("10.0.0.3 h3\nfd00::3 h3\n"));
	unlink(path);
	ck_assert_int_eq(rmdir(dir), 0); /* and nothing is left beside it */
	arena_finish(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vkernel_hosts");
	TCase *t = tcase_create("hosts");

	tcase_add_test(t, lines_come_and_go_and_others_stay);
	tcase_add_test(t, a_file_keeps_its_mode_and_one_that_is_gone_stays_away);
	suite_add_tcase(s, t);
	return suite_run(s);
}
