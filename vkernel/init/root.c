/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The guest's root directory: a tree that all guests share, read-only, with a private layer over it
 * in memory (overlayfs). Where the kernel has no overlayfs, the tree is mounted read-only and what
 * must be writable is copied into memory over it.
 *
 * It is put together below a tmpfs of ours, and entered by pivot_root, so that nothing of the jail
 * stays reachable.
 */
#include "vkernel/init/root.h"

#include "lib/xalloc.h"
#include "vkernel/init/kmod.h"
#include "vkernel/init/tree.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <linux/mount.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* Where the new root is put together: a tmpfs over the jail's /tmp. */
#define WORK "/tmp"
#define NEW  WORK "/new"

static const struct {
	const char *type, *at, *data;
	mode_t mode;
	unsigned long flags;
} mounts[] = {
	{"proc", "/proc", NULL, 0555, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"sysfs", "/sys", NULL, 0555, MS_NOSUID | MS_NODEV | MS_NOEXEC},
	{"devtmpfs", "/dev", "mode=0755", 0755, MS_NOSUID},
	{"devpts", "/dev/pts", "gid=5,mode=0620,ptmxmode=0666", 0755, MS_NOSUID | MS_NOEXEC},
	{"tmpfs", "/dev/shm", "mode=1777", 0755, MS_NOSUID | MS_NODEV},
};

static const struct {
	const char *name;
	mode_t mode;
	unsigned major, minor;
} nodes[] = {
	{"console", 0600, 5, 1}, {"null", 0666, 1, 3},   {"zero", 0666, 1, 5},
	{"full", 0666, 1, 7},    {"random", 0666, 1, 8}, {"urandom", 0666, 1, 9},
	{"tty", 0666, 5, 0},     {"ptmx", 0666, 5, 2},   {"kmsg", 0644, 1, 11},
	{"ttyS0", 0660, 4, 64},
};

static const struct {
	const char *name, *target;
} links[] = {
	{"fd", "/proc/self/fd"},
	{"stdin", "fd/0"},
	{"stdout", "fd/1"},
	{"stderr", "fd/2"},
};

/* Kernels without devtmpfs: the nodes that programs need; ports come from /sys (transport.c). */
static int mount_plain_dev(const char *at)
{
	char path[128];

	if (mount("tmpfs", at, "tmpfs", MS_NOSUID, "mode=0755") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(nodes); i++) {
		snprintf(path, sizeof(path), "%s/%s", at, nodes[i].name);
		mknod(path, S_IFCHR | nodes[i].mode, makedev(nodes[i].major, nodes[i].minor));
		chmod(path, nodes[i].mode);
	}
	return 0;
}

static int mount_dev(const char *at)
{
	if (mount("devtmpfs", at, "devtmpfs", MS_NOSUID, "mode=0755") == 0)
		return 0;
	return mount_plain_dev(at);
}

static int mount_system(struct err *e)
{
	char path[64];

	for (size_t i = 0; i < ARRAY_LEN(mounts); i++) {
		snprintf(path, sizeof(path), NEW "%s", mounts[i].at);
		mkdir(path, mounts[i].mode);
		int rc = strcmp(mounts[i].type, "devtmpfs")
				 ? mount(mounts[i].type, path, mounts[i].type, mounts[i].flags,
					 mounts[i].data)
				 : mount_dev(path);

		if (rc < 0)
			return err_sys(e, "mount %s", mounts[i].at);
	}
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		snprintf(path, sizeof(path), NEW "/dev/%s", links[i].name);
		if (symlink(links[i].target, path) < 0 && errno != EEXIST)
			return err_sys(e, "link %s", path);
	}
	return 0;
}

/*
 * The kernel's list of processors ends without an empty line. libproc2 4.0 takes that for a read
 * error (stat_cores_verify() in its library/stat.c), and so ps knows no time of boot and vmstat
 * nothing at all. A copy that has the line is laid over it; without the copy, a guest works as
 * well.
 */
static void end_cpuinfo(void)
{
	/* In /dev, which is a file system of its own that df names already. */
	static const char copy[] = NEW "/dev/cpuinfo";
	char text[4096];
	int from = open(NEW "/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
	ssize_t n = from < 0 ? -1 : read(from, text, sizeof(text) - 1);

	if (from >= 0)
		close(from);
	if (n < 2 || (text[n - 1] == '\n' && text[n - 2] == '\n'))
		return;
	text[n++] = '\n';
	int to = open(copy, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	bool whole = to >= 0 && write(to, text, (size_t)n) == n;

	if (to >= 0)
		close(to);
	if (whole)
		mount(copy, NEW "/proc/cpuinfo", NULL, MS_BIND, NULL);
	unlink(copy);
}

/* The image as a block device, read-only: its path in buf. */
static int attach_loop(int image, char *buf, size_t size, struct err *e)
{
	mkdir(WORK "/dev", 0755);
	if (mount("devtmpfs", WORK "/dev", "devtmpfs", 0, NULL) < 0)
		return err_sys(e, "devtmpfs");
	int control = open(WORK "/dev/loop-control", O_RDWR | O_CLOEXEC);
	int nr = control < 0 ? -1 : ioctl(control, LOOP_CTL_GET_FREE);

	if (nr < 0)
		return err_sys(e, "no loop device");
	snprintf(buf, size, WORK "/dev/loop%d", nr);
	int loop = open(buf, O_RDONLY | O_CLOEXEC);
	struct loop_config lc = {.fd = (uint32_t)image, .info.lo_flags = LO_FLAGS_READ_ONLY};

	if (loop < 0 || ioctl(loop, LOOP_CONFIGURE, &lc) < 0)
		return err_sys(e, "loop device");
	close(loop);
	close(control);
	return 0;
}

/*
 * "noload" first: an image that was not unmounted cleanly has a journal, which would be replayed
 * into a file that is read-only.
 */
static int mount_image(int image, const char *at, struct err *e)
{
	static const struct {
		const char *type, *data;
	} kinds[] = {{"ext4", "noload"}, {"squashfs", NULL}, {"ext4", NULL}};
	char device[64];

	if (attach_loop(image, device, sizeof(device), e) < 0)
		return -1;
	mkdir(at, 0755);
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (mount(device, at, kinds[i].type, MS_RDONLY, kinds[i].data) == 0)
			return 0;
	return err_set(e, ERR_ENV, "the image is neither ext4 nor squashfs");
}

/* Kernels without overlayfs: the tree read-only, with copies of what must be writable over it. */
static int lay_copies(const char *lower, struct err *e)
{
	static const char *const writable[] = {"/etc", "/var", "/run", "/tmp", "/root", "/home"};
	char from[64];
	char to[64];

	if (mount(lower, NEW, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "bind %s", lower);
	for (size_t i = 0; i < ARRAY_LEN(writable); i++) {
		snprintf(from, sizeof(from), "%s%s", lower, writable[i]);
		snprintf(to, sizeof(to), NEW "%s", writable[i]);
		if (mount("tmpfs", to, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755") < 0)
			continue; /* a directory that this tree does not have */
		if (tree_copy(from, to, e) < 0)
			return -1;
	}
	return 0;
}

static int lay_over(const char *lower, struct err *e)
{
	char options[160];

	mkdir(WORK "/upper", 0755);
	mkdir(WORK "/work", 0755);
	mkdir(NEW, 0755);
	snprintf(options, sizeof(options),
		 "lowerdir=%s,upperdir=" WORK "/upper,workdir=" WORK "/work", lower);
	if (mount("overlay", NEW, "overlay", 0, options) == 0)
		return 0;
	if (errno != ENODEV)
		return err_sys(e, "overlay");
	return lay_copies(lower, e);
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	if (fd < 0)
		fd = open("/dev/null", O_RDWR);
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/*
 * The tree once more, as one of which the kernel may map the host's own pages into programs. False:
 * it knows no such thing (that is in our patch 0060).
 */
static bool mount_fixed(const char *source, const char *at)
{
	int fs = (int)syscall(SYS_fsopen, "hostfs", FSOPEN_CLOEXEC);
	int fd = -1;

	if (fs >= 0 && syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "hostfs", source, 0) == 0 &&
	    syscall(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "immutable", NULL, 0) == 0 &&
	    syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_RDONLY);
	bool done = fd >= 0 &&
		    syscall(SYS_move_mount, fd, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) == 0;

	if (fs >= 0)
		close(fs);
	if (fd >= 0)
		close(fd);
	return done;
}

/* The lower layer at a place that our tmpfs does not hide. */
static int find_lower(const char *source, enum conf_root kind, const char *lower, struct err *e)
{
	bool image = kind == CONF_ROOT_IMAGE;
	int fd = open(source, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, "%s", source);
	/* Without a jail, the tree may be anywhere; /root is on any host. */
	if (!image && !(kind == CONF_ROOT_FIXED && mount_fixed(source, lower)) &&
	    strcmp(source, lower) != 0 && mount(source, lower, NULL, MS_BIND, NULL) < 0)
		return err_sys(e, "bind %s", source);
	if (mount("tmpfs", WORK, "tmpfs", 0, "mode=0755") < 0)
		return err_sys(e, "tmpfs");
	int rc = image ? mount_image(fd, lower, e) : 0;

	close(fd);
	return rc;
}

/*
 * pivot_root(".", ".") puts the old root over the new one and takes it off with one umount
 * (pivot_root(2)), so no directory for it is needed. Modes of /tmp and the umask come last:
 * everything before was made with the modes that it was given.
 */
int root_enter(const char *source, enum conf_root kind, struct err *e)
{
	const char *lower = kind == CONF_ROOT_IMAGE ? WORK "/lower" : "/root";

	if (find_lower(source, kind, lower, e) < 0 || lay_over(lower, e) < 0 || mount_system(e) < 0)
		return -1;
	end_cpuinfo();
	kmod_offer(NEW);
	if (chdir(NEW) < 0 || syscall(SYS_pivot_root, ".", ".") < 0)
		return err_sys(e, "pivot_root");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_sys(e, "leave the jail's root directory");
	open_console();
	chmod("/tmp", 01777);
	chmod("/var/tmp", 01777);
	umask(022);
	return 0;
}
