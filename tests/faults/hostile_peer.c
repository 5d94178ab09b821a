/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * hostile_peer WAY ARGUMENT...: a program of the same user that misuses the unix sockets of a lab.
 *
 *   attack SEED ROUNDS SOCKET...  a round takes a socket and a form: garbage, halves of messages,
 *       descriptors that nobody wants, connections that never read or never write, hundreds at
 * once; each is closed at any byte. Prints how many connections there were. closed SOCKET...  is
 * another user, and fails if one of them lets it in. many N SOCKET  holds N connections at once,
 * some of them with half a message, prints how many there are, holds them until its input ends, and
 * prints how many of them the other side has closed meanwhile. next SOCKET PID  asks a server whose
 * substrate is that process, goes before the answer comes, and comes back: fails if the next one
 * hears what the last one asked. order SOCKET  asks several things in one breath, and fails if they
 * are answered in another order. stay N SOCKET  connects as often, says something each time, leaves
 * but once, and holds that until its input ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CROWD = 700, LONG = 300000, FDS = 8 };

static uint64_t rng;
static unsigned long n_connections;

static uint64_t next(void)
{
	uint64_t z = rng += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint32_t below(uint32_t n)
{
	return (uint32_t)(next() % n);
}

/* A socket that is not ours to wait for: -1 if nobody is at its door. */
static int come(const char *path)
{
	static const int types[] = {SOCK_STREAM, SOCK_SEQPACKET};
	struct sockaddr_un sa = {.sun_family = AF_UNIX};

	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s", path);
	for (size_t i = 0; i < 2; i++) {
		int fd = socket(AF_UNIX, types[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0) {
			n_connections++;
			return fd;
		}
		int reason = errno;

		close(fd);
		errno = reason;
		if (errno != EPROTOTYPE)
			return -1;
	}
	return -1;
}

static void say(int fd, const void *data, size_t len)
{
	(void)!send(fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* A line of one of the protocols, or what looks like a message of another. */
static size_t make_message(uint8_t *to)
{
	static const char *const lines[] = {"status json=1\n",
					    "status\n",
					    "nodes\n",
					    "links\n",
					    "exec a -- true\n",
					    "exec a -- cat\n",
					    "job a -- true\n",
					    "result 1\n",
					    "put a /tmp/x\n",
					    "get a /etc/hosts\n",
					    "wait\n",
					    "look route a default\n",
					    "check ping(a, b)\n",
					    "clock\n",
					    "capture a:eth0 /nowhere/x\n",
					    "statement x = 1\n",
					    "substrate json=1\n",
					    "now\n",
					    "bind 1 priority=1 in=ip out=ip\n",
					    "\"\\x",
					    "exec a subst=1 step=1 -- \"\n"};

	if (below(2)) {
		const char *line = lines[below(sizeof(lines) / sizeof(lines[0]))];

		memcpy(to, line, strlen(line));
		return strlen(line);
	}
	/* vhost-user, the calendar, trunks, uml_switch, the agent */
	uint32_t words[5] = {below(64), below(2) ? 1 : (uint32_t)next(), below(2) ? 0 : below(600),
			     below(2) ? 0 : (uint32_t)next(), below(20)};

	if (below(4) == 0)
		words[0] = 0x314b5456; /* "VTK1" */
	if (below(4) == 0)
		words[0] = 0xfeedface;
	memcpy(to, words, sizeof(words));
	return 12 + 4 * below(3);
}

static void garbage(const char *path)
{
	static uint8_t bytes[LONG];
	int fd = come(path);
	size_t len = below(2) ? below(100) : below(LONG);
	bool text = below(2);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(text ? ' ' + below(90) : next());
	say(fd, bytes, len);
	close(fd);
}

static void halves(const char *path)
{
	uint8_t m[256];

	for (uint32_t i = 1 + below(20); i; i--) {
		int fd = come(path);

		for (uint32_t k = below(5); k; k--)
			say(fd, m, make_message(m));
		say(fd, m, below((uint32_t)make_message(m) + 1));
		if (below(2))
			usleep(below(2000));
		if (below(2))
			(void)!recv(fd, m, below(sizeof(m)), MSG_DONTWAIT);
		close(fd);
	}
}

static void descriptors(const char *path)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(FDS * sizeof(int))];
	} control = {0};
	uint8_t m[256];
	struct iovec iov = {m, make_message(m)};
	int fd = come(path), given = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(FDS * sizeof(int));
	for (size_t i = 0; i < FDS; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &given, sizeof(int));
	for (uint32_t i = below(20); i; i--)
		(void)!sendmsg(fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	usleep(below(2000));
	close(given);
	close(fd);
}

/* Asks, and asks, and does not listen. */
static void deaf(const char *path)
{
	int fd = come(path);
	uint8_t m[256];
	size_t len = make_message(m);

	for (int i = 0; i < 20000; i++)
		say(fd, m, len);
	usleep(50000 + below(200000));
	close(fd);
}

static void crowd(const char *path)
{
	static int fds[CROWD];
	uint8_t m[256];

	for (int i = 0; i < CROWD; i++) {
		fds[i] = come(path);
		if (fds[i] < 0)
			usleep(100); /* the door is full: some are let in first */
		else if (below(2))
			say(fds[i], m, make_message(m));
	}
	usleep(below(100000));
	for (int i = 0; i < CROWD; i++)
		close(fds[i]);
}

static void quick(const char *path)
{
	for (int i = 0; i < 500; i++)
		close(come(path));
}

static void (*const forms[])(const char *path) = {garbage, halves, descriptors, deaf, crowd, quick};

static int all_are_closed(char **paths)
{
	for (; *paths; paths++)
		if (come(*paths) >= 0 || errno != EACCES) {
			printf("%s: %s\n", *paths, n_connections ? "open" : strerror(errno));
			return 1;
		}
	return 0;
}

/* How many of them the other side has ended. */
static int count_ended(const int *fds, int n)
{
	int ended = 0;

	for (int i = 0; i < n; i++) {
		struct pollfd p = {.fd = fds[i], .events = POLLRDHUP};

		ended += fds[i] >= 0 && poll(&p, 1, 0) == 1 &&
			 p.revents & (POLLHUP | POLLRDHUP | POLLERR);
	}
	return ended;
}

/* A door that is full is waited at, but not for ever: half a second without one that is let in. */
static int hold_many(char **args)
{
	int wanted = atoi(args[0]);
	const char *path = args[1];
	int *fds = calloc((size_t)wanted, sizeof(*fds));
	int kept = 0, idle = 0;
	char c;

	while (kept < wanted && idle < 500) {
		uint8_t m[256];

		fds[kept] = come(path);
		if (fds[kept] < 0 && errno != EAGAIN)
			break;
		if (fds[kept] < 0) {
			idle++;
			usleep(1000);
			continue;
		}
		idle = 0;
		if (below(4) == 0)
			say(fds[kept], m, below((uint32_t)make_message(m)));
		kept++;
	}
	int reason = errno;

	printf("%d %s\n", kept, kept == wanted ? "all" : strerror(reason));
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	printf("%d\n", count_ended(fds, kept));
	free(fds);
	return 0;
}

/* What the other side says, up to a text and for as long as it is not silent for so long. */
static void listen_to(int fd, char *to, size_t size, const char *end, int silent_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t len = 0;

	to[0] = '\0';
	while (len < size - 1 && !strstr(to, end) && poll(&p, 1, silent_ms) == 1) {
		ssize_t n = recv(fd, to + len, size - 1 - len, MSG_DONTWAIT);

		if (n <= 0)
			break;
		len += (size_t)n;
		to[len] = '\0';
	}
}

static const char *const slow_requests[] = {"statement x = 1\n", "status\n", "clock\n", "whole\n",
					    "capture a:eth0 /nowhere/x\n"};

/* The one who asks goes while the substrate stands, which alone could answer. */
static int hear_only_own(char **args)
{
	const char *path = args[0];
	pid_t substrate = atoi(args[1]);
	char said[4096] = "";

	for (size_t i = 0; !*said && i < sizeof(slow_requests) / sizeof(slow_requests[0]); i++) {
		kill(substrate, SIGSTOP);
		int first = come(path);

		say(first, slow_requests[i], strlen(slow_requests[i]));
		usleep(20000);
		close(first);
		usleep(20000);
		int next = come(path);

		usleep(20000);
		kill(substrate, SIGCONT);
		listen_to(next, said, sizeof(said), "\n", 200);
		close(next);
		if (*said)
			printf("%swas answered to the next one: %s", slow_requests[i], said);
	}
	return *said != '\0';
}

static int hear_in_order(char **args)
{
	static const char requests[] = "statement x = 1\nstatus\nresult 77\nnonesuch\n";
	char said[65536];
	int fd = come(args[0]);

	say(fd, requests, strlen(requests));
	listen_to(fd, said, sizeof(said), "nonesuch", 10000);
	close(fd);
	const char *statement = strstr(said, "console:"), *status = strstr(said, "\nok\n"),
		   *result = strstr(said, "no job 77"), *last = strstr(said, "nonesuch");

	if (statement && statement < status && status < result && result < last)
		return 0;
	printf("not in order: %s", said);
	return 1;
}

/* Nobody is let in as long as somebody else is there, so they wait at the door. */
static int stay(char **args)
{
	uint8_t m[256];
	int fd = -1;
	char c;

	for (int i = 0; i < atoi(args[0]); i++) {
		close(fd);
		fd = come(args[1]);
		say(fd, m, make_message(m));
	}
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	return fd < 0;
}

static int attack(char **args)
{
	uint32_t n = 0;

	while (args[2 + n])
		n++;
	for (long i = 0; i < atol(args[1]); i++) {
		rng = strtoull(args[0], NULL, 10) * 1000003 + (uint64_t)i;
		const char *path = args[2 + below(n)];

		forms[below(sizeof(forms) / sizeof(forms[0]))](path);
	}
	printf("%lu\n", n_connections);
	return 0;
}

static const struct {
	const char *name;
	int n; /* so many arguments, or more if that may be */
	bool may_be_more;
	int (*go)(char **args);
} ways[] = {
	{"attack", 3, true, attack},        {"closed", 1, true, all_are_closed},
	{"many", 2, false, hold_many},      {"next", 2, false, hear_only_own},
	{"order", 1, false, hear_in_order}, {"stay", 2, false, stay},
};

int main(int argc, char **argv)
{
	int n = argc - 2;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; n > 0 && i < sizeof(ways) / sizeof(ways[0]); i++)
		if (!strcmp(argv[1], ways[i].name) &&
		    (ways[i].may_be_more ? n >= ways[i].n : n == ways[i].n))
			return ways[i].go(argv + 2);
	fputs("usage: see the top of hostile_peer.c\n", stderr);
	return 2;
}
