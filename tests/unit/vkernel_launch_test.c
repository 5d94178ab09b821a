/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vkernel/launch/launch.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static struct launch launch;
static struct err err;

static int parse(const char *words)
{
	static char copy[512];
	static char *argv[32];
	int n = 0;

	snprintf(copy, sizeof(copy), "vbet-launch %s", words);
	for (char *w = strtok(copy, " "); w; w = strtok(NULL, " "))
		argv[n++] = w;
	argv[n] = NULL;
	return launch_parse(&launch, n, argv, &err);
}

START_TEST(words_are_read)
{
	ck_assert_int_eq(
		parse("name=h1 kernel=/proc/self/exe init=/proc/self/exe root=/usr/.. dir=/tmp "
		      "memory=33554432 cpu=1 -- mem=32M a b"),
		0);
	ck_assert_str_eq(launch.name, "h1");
	ck_assert_str_eq(launch.root, "/");
	ck_assert(!launch.root_is_image);
	ck_assert_uint_eq(launch.memory, 33554432);
	ck_assert_int_eq(launch.cpu, 1);
	ck_assert_str_eq(launch.args[0], "mem=32M");
	ck_assert_ptr_null(launch.args[3]);
	ck_assert_int_ge(launch.kernel_fd, 0);
	close(launch.kernel_fd);
}
END_TEST

START_TEST(wrong_words_are_refused)
{
	static const char *const bad[] = {
		"",
		"name=h1",
		"nonsense=1",
		"nam=h1",
		"name",
		"kernel=/no/such/file",
		"memory=lots",
		"name=h1 kernel=/etc/passwd init=/etc/passwd root=/ dir=/ memory=1",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(parse(bad[i]) == -1, "%s", bad[i]);
}
END_TEST

static int is_refused(long rc)
{
	return rc == -1 && errno == EPERM;
}

START_TEST(calls_that_no_kernel_makes_are_refused)
{
	pid_t pid = fork();

	if (pid == 0) {
		int sv[2];

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || filter_calls() < 0)
			_exit(1);
		if (!is_refused(mount("none", "/", "tmpfs", 0, NULL)))
			_exit(2);
		if (!is_refused(socket(AF_INET, SOCK_DGRAM, 0)))
			_exit(3);
		if (!is_refused(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0)))
			_exit(4);
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, sv) < 0)
			_exit(5);
		pid_t child = fork();

		if (child == 0)
			_exit(0);
		_exit(child > 0 && waitpid(child, NULL, 0) == child ? 0 : 6);
	}
	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vkernel_launch");
	TCase *t = tcase_create("launch");

	tcase_add_test(t, words_are_read);
	tcase_add_test(t, wrong_words_are_refused);
	tcase_add_test(t, calls_that_no_kernel_makes_are_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
