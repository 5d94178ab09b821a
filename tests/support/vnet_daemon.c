/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A control daemon for the tests of the multiplexer: hands out endpoints of a toy network (octet 14
 * of a frame: for whom, octet 15: from whom), and misbehaves on request.
 */
#include "vnet/vnet.h"

#include <asm/ioctls.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

enum { APPS = 16, NICS = 4 };

static struct vnet_control *control;
static struct vnet_table *table;
static struct vnet_table *names; /* the numbers that are taken, as text: "7 9 " */
static struct {
	int fd;
	struct vnet_peer peer;
} apps[APPS];
static struct vnet_nic_info nics[NICS];
static bool taken[256];
static char *self; /* this program */

static void set_taken(unsigned number, bool is_taken)
{
	char text[4 * 256 + 1] = "";

	taken[number] = is_taken;
	for (unsigned i = 0; i < 256; i++)
		if (taken[i])
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%u ", i);
	vnet_table_publish(names, text, strlen(text) + 1);
}

static void bind_number(int app, unsigned number, int priority)
{
	char in[128];
	char out[128];
	struct vnet_binding b = {.id = number, .priority = priority, .in = in, .out = out};
	char text[300];

	if (number > 255 || taken[number]) {
		vnet_reply(apps[app].fd, "taken", NULL, 0);
		return;
	}
	snprintf(in, sizeof(in), "ether proto 0x88b6 and ether[14] = %u", number);
	snprintf(out, sizeof(out), "ether proto 0x88b6 and ether[15] = %u", number);
	int fd = vnet_control_bind(control, &b);

	snprintf(text, sizeof(text), fd < 0 ? "refused: %.200s" : "ok", vnet_error());
	set_taken(number, fd >= 0);
	vnet_reply(apps[app].fd, text, &fd, fd >= 0);
	if (fd >= 0)
		close(fd);
}

static void bind_text(int app, const char *filter)
{
	struct vnet_binding b = {.id = 1000, .priority = 1, .in = filter, .out = ""};
	int fd = vnet_control_bind(control, &b);

	vnet_reply(apps[app].fd, fd < 0 ? vnet_error() : "ok", NULL, 0);
	if (fd >= 0)
		close(fd);
}

/* By a socket of a pair, which needs no socket(2). */
static bool reach(const char *path, int type)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	int pair[2];

	snprintf(to.sun_path, sizeof(to.sun_path), "%.100s", path);
	if (socketpair(AF_UNIX, type, 0, pair) < 0)
		return false;
	return connect(pair[0], (struct sockaddr *)&to, sizeof(to)) == 0 ||
	       sendto(pair[0], "x", 1, MSG_NOSIGNAL, (struct sockaddr *)&to, sizeof(to)) == 1;
}

static bool write_new(const char *path)
{
	return open(path, O_WRONLY | O_CREAT, 0600) >= 0;
}

/* A signal by way of a descriptor. */
static bool own_descriptor(void)
{
	int pair[2];
	pid_t parent = getppid();

	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0 &&
	       (fcntl(pair[0], F_SETOWN, parent) == 0 || ioctl(pair[0], FIOSETOWN, &parent) == 0);
}

static bool execute_memory(void)
{
	static char *const nothing[] = {NULL};
	char buf[4096];
	int from = open("/bin/true", O_RDONLY);
	int to = memfd_create("true", 0);
	ssize_t n;

	while ((n = read(from, buf, sizeof(buf))) > 0)
		if (write(to, buf, (size_t)n) < 0)
			return false;
	syscall(SYS_execveat, to, "", nothing, nothing, AT_EMPTY_PATH);
	return from >= 0;
}

/* What a sandbox must not let through; the names of what it does. dir: of the test's user, with a
 * file "secret"; "mux" is a socket of the vNet. */
static void escape(const char *dir, char *text, size_t size)
{
	char secret[128];
	char mux[128];
	char home[128];

	snprintf(secret, sizeof(secret), "%.90s/secret", dir);
	snprintf(mux, sizeof(mux), "%.90s/red/mux", dir);
	snprintf(home, sizeof(home), "%.90s/escaped", dir);
	const struct {
		const char *name;
		bool done;
	} tries[] = {
		{"socket", socket(AF_INET, SOCK_DGRAM, 0) >= 0},
		{"unix", socket(AF_UNIX, SOCK_STREAM, 0) >= 0},
		{"fork", fork() >= 0},
		{"kill", kill(getppid(), SIGCONT) == 0},
		{"ptrace", ptrace(PTRACE_SEIZE, getppid(), 0, 0) == 0},
		{"connect", reach(mux, SOCK_STREAM) || reach(mux, SOCK_DGRAM)},
		{"owner", own_descriptor()},
		{"read", open(secret, O_RDONLY) >= 0},
		{"see", access(secret, F_OK) == 0},
		{"passwd", open("/etc/passwd", O_RDONLY) >= 0},
		{"list", opendir(dir) || opendir("/tmp")},
		{"proc", open("/proc/self/environ", O_RDONLY) >= 0 || open("/proc", O_PATH) >= 0},
		{"write", write_new("escaped") || write_new(home) || write_new("/tmp/escaped")},
		{"unlink", unlink("escaped") == 0 || unlink(secret) == 0},
		{"limits", setrlimit(RLIMIT_NOFILE, &(struct rlimit){200, 200}) == 0},
		{"outlive", prctl(PR_SET_PDEATHSIG, 0) == 0},
		{"user", unshare(CLONE_NEWUSER) == 0},
		{"ring", syscall(SYS_io_uring_setup, 1, &(char[256]){0}) >= 0},
		{"memory", execute_memory()},
	};

	snprintf(text, size, "free:");
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++)
		if (tries[i].done)
			snprintf(text + strlen(text), size - strlen(text), " %s", tries[i].name);
}

/* The compiler shall not see that this has no end. */
static int overflow(volatile int depth)
{
	volatile char room[4096];

	room[0] = (char)depth;
	return depth < 0 ? 0 : overflow(depth + 1) + room[0];
}

static void hoard(void)
{
	for (;;) {
		char *p = malloc(1 << 20);

		if (!p)
			exit(9);
		memset(p, 1, 1 << 20);
	}
}

static void hoard_shared(void)
{
	int fd = memfd_create("hoard", 0);

	for (size_t mib = 1;; mib++) {
		if (ftruncate(fd, (off_t)(mib << 20)) < 0)
			exit(9);
		char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
			       (off_t)((mib - 1) << 20));

		if (p == MAP_FAILED)
			pause();
		memset(p, 1, 1 << 20);
	}
}

static void misbehave(int app, const char *what)
{
	char text[256];

	vnet_reply(apps[app].fd, "ok", NULL, 0);
	if (!strcmp(what, "spin"))
		for (;;)
			;
	if (!strcmp(what, "memory"))
		hoard();
	if (!strcmp(what, "shared"))
		hoard_shared();
	if (!strcmp(what, "stack"))
		exit(overflow(0));
	if (!strcmp(what, "exit"))
		exit(0);
	if (!strcmp(what, "abort"))
		abort();
	if (!strncmp(what, "escape ", 7)) {
		escape(what + 7, text, sizeof(text));
		vnet_reply(apps[app].fd, text, NULL, 0);
	}
	if (!strcmp(what, "execute")) {
		execl("/bin/sh", "sh", "-c", "exit 66", (char *)NULL);
		execl(self, self, (char *)NULL);
		vnet_reply(apps[app].fd, "refused", NULL, 0);
	}
}

static void tell_nics(int app)
{
	char text[512] = "";

	for (int i = 0; i < NICS; i++)
		if (nics[i].name[0])
			snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s %u %s;",
				 nics[i].name, nics[i].mtu, nics[i].carrier ? "up" : "down");
	vnet_reply(apps[app].fd, text, NULL, 0);
}

static void do_request(int app, const char *request)
{
	static unsigned count;
	unsigned number;
	int priority = 5;
	char text[64];
	int fd = vnet_table_fd(table);

	if (sscanf(request, "bind %u %d", &number, &priority) >= 1) {
		bind_number(app, number, priority);
	} else if (!strncmp(request, "filter ", 7)) {
		bind_text(app, request + 7);
	} else if (sscanf(request, "unbind %u", &number) == 1 && number < 256) {
		vnet_control_unbind(control, number);
		set_taken(number, false);
		vnet_reply(apps[app].fd, "ok", NULL, 0);
	} else if (!strcmp(request, "table")) {
		vnet_reply(apps[app].fd, "ok", &fd, 1);
	} else if (!strcmp(request, "names")) {
		fd = vnet_table_fd(names);
		vnet_reply(apps[app].fd, "ok", &fd, 1);
	} else if (!strcmp(request, "publish")) {
		snprintf(text, sizeof(text), "text %u", ++count);
		vnet_table_publish(table, text, strlen(text) + 1);
		vnet_reply(apps[app].fd, text, NULL, 0);
	} else if (!strcmp(request, "nics")) {
		tell_nics(app);
	} else if (!strcmp(request, "who")) {
		snprintf(text, sizeof(text), "%s pid %d%s", vnet_control_vnet(control),
			 (int)apps[app].peer.pid, apps[app].peer.instance ? " instance" : "");
		vnet_reply(apps[app].fd, text, NULL, 0);
	} else {
		misbehave(app, request);
	}
}

static void take_events(void)
{
	struct vnet_event ev;
	int n;

	while ((n = vnet_control_next(control, &ev)) > 0) {
		if (ev.kind == VNET_EVENT_CLOSED && ev.id < 256)
			set_taken(ev.id, false);
		if (ev.kind == VNET_EVENT_NIC && ev.nic.index < NICS)
			nics[ev.nic.index] = ev.nic;
	}
	if (n < 0)
		exit(0);
}

static void accept_one(void)
{
	for (int i = 0; i < APPS; i++) {
		if (apps[i].fd >= 0)
			continue;
		apps[i].fd = vnet_accept(control, &apps[i].peer);
		return;
	}
}

static void serve_app(int i)
{
	char request[VNET_MESSAGE_MAX];
	ssize_t n = vnet_take_request(apps[i].fd, request, sizeof(request));

	if (n > 0)
		do_request(i, request);
	if (n < 0 && errno == EPIPE) {
		close(apps[i].fd);
		apps[i].fd = -1;
	}
}

int main(int argc, char **argv)
{
	self = argv[0];
	control = vnet_control_open();
	table = vnet_table_create("test", 4096);
	names = vnet_table_create("names", 4096);
	if (!control || !table || !names) {
		fprintf(stderr, "vnet_daemon: %s\n", vnet_error());
		return 3;
	}
	for (int i = 0; i < APPS; i++)
		apps[i].fd = -1;
	for (;;) {
		struct pollfd p[APPS + 2] = {
			{.fd = vnet_control_fd(control), .events = POLLIN},
			{.fd = vnet_control_listener(control), .events = POLLIN},
		};

		for (int i = 0; i < APPS; i++)
			p[i + 2] = (struct pollfd){.fd = apps[i].fd, .events = POLLIN};
		poll(p, APPS + 2, -1);
		take_events();
		if (p[1].revents)
			accept_one();
		for (int i = 0; i < APPS; i++)
			if (apps[i].fd >= 0 && p[i + 2].revents)
				serve_app(i);
	}
}
