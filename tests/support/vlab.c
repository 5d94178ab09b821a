/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/vlab.h"

#include <check.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static char dir[32];
static pid_t substrate;
static FILE *control;

const char *vlab_build(void)
{
	static char build[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", build, PATH_MAX - 1);

	ck_assert_int_gt(n, 0);
	build[n] = '\0';
	for (int i = 0; i < 3; i++) /* build/tests/unit/x_test */
		*strrchr(build, '/') = '\0';
	return build;
}

const char *vlab_dir(void)
{
	return dir;
}

void vlab_start(void)
{
	char program[PATH_MAX + 16];
	int pair[2];

	snprintf(program, sizeof(program), "%s/vsubstrate", vlab_build());
	strcpy(dir, "/tmp/vlab.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	substrate = fork();
	if (substrate == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(pair[1], 0);
		execl(program, "vsubstrate", (char *)NULL);
		_exit(127);
	}
	close(pair[1]);
	control = fdopen(pair[0], "r+");
	vlab_say("clock real seed=1");
}

void vlab_stop(void)
{
	char rm[64];

	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	fclose(control);
	waitpid(substrate, NULL, 0);
	ck_assert_int_eq(system(rm), 0);
}

const char *vlab_say(const char *fmt, ...)
{
	static char answer[65536];
	va_list ap;

	va_start(ap, fmt);
	vfprintf(control, fmt, ap);
	va_end(ap);
	fputc('\n', control);
	fflush(control);
	do {
		ck_assert_ptr_nonnull(fgets(answer, sizeof(answer), control));
	} while (!strncmp(answer, "event ", 6));
	ck_assert_msg(!strncmp(answer, "ok", 2), "%s: %s", fmt, answer);
	return answer;
}

pid_t vlab_spawn(const char *vnet_conf, char *const *argv, const char *output)
{
	char program[PATH_MAX + 64];

	snprintf(program, sizeof(program), "%s/%s", vlab_build(), argv[0]);
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setenv("VNET_CONF", vnet_conf, 1);
		if (output) {
			int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);

			dup2(fd, 1);
			dup2(fd, 2);
		}
		execv(program, argv);
		_exit(127);
	}
	return pid;
}

void vlab_kill(pid_t pid)
{
	kill(pid, SIGTERM);
	waitpid(pid, NULL, 0);
}
