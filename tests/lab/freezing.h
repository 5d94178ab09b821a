/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What freezing_calendar and freezing_owner have in common: a guest's kernel that is started, or
 * goes on from a state, and the messages that its calendar or owner exchanges with it.
 */
#ifndef FREEZING_H
#define FREEZING_H

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/time_travel.h"

static int listener, guest = -1; /* the socket where kernels connect, and the one that did */
static pid_t pid;
static char **kernel;       /* and its arguments */
static const char *console; /* the file that gets what the kernel says */

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void send_with(struct time_message m, const int *fds, size_t n)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(2 * sizeof(int))];
	} control = {0};
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = CMSG_SPACE(n * sizeof(int))};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(n * sizeof(int));
	memcpy(CMSG_DATA(c), fds, n * sizeof(int));
	if (sendmsg(guest, &msg, 0) != sizeof(m))
		die("send");
}

/* state: -1, or what it is to go on from; way: "", ",adopt" or ",share". */
static void boot(int state, const char *way)
{
	char resume[32];

	pid = fork();
	if (pid == 0) {
		int out = open(console, O_WRONLY | O_APPEND | O_CREAT, 0600);
		int in = open("/dev/null", O_RDONLY);
		char *argv[64] = {NULL}, *no_environment[] = {NULL};
		size_t n;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		personality(ADDR_NO_RANDOMIZE);
		dup2(in, 0);
		dup2(out, 1);
		dup2(out, 2);
		close(in);
		close(out);
		for (n = 0; n < 62 && kernel[n]; n++)
			argv[n] = kernel[n];
		snprintf(resume, sizeof(resume), "resume=%d%s", state, way);
		if (state >= 0) {
			fcntl(state, F_SETFD, 0);
			argv[n] = resume;
		}
		if (kernel[0])
			execve(kernel[0], argv, no_environment);
		die("kernel");
	}
	guest = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (guest < 0)
		die("accept");
}

static void listen_at(const char *path)
{
	struct sockaddr_un a = {AF_UNIX, ""};

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	unlink(path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(listener, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(listener, 1) < 0)
		die(path);
}

#endif
