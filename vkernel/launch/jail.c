/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The jail's root directory: a tmpfs with nothing in it but what the guest's kernel needs. The
 * host's root is moved to /old by pivot_root, what is needed is mounted from there, and /old is
 * unmounted. So the rest of the host's files is out of reach, not merely out of sight: no path,
 * link or mount inside leads there.
 */
#include "vkernel/launch/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* What the kernel's memory file needs beyond the guest's memory: rounding, and its own text. */
enum { SLACK = 64 << 20 };

/* Mounts `from` (below /old, where the host's root is now) again, read-only with all below it. */
static int bind_read_only(const char *from, const char *to, struct err *e)
{
	struct mount_attr attr = {
		.attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
	};
	char path[4200];

	snprintf(path, sizeof(path), "/old%s", from);
	int fd = (int)syscall(SYS_open_tree, AT_FDCWD, path,
			      OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);

	if (fd < 0)
		return err_sys(e, "open_tree %s", from);
	int rc = (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			      sizeof(attr));

	if (rc == 0)
		rc = (int)syscall(SYS_move_mount, fd, "", AT_FDCWD, to, MOVE_MOUNT_F_EMPTY_PATH);
	if (rc < 0)
		err_sys(e, "bind %s", from);
	close(fd);
	return rc;
}

static int bind_file(const char *from, const char *to, struct err *e)
{
	int fd = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0500);

	if (fd < 0)
		return err_sys(e, "%s", to);
	close(fd);
	return bind_read_only(from, to, e);
}

static int bind_dir(const char *from, const char *to, struct err *e)
{
	if (mkdir(to, 0755) < 0 && errno != EEXIST)
		return err_sys(e, "%s", to);
	return bind_read_only(from, to, e);
}

/* A kernel that is not static runs with the host's libraries, of which nothing is secret. */
static int bind_libraries(const struct launch *l, struct err *e)
{
	static const char *const dirs[] = {"/lib", "/lib64", "/usr/lib"};
	struct stat st;
	char old[64];

	mkdir("/usr", 0755);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(old, sizeof(old), "/old%s", dirs[i]);
		if (stat(old, &st) == 0 && bind_dir(dirs[i], dirs[i], e) < 0)
			return -1;
	}
	return bind_file(l->kernel, "/linux", e);
}

static int fill(const struct launch *l, struct err *e)
{
	char options[80];

	if (bind_file(l->init, "/init", e) < 0)
		return -1;
	if (l->root_is_image ? bind_file(l->root, "/image", e) < 0
			     : bind_dir(l->root, "/root", e) < 0)
		return -1;
	if (bind_dir(l->dir, "/vbet", e) < 0)
		return -1;
	if (l->kernel_dynamic && bind_libraries(l, e) < 0)
		return -1;
	if (mkdir("/tmp", 0700) < 0)
		return err_sys(e, "/tmp");
	snprintf(options, sizeof(options), "mode=0700,nr_inodes=64,size=%llu",
		 (unsigned long long)l->memory + SLACK);
	if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV, options) < 0)
		return err_sys(e, "tmpfs for the guest's memory");
	return 0;
}

/* A new root directory, with the host's at /old in it. */
static int begin(struct err *e)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_sys(e, "make mounts private");
	/* Any directory will do: the mount hides it from us only, until pivot_root. */
	if (mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=0755,nr_inodes=64,size=64k") < 0)
		return err_sys(e, "tmpfs");
	if (mkdir("/tmp/old", 0700) < 0 || chdir("/tmp") < 0)
		return err_sys(e, "tmpfs");
	if (syscall(SYS_pivot_root, ".", "old") < 0 || chdir("/") < 0)
		return err_sys(e, "pivot_root");
	/* What was hidden by our tmpfs can be reached again: /old has no mount on its /tmp. */
	return 0;
}

int jail_enter(const struct launch *l, struct err *e)
{
	if (begin(e) < 0 || fill(l, e) < 0)
		return -1;
	if (umount2("/old", MNT_DETACH) < 0 || rmdir("/old") < 0)
		return err_sys(e, "leave the host's root directory");
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV, NULL) <
	    0)
		return err_sys(e, "make the root directory read-only");
	if (sethostname(l->name, strnlen(l->name, 64)) < 0)
		return err_sys(e, "sethostname");
	return 0;
}
