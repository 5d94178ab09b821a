/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A root directory with nothing in it but the files that a program needs to start, and no network.
 *
 * It is built on a tmpfs: the old root is moved to /old in it (pivot_root(2)), the files are bound
 * from there to the paths at which the loader looks for them, and then /old is taken away. What
 * cannot be named cannot be opened; nothing has to be listed that must not. At the end all of it is
 * read-only.
 *
 * The tmpfs is 64 kB: it holds nothing but directories and empty files to bind over.
 */
#include "vnet/mux/emptyroot.h"

#include "lib/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int unshare_all(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	struct err e;

	/* What cannot be looked into cannot write its maps; the program could be, too. */
	if (prctl(PR_SET_DUMPABLE, 1) < 0 ||
	    unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC) < 0)
		return -1;
	return userns_keep(uid, gid, &e);
}

/* A new root directory, with the old one at /old in it. */
static int begin(void)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("tmpfs", "/tmp", "tmpfs", MS_NOSUID | MS_NODEV,
		  "mode=0755,nr_inodes=2k,size=64k") < 0 ||
	    mkdir("/tmp/old", 0700) < 0 || chdir("/tmp") < 0 ||
	    syscall(SYS_pivot_root, ".", "old") < 0)
		return -1;
	return chdir("/");
}

static int make_parents(const char *path)
{
	char dir[PATH_MAX];

	for (const char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		snprintf(dir, sizeof(dir), "%.*s", (int)(slash - path), path);
		if (mkdir(dir, 0755) < 0 && errno != EEXIST)
			return -1;
	}
	return 0;
}

/*
 * A bind mount needs something to lie on: an empty file, at the path that the loader asks for. What
 * is bound is the file itself, without links, as /old is gone when they would be followed.
 */
static int bind_file(const struct needs_file *f)
{
	char old[PATH_MAX + 8];

	if (make_parents(f->path) < 0)
		return -1;
	int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0500);

	if (fd < 0)
		return -1;
	close(fd);
	snprintf(old, sizeof(old), "/old%s", f->real);
	return mount(old, f->path, NULL, MS_BIND, NULL);
}

int emptyroot_enter(const struct needs *n)
{
	if (unshare_all() < 0 || begin() < 0)
		return -1;
	for (size_t i = 0; i < n->files.n; i++)
		if (bind_file(&n->files.at[i]) < 0)
			return -1;
	if (umount2("/old", MNT_DETACH) < 0 || rmdir("/old") < 0)
		return -1;
	return mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		     NULL);
}
