/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a hostile kernel says to the calendar of a lab in virtual time (linux/um_timetravel.h). */
#include "tests/faults/hostile.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { PAGE_BYTES = 16384, START = 1, WAIT = 3, OPS = 10 };

struct message {
	uint32_t op, seq;
	uint64_t time;
};

static uint8_t *joined_page;
static int run_fd = -1, wait_fd = -1; /* of the connection whose page was taken last */

static int come(const char *path)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	if (connect(sock, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return sock;
	close(sock);
	return -1;
}

static uint8_t *take_page(int sock)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(4 * sizeof(int))];
	} control;
	uint64_t m[2];
	struct iovec iov = {m, sizeof(m)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	enum { PAGE, LOG, RUN, WAITS, FDS };
	int fd[FDS];

	if (recvmsg(sock, &msg, MSG_DONTWAIT) < 0 || !CMSG_FIRSTHDR(&msg) ||
	    CMSG_FIRSTHDR(&msg)->cmsg_len != CMSG_LEN(sizeof(fd)))
		return NULL;
	memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	void *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd[PAGE], 0);

	close(fd[PAGE]);
	close(fd[LOG]);
	close(run_fd);
	close(wait_fd);
	run_fd = fd[RUN];
	wait_fd = fd[WAITS];
	fcntl(wait_fd, F_SETFL, O_NONBLOCK);
	/* Nobody reads. */
	if (below(4) == 0) {
		close(run_fd);
		run_fd = -1;
	}

	return page == MAP_FAILED ? NULL : page;
}

static void scribble_page(uint8_t *page)
{
	uint64_t time = below(2) ? next() >> below(64) : below(2) ? UINT64_MAX : INT64_MAX;

	/* free_until, current_time, what client 1 is and wants, kicks */
	static const uint32_t at[] = {8,          16,         24,   4096 + 128,
				      4096 + 132, 4096 + 136, 8192, 8192 + 32};

	memcpy(page + at[below(8)], &time, 8);
	for (uint32_t i = below(32); i; i--) {
		uint64_t any = next();

		memcpy(page + 8192 + 8 * below(1000), &any, 8);
	}
}

bool clock_join(const char *path)
{
	struct message m = {.op = START};
	int sock = path[0] ? come(path) : -1;

	if (sock < 0 || send(sock, &m, sizeof(m), MSG_NOSIGNAL) < 0)
		return false;
	while (!joined_page && goes_on()) {
		pump(NULL);
		joined_page = take_page(sock);
	}
	return joined_page;
}

void clock_scribble(void)
{
	if (!joined_page || fork() != 0)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		scribble_page(joined_page);
		pump(NULL);
	}
}

static void say_something(int sock, uint8_t **page)
{
	struct message m = {below(8) ? 1 + below(OPS - 1) : (uint32_t)next(), below(100),
			    next() >> below(64)};

	if (!*page) {
		m.op = below(4) ? START : m.op;
		*page = take_page(sock);
	}
	if (*page)
		scribble_page(*page);
	uint32_t len = below(20) ? sizeof(m) : below(sizeof(m));

	if (wait_fd >= 0 && below(2)) {
		m.op = below(3) ? WAIT : m.op;
		(void)!write(wait_fd, &m, len);
	} else {
		(void)!send(sock, &m, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	}
	if (below(2))
		pump(NULL);
}

void clock_attack(const char *path)
{
	while (path[0] && goes_on()) {
		int sock = come(path);
		uint8_t *page = NULL;

		for (uint32_t i = below(200); i && sock >= 0 && goes_on(); i--)
			say_something(sock, &page);
		if (page)
			munmap(page, PAGE_BYTES);
		if (sock >= 0)
			close(sock);
		else
			pump(NULL);
	}
}
