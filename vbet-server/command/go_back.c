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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* What one restore needs. */
struct way {
	struct stage stage;
	char *run;                /* owned: of the lab that runs */
	char *snapshot, *inputs;  /* owned: in the stage */
	char *back;               /* owned: in the stage; those before the moment */
	struct back_points there; /* in the lab that runs */
};

static int link_one(const struct way *w, int64_t time_ns, const char *to, struct err *e)
{
	char *from = back_dir_path(w->run, time_ns);
	int rc = copy_tree_linked(from, to, e);

	free(from);
	return rc;
}

/* The newest that can be had: the lab may be removing one. */
static int link_newest(struct way *w, int64_t to_ns)
{
	for (long i = back_points_find(&w->there, to_ns); i >= 0; i--) {
		if (link_one(w, w->there.at.at[i].time_ns, w->snapshot, NULL) == 0)
			return (int)i;
		paths_remove_tree(w->snapshot);
	}
	return -1;
}

/* With all before it, to go back further then. */
static void link_all(const struct way *w, int newest)
{
	mkdir(w->back, 0700);
	for (int i = 0; i <= newest; i++) {
		int64_t ns = w->there.at.at[i].time_ns;
		char *to = back_dir_path(w->stage.dir, ns);

		if (link_one(w, ns, to, NULL) < 0)
			paths_remove_tree(to);
		free(to);
	}
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
	int rc = same ? boot_take_down(lab, e) : 0;

	if (rc == 0)
		rc = boot_restore(run, w->snapshot, &follow, &s, &why) == 0;
	if (rc == 1)
		client_close(&s);
	else if (rc == 0)
		fprintf(stderr, "what was kept cannot be restored: %s; the run is repeated\n",
			why.text);
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
		w.snapshot = xasprintf("%s/s", w.stage.dir);
		w.inputs = xasprintf("%s/inputs", w.stage.dir);
		w.back = xasprintf("%s/%s", w.stage.dir, BACK_DIR);
		int newest = link_newest(&w, to_ns);

		if (newest >= 0) {
			link_all(&w, newest);
			rc = write_inputs(&w, r, e) < 0
				     ? -1
				     : restore(&w, base, lab, !strcmp(r->running, lab), to_ns, e);
		}
	}
	stage_end(&w.stage);
	back_points_finish(&w.there);
	free(w.snapshot);
	free(w.inputs);
	free(w.back);
	free(w.run);
	free(base);
	return rc;
}
