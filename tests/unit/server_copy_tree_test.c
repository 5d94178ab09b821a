/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Copies of directories: files and directories, and nothing that is neither. */
#include "tests/support/suite.h"
#include "vbet-server/store/copy_tree.h"
#include "vbet-server/store/paths.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[64];

static const char *at(const char *name)
{
	static char path[4][128];
	static int i;

	i = (i + 1) % 4;
	snprintf(path[i], sizeof(path[i]), "%s/%s", dir, name);
	return path[i];
}

static void put(const char *name, const char *text, size_t times)
{
	FILE *f = fopen(at(name), "we");

	ck_assert_ptr_nonnull(f);
	while (times--)
		fputs(text, f);
	fclose(f);
}

static void set_up(void)
{
	strcpy(dir, "/tmp/vbet-copy-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	mkdir(at("a"), 0755);
	mkdir(at("a/deep"), 0755);
	put("a/file", "text\n", 1);
	put("a/deep/large", "0123456789", 20000);
	put("a/empty", "", 0);
	ck_assert_int_eq(mkfifo(at("a/pipe"), 0600), 0);
	ck_assert_int_eq(symlink("/etc/passwd", at("a/link")), 0);
}

static void tear_down(void)
{
	paths_remove_tree(dir);
}

static off_t size_of(const char *name)
{
	struct stat st;

	return lstat(at(name), &st) == 0 ? st.st_size : -1;
}

START_TEST(files_and_directories)
{
	struct err e = {0};
	struct stat st;
	size_t len;

	ck_assert_msg(copy_tree(at("a"), at("b"), &e) == 0, "%s", e.text);
	ck_assert_int_eq(size_of("b/deep/large"), 200000);
	ck_assert_int_eq(size_of("b/empty"), 0);
	ck_assert_int_eq(size_of("b/pipe"), -1);
	ck_assert_int_eq(size_of("b/link"), -1);
	ck_assert_int_eq(stat(at("b/file"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	/* Onto what is there. */
	put("a/file", "other text\n", 1);
	ck_assert_int_eq(copy_tree(at("a"), at("b"), &e), 0);
	char *text = paths_read_file(at("b/file"), &len, &e);

	ck_assert_str_eq(text, "other text\n");
	free(text);
}
END_TEST

START_TEST(without_one_or_linked)
{
	struct err e = {0};
	struct stat a;
	struct stat b;

	put("a/left", "out", 1);
	put("a/file", "text", 1);
	ck_assert_int_eq(copy_tree_but(at("a"), at("b"), "left", &e), 0);
	ck_assert_int_lt(access(at("b/left"), F_OK), 0);
	ck_assert_int_eq(access(at("b/file"), F_OK), 0);
	ck_assert_int_eq(copy_tree_linked(at("a"), at("c"), &e), 0);
	ck_assert_int_eq(stat(at("a/file"), &a), 0);
	ck_assert_int_eq(stat(at("c/file"), &b), 0);
	ck_assert_uint_eq(a.st_ino, b.st_ino);
	/* Nothing is replaced: what is there may be what somebody reads. */
	ck_assert_int_eq(copy_tree_linked(at("a"), at("c"), &e), -1);
}
END_TEST

START_TEST(what_is_not_there_is_said)
{
	struct err e = {0};

	ck_assert_int_eq(copy_tree(at("none"), at("b"), &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "none"));
	ck_assert_int_eq(copy_tree(at("a"), at("none/b"), &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "none/b"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("copy_tree");
	TCase *tc = tcase_create("copy_tree");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, files_and_directories);
	tcase_add_test(tc, without_one_or_linked);
	tcase_add_test(tc, what_is_not_there_is_said);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
