/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * freezing_owner SOCKET CONSOLE STATE TIMES -- KERNEL [ARGUMENT...]
 *
 * Whoever freezes a guest by the real clock (freeze=SOCKET): TIMES times it lets it run for 0.3 s,
 * has its state written to the file STATE, kills it, waits for a second, and lets another process
 * go on. The console goes to the file CONSOLE, whichever process it is of. At the end it says for
 * how many seconds a guest ran.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ACK = 0, WAIT = 3, RUN = 6, FREEZE = 10, RESUME = 11 };

struct message {
	uint32_t op, seq;
	uint64_t time;
};

static int listener, guest = -1;
static pid_t pid;
static char **kernel; /* and its arguments */
static const char *console;
static double began_s, ran_s;

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static void tell(uint32_t op, uint32_t seq)
{
	struct message m = {op, seq, 0};

	if (send(guest, &m, sizeof(m), 0) != sizeof(m))
		die("send");
}

static struct message hear(uint32_t op)
{
	struct message m;

	if (recv(guest, &m, sizeof(m), MSG_WAITALL) != sizeof(m) || m.op != op) {
		printf("not %d\n", (int)op);
		exit(3);
	}
	return m;
}

/* state: -1, or what it is to go on from. */
static void boot(int state)
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
		snprintf(resume, sizeof(resume), "resume=%d", state);
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

static void freeze(int state)
{
	struct message m = {FREEZE, 5, 0};
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {&m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &state, sizeof(int));
	if (sendmsg(guest, &msg, 0) != sizeof(m))
		die("send");
	m = hear(ACK);
	if (m.seq != 5 || (int64_t)m.time <= 0) {
		printf("not frozen: %lld\n", (long long)m.time);
		exit(3);
	}
	ran_s += now_s() - began_s;
}

static void go_on_elsewhere(const char *path)
{
	int state = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (state < 0)
		die(path);
	freeze(state);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	close(guest);
	sleep(1);
	boot(state);
	close(state);
	tell(ACK, hear(RESUME).seq);
	hear(WAIT);
	began_s = now_s();
	tell(RUN, 0);
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

int main(int argc, char **argv)
{
	if (argc < 7) {
		fputs("usage: freezing_owner SOCKET CONSOLE STATE TIMES -- KERNEL [ARGUMENT...]\n",
		      stderr);
		return 2;
	}
	kernel = argv + 6;
	console = argv[2];
	listen_at(argv[1]);
	began_s = now_s();
	boot(-1);
	for (int i = atoi(argv[4]); i > 0; i--) {
		usleep(300000);
		go_on_elsewhere(argv[3]);
	}
	usleep(300000);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	printf("%.3f\n", ran_s + now_s() - began_s);
	return 0;
}
