/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies a directory with all that is in it, for kernels without overlayfs. By sendfile(2), so the
 * data needs no buffer here. Times are not kept; modes (less the umask) and owners are, as programs
 * look at them.
 */
#include "vkernel/init/tree.h"

#include "lib/xalloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_file(const char *from, const char *to, const struct stat *st)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, st->st_mode & 07777);
	ssize_t n = -1;

	if (in >= 0 && out >= 0)
		while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
			;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return n < 0 ? -1 : 0;
}

static int copy_link(const char *from, const char *to)
{
	char target[1024];
	ssize_t n = readlink(from, target, sizeof(target) - 1);

	if (n < 0)
		return -1;
	target[n] = '\0';
	return symlink(target, to);
}

static int copy_entry(const char *from, const char *to, struct err *e)
{
	struct stat st;
	int rc = lstat(from, &st);

	if (rc == 0 && S_ISDIR(st.st_mode)) {
		mkdir(to, st.st_mode & 07777);
		if (tree_copy(from, to, e) < 0)
			return -1;
	} else if (rc == 0 && S_ISLNK(st.st_mode)) {
		rc = copy_link(from, to);
	} else if (rc == 0 && S_ISREG(st.st_mode)) {
		rc = copy_file(from, to, &st);
	} else if (rc == 0) {
		return 0; /* sockets and devices are not for copying */
	}
	if (rc == 0)
		rc = lchown(to, st.st_uid, st.st_gid);
	return rc < 0 ? err_sys(e, "copy %.200s", from) : 0;
}

int tree_copy(const char *from, const char *to, struct err *e)
{
	DIR *d = opendir(from);
	struct dirent *de;
	int rc = 0;

	if (!d)
		return err_sys(e, "%.200s", from);
	while (rc == 0 && (de = readdir(d))) {
		if (!strcmp(de->d_name, ".") || !strcmp(de->d_name, ".."))
			continue;
		char *a = xasprintf("%s/%s", from, de->d_name);
		char *b = xasprintf("%s/%s", to, de->d_name);

		rc = copy_entry(a, b, e);
		free(a);
		free(b);
	}
	closedir(d);
	return rc;
}
