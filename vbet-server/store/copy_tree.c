/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/store/copy_tree.h"

#include "lib/file.h"
#include "lib/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int copy_file(const char *from, const char *to, struct err *e)
{
	int in = open(from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	int out = in < 0 ? -1 : open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = out >= 0 && file_copy(in, out) == 0 ? 0 : err_sys(e, "copy %s to %s", from, to);

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	return rc;
}

typedef int (*file_fn)(const char *from, const char *to, struct err *e);

static int link_file(const char *from, const char *to, struct err *e)
{
	return link(from, to) < 0 ? err_sys(e, "link %s to %s", from, to) : 0;
}

static int each(const char *from, const char *to, const char *but, file_fn file, struct err *e);

static int entry_to(const char *from, const char *to, file_fn file, struct err *e)
{
	struct stat st;

	if (lstat(from, &st) < 0)
		return err_sys(e, "%s", from);
	if (S_ISDIR(st.st_mode))
		return each(from, to, "", file, e);
	return S_ISREG(st.st_mode) ? file(from, to, e) : 0;
}

static int each(const char *from, const char *to, const char *but, file_fn file, struct err *e)
{
	DIR *d = opendir(from);
	const struct dirent *entry;
	int rc = d ? 0 : err_sys(e, "open %s", from);

	if (rc == 0 && mkdir(to, 0700) < 0 && errno != EEXIST)
		rc = err_sys(e, "make %s", to);
	while (d && rc == 0 && (entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..") ||
		    !strcmp(entry->d_name, but))
			continue;
		char *a = xasprintf("%s/%s", from, entry->d_name);
		char *b = xasprintf("%s/%s", to, entry->d_name);

		rc = entry_to(a, b, file, e);
		free(a);
		free(b);
	}
	if (d)
		closedir(d);
	return rc;
}

int copy_tree(const char *from, const char *to, struct err *e)
{
	return each(from, to, "", copy_file, e);
}

int copy_tree_but(const char *from, const char *to, const char *but, struct err *e)
{
	return each(from, to, but, copy_file, e);
}

int copy_tree_linked(const char *from, const char *to, struct err *e)
{
	return each(from, to, "", link_file, e);
}
