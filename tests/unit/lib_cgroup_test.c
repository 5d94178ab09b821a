/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On directories that look like a cgroup; a real one is in tests/lab/bounds-cgroup.sh. */
#include "lib/cgroup.h"
#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char root[] = "/tmp/cgroup-test.XXXXXX";

static void setup(void)
{
	strcpy(root + strlen(root) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
}

static void teardown(void)
{
	char *command = xasprintf("rm -rf '%s'", root);

	ck_assert_int_eq(system(command), 0);
	free(command);
}

static char *path_in(const char *group, const char *file)
{
	return xasprintf("%s/%s%s%s", root, group, file ? "/" : "", file ? file : "");
}

static void put(const char *group, const char *file, const char *text)
{
	char *path = path_in(group, file);
	FILE *f = fopen(path, "w");

	ck_assert_msg(f != NULL, "%s", path);
	fputs(text, f);
	fclose(f);
	free(path);
}

static void assert_text(const char *group, const char *file, const char *want)
{
	char *path = path_in(group, file);
	FILE *f = fopen(path, "r");
	char text[256] = "";

	ck_assert_msg(f != NULL, "%s", path);
	ck_assert_uint_lt(fread(text, 1, sizeof(text) - 1, f), sizeof(text));
	fclose(f);
	ck_assert_str_eq(text, want);
	free(path);
}

/* A group as the kernel makes one. */
static char *make_group(const char *name)
{
	char *path = path_in(name, NULL);

	ck_assert_int_eq(mkdir(path, 0755), 0);
	put(name, "cgroup.procs", "");
	put(name, "cgroup.type", "domain\n");
	put(name, "cgroup.subtree_control", "\n");
	put(name, "cgroup.controllers", "cpuset cpu io memory hugetlb pids\n");
	return path;
}

/* ---- where a process is ---- */

static void assert_path(const char *self, const char *mounts, const char *want)
{
	struct err e = {0};
	char *got = cgroup_path(self, mounts, &e);

	if (want)
		ck_assert_str_eq(got, want);
	else
		ck_assert_ptr_null(got);
	ck_assert_int_eq(e.kind, want ? 0 : ERR_ENV);
	free(got);
}

START_TEST(the_path_of_a_process_is_found)
{
	static const char unified[] =
		"22 28 0:21 / /proc rw shared:12 - proc proc rw\n"
		"29 23 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw\n";
	static const char hybrid[] =
		"30 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
		"31 23 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";
	static const char container[] =
		"40 23 0:28 /docker/7c /sys/fs/cgroup ro - cgroup2 cgroup rw\n";

	assert_path("0::/user.slice/a.scope\n", unified, "/sys/fs/cgroup/user.slice/a.scope");
	assert_path("0::/\n", unified, "/sys/fs/cgroup");
	assert_path("4:memory:/x\n1:cpu:/\n0::/y\n", hybrid, "/sys/fs/cgroup/unified/y");
	assert_path("0::/docker/7c/z\n", container, "/sys/fs/cgroup/z");
	assert_path("0::/docker/7c\n", container, "/sys/fs/cgroup");
	assert_path("0::/docker/7cd\n", container, NULL);
	assert_path("4:memory:/x\n", unified, NULL);
	assert_path("0::/x\n", "22 28 0:21 / /proc rw - proc proc rw\n", NULL);
	assert_path("", "", NULL);
}
END_TEST

/* ---- what is delegated ---- */

static void assert_delegated(const char *path, const char *want)
{
	struct err e = {0};
	char *got = cgroup_find_delegated(path, &e);

	if (want)
		ck_assert_str_eq(got, want);
	else
		ck_assert_ptr_null(got);
	free(got);
}

START_TEST(a_group_of_systemd_is_delegated_if_it_says_so)
{
	char *plain = make_group("mine");
	char *scope = make_group("run-1.scope");
	char *rest = path_in("run-1.scope/" CGROUP_REST, NULL);

	assert_delegated(plain, plain);
	assert_delegated(scope, NULL);
	if (setxattr(scope, "user.delegate", "1", 1, 0) == 0) {
		assert_delegated(scope, scope);
		assert_delegated(rest, scope); /* who is there came out of it */
	}
	free(rest);
	free(scope);
	free(plain);
}
END_TEST

START_TEST(what_cannot_be_written_is_not_delegated)
{
	char *group = make_group("theirs");
	char *control = path_in("theirs", "cgroup.subtree_control");

	unlink(control);
	assert_delegated(group, NULL);
	assert_delegated("/nowhere", NULL);
	free(control);
	free(group);
}
END_TEST

/* ---- controllers ---- */

START_TEST(controllers_are_whole_words)
{
	ck_assert_uint_eq(cgroup_controllers("cpuset cpu io memory pids\n"),
			  CGROUP_CPU | CGROUP_MEMORY | CGROUP_PIDS);
	ck_assert_uint_eq(cgroup_controllers("cpuset\n"), 0);
	ck_assert_uint_eq(cgroup_controllers("memory"), CGROUP_MEMORY);
	ck_assert_uint_eq(cgroup_controllers(""), 0);
}
END_TEST

START_TEST(only_what_is_there_is_switched_on)
{
	struct err e = {0};
	char *group = make_group("d");

	put("d", "cgroup.controllers", "cpu pids hugetlb\n");
	ck_assert_int_eq(cgroup_enable(group, CGROUP_CPU | CGROUP_MEMORY, &e), CGROUP_CPU);
	assert_text("d", "cgroup.subtree_control", "+cpu");
	/* What is on stays as it is. */
	put("d", "cgroup.subtree_control", "cpu pids\n");
	ck_assert_int_eq(cgroup_enable(group, CGROUP_CPU | CGROUP_PIDS, &e),
			 CGROUP_CPU | CGROUP_PIDS);
	assert_text("d", "cgroup.subtree_control", "cpu pids\n");
	free(group);
}
END_TEST

/* The kernel would take the pid off the list; this one never does, and that must have an end. */
START_TEST(processes_that_do_not_move_are_an_error)
{
	struct err e = {0};
	char *group = make_group("d");
	char *rest = make_group("d/" CGROUP_REST);
	char *procs = path_in("d/" CGROUP_REST, "cgroup.procs");

	put("d", "cgroup.procs", "4711\n");
	unlink(procs);
	ck_assert_int_eq(mkdir(procs, 0755), 0);
	ck_assert_int_eq(cgroup_enable(group, CGROUP_CPU, &e), -1);
	ck_assert_int_eq(e.kind, ERR_ENV);
	assert_text("d", "cgroup.subtree_control", "\n");
	free(procs);
	free(rest);
	free(group);
}
END_TEST

START_TEST(bounds_are_written_and_kills_are_read)
{
	struct err e = {0};
	char *group = make_group("g");

	put("g", "cpu.max", "max 100000\n");
	ck_assert_int_eq(cgroup_write(group, "cpu.max", "20000 100000", &e), 0);
	assert_text("g", "cpu.max", "20000 100000");
	ck_assert_int_eq(cgroup_write(group, "memory.max", "1", &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "memory.max"));
	ck_assert_uint_eq(cgroup_oom_kills(group), 0);
	put("g", "memory.events", "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 1\n");
	ck_assert_uint_eq(cgroup_oom_kills(group), 3);
	ck_assert_int_eq(cgroup_make(group, &e), 0);
	free(group);
}
END_TEST

START_TEST(groups_go_with_those_below_them)
{
	char *top = path_in("t", NULL);
	char *below = path_in("t/a", NULL);

	ck_assert_int_eq(mkdir(top, 0755), 0);
	ck_assert_int_eq(mkdir(below, 0755), 0);
	ck_assert(cgroup_end(top, 0));
	ck_assert_int_eq(access(top, F_OK), -1);
	ck_assert(cgroup_end(top, 0));
	free(below);
	free(top);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cgroup");
	TCase *tc = tcase_create("cgroup");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, the_path_of_a_process_is_found);
	tcase_add_test(tc, a_group_of_systemd_is_delegated_if_it_says_so);
	tcase_add_test(tc, what_cannot_be_written_is_not_delegated);
	tcase_add_test(tc, controllers_are_whole_words);
	tcase_add_test(tc, only_what_is_there_is_switched_on);
	tcase_add_test(tc, processes_that_do_not_move_are_an_error);
	tcase_add_test(tc, bounds_are_written_and_kills_are_read);
	tcase_add_test(tc, groups_go_with_those_below_them);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
