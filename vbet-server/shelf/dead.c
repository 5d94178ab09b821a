/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/dead.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "vbet-server/store/paths.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096 };

uint8_t *dead_read(const char *dir, const char *name, uint32_t n_segments)
{
	char *path = xasprintf("%s/%s.dead", dir, name);
	bool there = access(path, F_OK) == 0;
	size_t len = 0;
	char *read = there ? paths_read_file(path, &len, NULL) : NULL;
	uint8_t *dead = there ? xcalloc(1, n_segments + (size_t)1) : NULL;

	if (read && len == n_segments)
		memcpy(dead, read, len);
	else if (there)
		memset(dead, 1, n_segments);
	free(read);
	free(path);
	return dead;
}

/* In one step, and on the disk before anything follows from it. */
static int write_dead(const char *dir, const char *name, const uint8_t *dead, uint32_t n,
		      struct err *e)
{
	char *path = xasprintf("%s/%s.dead", dir, name);
	char *made = xasprintf("%s/%s.dead.new", dir, name);
	int fd = open(made, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok = fd >= 0 && sock_write_all(fd, dead, n) == 0 && fsync(fd) == 0 &&
		  rename(made, path) == 0;
	int rc = ok ? 0 : err_sys(e, "write %s", path);

	if (fd >= 0)
		close(fd);
	free(made);
	free(path);
	return rc;
}

static void punch(const char *dir, const char *name, const struct pack *p, const uint8_t *used)
{
	char *path = xasprintf("%s/%s.pack", dir, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	/* Where it cannot be done the room is lost until the whole pack goes. */
	for (uint32_t i = 0; i < p->n_segments && fd >= 0; i++)
		if (!used[i] && p->segment[i].len)
			fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				  (off_t)p->segment[i].at, (off_t)p->segment[i].len);
	if (fd >= 0)
		close(fd);
	free(path);
}

int dead_mark(const char *dir, const char *name, const struct pack *p, const uint8_t *used,
	      struct err *e)
{
	uint8_t *dead = dead_read(dir, name, p->n_segments);
	bool changed = false;
	int rc = 0;

	if (!dead)
		dead = xcalloc(1, p->n_segments + (size_t)1);
	for (uint32_t i = 0; i < p->n_segments; i++) {
		changed |= !used[i] && !dead[i];
		if (!used[i])
			dead[i] = 1;
	}
	if (changed)
		rc = write_dead(dir, name, dead, p->n_segments, e);
	/* Also what was dead already: whoever marked it may have come no further. */
	if (rc == 0 && memchr(dead, 1, p->n_segments))
		punch(dir, name, p, used);
	free(dead);
	return rc;
}
