/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two ways to the server. A serial line, where the kernel's arguments name one: it is there from
 * the start. Else the virtio port with the name "vbet.agent": it may appear, and get its name, only
 * after process 1 has begun to run, so that the kernel's news of devices (a netlink socket of
 * uevents) are waited for.
 */
#include "vkernel/init/transport.h"

#include "vkernel/init/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"

/* A guest may have other ports; the name is what the device says of itself. */
static bool has_our_name(const char *port)
{
	char path[320];
	size_t len = 0;

	snprintf(path, sizeof(path), PORTS "/%s/name", port);
	char *name = files_read(path, &len);
	bool ours = name && !strcmp(name, "vbet.agent\n");

	free(name);
	return ours;
}

/* Without devtmpfs, nobody made the node. */
static void make_node(const char *port, const char *node)
{
	char path[320];
	size_t len = 0;
	unsigned major;
	unsigned minor;

	if (access(node, F_OK) == 0)
		return;
	snprintf(path, sizeof(path), PORTS "/%s/dev", port);
	char *dev = files_read(path, &len);

	if (dev && sscanf(dev, "%u:%u", &major, &minor) == 2)
		mknod(node, S_IFCHR | 0600, makedev(major, minor));
	free(dev);
}

static int open_port(void)
{
	DIR *d = opendir(PORTS);
	struct dirent *de;
	char node[300];
	int fd = -1;

	while (d && fd < 0 && (de = readdir(d))) {
		if (de->d_name[0] == '.' || !has_our_name(de->d_name))
			continue;
		snprintf(node, sizeof(node), "/dev/%s", de->d_name);
		make_node(de->d_name, node);
		fd = open(node, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	}
	if (d)
		closedir(d);
	return fd;
}

/*
 * Raw: each byte as it is, for the stream is binary. CLOCAL: a line without modem signals is no
 * reason to hang up.
 */
static int open_terminal(const char *path, struct err *e)
{
	struct termios t;
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &t) < 0)
		return err_sys(e, "%s", path);
	cfmakeraw(&t);
	t.c_cflag |= CLOCAL;
	if (tcsetattr(fd, TCSANOW, &t) < 0)
		return err_sys(e, "%s", path);
	return fd;
}

/* The terminal of the kernel's arguments: malloc'ed, or NULL. */
static char *find_terminal(void)
{
	static const char key[] = "vbet.agent=";
	size_t len = 0;
	char *cmdline = files_read("/proc/cmdline", &len);
	const char *tty = cmdline ? strstr(cmdline, key) : NULL;
	char *path = NULL;

	if (tty) {
		tty += strlen(key);
		path = xasprintf("/dev/%.*s", (int)strcspn(tty, " \n"), tty);
	}
	free(cmdline);
	return path;
}

static struct loop *loop;
static struct loop_watch news; /* of devices, from the kernel */
static void (*tell_opened)(int fd);

static void try_port(void)
{
	int fd = open_port();

	if (fd < 0)
		return;
	loop_remove(loop, &news);
	close(news.fd);
	tell_opened(fd);
}

/* A port is there first, and has its name a little later: both are news. */
static void read_news(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	char buf[2048];

	while (recv(w->fd, buf, sizeof(buf), 0) > 0 || errno == ENOBUFS)
		;
	try_port();
}

/* The socket is opened before the first look: a port that comes in between is news then. */
static int wait_for_port(struct err *e)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = 1};

	news.fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK,
			 NETLINK_KOBJECT_UEVENT);
	news.ready = read_news;
	if (news.fd < 0 || bind(news.fd, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		return err_sys(e, "news of devices");
	if (loop_add(loop, &news, EPOLLIN, e) < 0)
		return -1;
	try_port();
	return 0;
}

int transport_start(struct loop *l, void (*opened)(int fd), struct err *e)
{
	char *path = find_terminal();
	int fd;

	loop = l;
	tell_opened = opened;
	if (!path)
		return wait_for_port(e);
	fd = open_terminal(path, e);
	free(path);
	if (fd >= 0)
		opened(fd);
	return fd < 0 ? -1 : 0;
}
