/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A shelf that is a cache: what was not used for longest goes first. When something was used is the
 * time of its directory: nothing else changes that, once it has its name.
 */
#include "lib/xalloc.h"
#include "vbet-server/shelf/shelf_priv.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void shelf_touch(struct shelf *s, const char *name)
{
	char *path = shelf_path(s, name);

	/* One that cannot be marked only goes sooner. */
	(void)utimensat(AT_FDCWD, path, NULL, 0);
	free(path);
}

static bool is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* malloc'ed; NULL: there is none. */
static char *find_oldest(struct shelf *s)
{
	struct timespec since = {.tv_sec = 0};
	struct shelf_names names;
	char *oldest = NULL;

	shelf_names(s, &names);
	for (int i = 0; i < names.n; i++) {
		char *path = shelf_path(s, names.at[i]->d_name);
		struct stat st;

		if (stat(path, &st) == 0 && (!oldest || is_older(&st.st_mtim, &since))) {
			since = st.st_mtim;
			free(oldest);
			oldest = xstrdup(names.at[i]->d_name);
		}
		free(path);
	}
	shelf_names_free(&names);
	return oldest;
}

int shelf_bound(struct shelf *s, uint64_t bytes_max, struct err *e)
{
	int rc = 0;

	while (rc == 0 && shelf_size(s) > bytes_max) {
		char *name = find_oldest(s);

		if (!name)
			break;
		rc = shelf_remove(s, name, e) < 0 ? -1 : shelf_tidy(s, e);
		free(name);
	}
	return rc;
}
