/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The maps of a new user namespace (user_namespaces(7)): one id inside for one outside, which is
 * what a process without privileges may write for itself. setgroups must be denied before gid_map
 * can be written, since Linux 3.19: dropping a group could otherwise gain access where a group is
 * denied it.
 *
 * The caller must ask for its ids before unshare(2): inside, until there is a map, they read as
 * nobody's.
 */
#include "lib/userns.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_file(const char *path, const char *text, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", path);
	ssize_t n = write(fd, text, strlen(text));

	if (n < 0)
		err_sys(e, "%s", path);
	close(fd);
	return n < 0 ? -1 : 0;
}

static int map_ids(uid_t to_uid, uid_t uid, gid_t to_gid, gid_t gid, struct err *e)
{
	char map[32];

	snprintf(map, sizeof(map), "%u %u 1", (unsigned)to_uid, (unsigned)uid);
	if (write_file("/proc/self/setgroups", "deny", e) < 0 ||
	    write_file("/proc/self/uid_map", map, e) < 0)
		return -1;
	snprintf(map, sizeof(map), "%u %u 1", (unsigned)to_gid, (unsigned)gid);
	return write_file("/proc/self/gid_map", map, e);
}

/* Root inside: for making interfaces and mounts in namespaces of our own. */
int userns_map(uid_t uid, gid_t gid, struct err *e)
{
	return map_ids(0, uid, 0, gid, e);
}

/* The same user as before, for a jail that wants no more than the namespaces. */
int userns_keep(uid_t uid, gid_t gid, struct err *e)
{
	return map_ids(uid, uid, gid, gid, e);
}
