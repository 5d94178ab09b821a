/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/shelf/bundle.h"

#include "lib/xalloc.h"
#include "vbet-server/shelf/lanes.h"
#include "vbet-server/shelf/squeeze.h"
#include "vbet-server/store/snapshot_dir.h"

#include <stdlib.h>
#include <sys/stat.h>

/* What was there goes with the stage. */
int bundle_make(const char *from, const struct stage *stage, const char *dir, struct err *e)
{
	char *made = xasprintf("%s/made", stage->dir);
	struct squeeze q = {.from = from, .to = made, .packs = made, .threads = lanes_usual()};
	int rc = mkdir(made, 0700) < 0 ? err_sys(e, "make %s", made) : squeeze(&q, e);

	if (rc == 0)
		rc = snapshot_dir_swap(made, dir, e);
	free(made);
	return rc;
}

int bundle_unpack(const char *dir, struct unpacked *u, const char *to, struct err *e)
{
	return unpack(u, dir, dir, to, lanes_usual(), e);
}
