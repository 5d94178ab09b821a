/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vkernel/init/transport.h"

#include "vkernel/init/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#define PORTS "/sys/class/virtio-ports"

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

int transport_open(struct err *e)
{
	static const char key[] = "vbet.agent=";
	size_t len = 0;
	char path[64];
	int fd = open_port();

	if (fd >= 0)
		return fd;
	char *cmdline = files_read("/proc/cmdline", &len);
	const char *tty = cmdline ? strstr(cmdline, key) : NULL;

	if (tty) {
		tty += strlen(key);
		snprintf(path, sizeof(path), "/dev/%.*s", (int)strcspn(tty, " \n"), tty);
		fd = open_terminal(path, e);
	} else {
		err_set(e, ERR_ENV, "no virtio port vbet.agent and no kernel argument %s", key);
	}
	free(cmdline);
	return fd;
}
