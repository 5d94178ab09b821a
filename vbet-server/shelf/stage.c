/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/stage.h"

#include "lib/xalloc.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A lock on a directory: -1 if somebody else has it, or it is gone. */
static int lock_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat mine;
	struct stat there;

	if (fd < 0)
		return -1;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &mine) == 0 && stat(dir, &there) == 0 &&
	    mine.st_ino == there.st_ino && mine.st_dev == there.st_dev)
		return fd;
	close(fd);
	return -1;
}

void stage_sweep(const char *parent, const char *prefix)
{
	DIR *d = opendir(parent);
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0 ||
		    strlen(entry->d_name) != strlen(prefix) + 6)
			continue;
		char *dir = xasprintf("%s/%s", parent, entry->d_name);
		int fd = lock_dir(dir);

		if (fd >= 0) {
			paths_remove_tree(dir);
			close(fd);
		}
		free(dir);
	}
	if (d)
		closedir(d);
}

int stage_make(struct stage *s, const char *parent, const char *prefix, struct err *e)
{
	stage_sweep(parent, prefix);
	s->lock_fd = -1;
	/* Somebody who sweeps may be faster than our lock. */
	for (;;) {
		s->dir = xasprintf("%s/%sXXXXXX", parent, prefix);
		if (!mkdtemp(s->dir)) {
			err_sys(e, "make %s", s->dir);
			free(s->dir);
			s->dir = NULL;
			return -1;
		}
		s->lock_fd = lock_dir(s->dir);
		if (s->lock_fd >= 0)
			return 0;
		free(s->dir);
	}
}

void stage_end(struct stage *s)
{
	if (!s->dir)
		return;
	paths_remove_tree(s->dir);
	close(s->lock_fd);
	free(s->dir);
	s->dir = NULL;
	s->lock_fd = -1;
}
