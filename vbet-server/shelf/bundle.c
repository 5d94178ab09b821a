/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/bundle.h"

#include "lib/xalloc.h"
#include "vbet-server/shelf/lanes.h"
#include "vbet-server/shelf/squeeze.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int bundle_check(const char *dir, struct err *e)
{
	char *mark = xasprintf("%s/snapshot", dir);
	bool other = access(dir, F_OK) == 0 && access(mark, F_OK) < 0;

	free(mark);
	return other ? err_set(e, ERR_USAGE, "%s is there already, and is no snapshot", dir) : 0;
}

/* What was there goes with the stage. */
int bundle_make(const char *from, const struct stage *stage, const char *dir, struct err *e)
{
	char *made = xasprintf("%s/made", stage->dir);
	struct squeeze q = {.from = from, .to = made, .packs = made, .threads = lanes_usual()};
	int rc = mkdir(made, 0700) < 0 ? err_sys(e, "make %s", made) : squeeze(&q, e);

	if (rc == 0 && renameat2(AT_FDCWD, made, AT_FDCWD, dir, RENAME_EXCHANGE) < 0 &&
	    (errno != ENOENT || rename(made, dir) < 0))
		rc = err_sys(e, "%s", dir);
	free(made);
	return rc;
}

int bundle_unpack(const char *dir, struct unpacked *u, const char *to, struct err *e)
{
	return unpack(u, dir, dir, to, lanes_usual(), e);
}
