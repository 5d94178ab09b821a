/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The lab may run on, and thin out what it has, and what is there goes with it when it is taken
 * down: so what is used is linked into a directory of our own first.
 */
#include "vbet-server/command/go_back.h"

#include "lib/xalloc.h"
#include "vbet-server/command/boot.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/run.h"
#include "vbet-server/server/start.h"
#include "vbet-server/shelf/stage.h"
#include "vbet-server/store/back_dir.h"
#include "vbet-server/store/copy_tree.h"
#include "vbet-server/store/paths.h"
#include "vbet-server/store/snapshot_dir.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What one restore needs. */
struct way {
	struct stage stage;
	char *run;    /* owned: of the lab that runs */
	char *inputs; /* owned: in the stage */
	char *back;   /* owned: in the stage; what the lab that comes keeps from before */
	struct back_points there; /* of the lab that runs, then in `back` */
};

static int link_one(const struct way *w, int64_t time_ns, struct err *e)
{
	char *from = back_dir_path(w->run, time_ns);
	char *to = back_dir_path(w->stage.dir, time_ns);
	int rc = copy_tree_linked(from, to, e);

	/* The lab may be removing it. */
	if (rc < 0)
		paths_remove_tree(to);
	free(from);
	free(to);
	return rc;
}

/* All up to the moment: the other lab can go back further then. */
static int link_all(struct way *w, int64_t to_ns, struct err *e)
{
	long newest = back_points_find(&w->there, to_ns);

	if (mkdir(w->back, 0700) < 0)
		return err_sys(e, "make %s", w->back);
	for (long i = 0; i <= newest; i++)
		link_one(w, w->there.at.at[i].time_ns, NULL);
	return 0;
}

/* They are of times that have not come yet. */
static void put_later_aside(const struct way *w, long newest)
{
	for (size_t i = (size_t)newest + 1; i < w->there.at.n; i++) {
		char *from = back_dir_path(w->stage.dir, w->there.at.at[i].time_ns);
		char *to = xasprintf("%s/later.%zu", w->stage.dir, i);

		/* The stage is removed with all that is in it. */
		if (rename(from, to) < 0)
			paths_remove_tree(from);
		free(from);
		free(to);
	}
}

/* The snapshot to begin with, in `back`; malloc'ed. NULL: there is none any more. */
static char *choose(struct way *w, int64_t to_ns)
{
	back_points_finish(&w->there);
	back_dir_list(w->stage.dir, &w->there);
	long newest = back_points_find(&w->there, to_ns);

	if (newest < 0)
		return NULL;
	put_later_aside(w, newest);
	return back_dir_path(w->stage.dir, w->there.at.at[newest].time_ns);
}

static int write_inputs(const struct way *w, const struct run *r, struct err *e)
{
	FILE *f = fopen(w->inputs, "we");
	int rc = f ? 0 : err_sys(e, "%s", w->inputs);

	if (f)
		fputs(r->inputs, f);
	if (f && fclose(f) != 0)
		rc = err_sys(e, "write %s", w->inputs);
	return rc;
}

static int restore(struct way *w, const char *base, const char *lab, bool same, int64_t to_ns,
		   struct err *e)
{
	const struct server_follow follow = {.inputs = w->inputs, .to_ns = to_ns, .back = w->back};
	char *run = xasprintf("%s/%s", base, lab);
	struct session s;
	struct err why = {0};
	int rc = same ? boot_take_place(lab, w->back, e) : link_all(w, to_ns, e);
	char *snapshot = rc == 0 ? choose(w, to_ns) : NULL;

	if (snapshot)
		rc = snapshot_dir_set_use(snapshot, SNAPSHOT_SHARE, &why) == 0 &&
		     boot_restore(run, snapshot, &follow, &s, &why) == 0;
	if (rc == 1)
		client_close(&s);
	else if (rc == 0)
		fprintf(stderr, "what was kept cannot be restored: %s; the run is repeated\n",
			why.kind ? why.text : "it is not there any more");
	free(snapshot);
	free(run);
	return rc;
}

int go_back(const struct run *r, const char *lab, int64_t to_ns, struct err *e)
{
	char *base = r->running ? paths_base_dir(e) : NULL;
	struct way w = {.stage = {.dir = NULL, .lock_fd = -1}};
	int rc = 0;

	if (!base)
		return r->running ? -1 : 0;
	w.run = xasprintf("%s/%s", base, r->running);
	back_dir_list(w.run, &w.there);
	if (back_points_find(&w.there, to_ns) >= 0 &&
	    stage_make(&w.stage, base, STAGE_RESTORE, e) == 0) {
		w.inputs = xasprintf("%s/inputs", w.stage.dir);
		w.back = xasprintf("%s/%s", w.stage.dir, BACK_DIR);
		rc = write_inputs(&w, r, e) < 0
			     ? -1
			     : restore(&w, base, lab, !strcmp(r->running, lab), to_ns, e);
	}
	stage_end(&w.stage);
	back_points_finish(&w.there);
	free(w.inputs);
	free(w.back);
	free(w.run);
	free(base);
	return rc;
}
