/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The run's own directory goes with the lab, so the record may be elsewhere; the run's
 * directory then names the place. Either begins with the manifest, from which a replay sees
 * whether it is on the same machine, and has the text of every file that the script was made
 * of.
 */
#include "vbet-server/lab/record.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/store/manifest.h"
#include "vbet-server/store/sources.h"

#include <stdlib.h>
#include <string.h>

static int write_manifest(const char *dir, const struct manifest *m, struct err *e)
{
	char *path = xasprintf("%s/manifest", dir);
	FILE *f = fopen(path, "we");
	int rc = f ? 0 : err_sys(e, "write %s", path);

	if (f)
		manifest_write(f, m);
	if (f && fclose(f) != 0)
		rc = err_sys(e, "write %s", path);
	free(path);
	return rc;
}

static bool is_elsewhere(const struct lab *lab)
{
	return strcmp(lab->record.dir, lab->dir) != 0;
}

static const char *not_held(const struct lab *lab, struct arena *a)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	bounds_tell(lab, f);
	fclose(f);
	const char *copy = len ? arena_strndup(a, text, strcspn(text, "\n")) : NULL;

	free(text);
	return copy;
}

int record_begin(struct lab *lab, const char *script, struct err *e)
{
	struct arena a = {0};
	char *graph = manifest_graph_text(lab->graph);
	struct manifest m = {
		.lab = lab->graph->lab,
		.clock = lab->graph->clock == CLOCK_VIRTUAL ? "virtual" : "real",
		.seed = lab->graph->seed,
		.spin = graph_spin_name(lab->graph->spin),
		.script = script ? script : "",
		.dir = lab->base_dir,
		.disks = lab->env.keep_disks,
		.unheld = not_held(lab, &a),
		.tsc = lab->clock.is_virtual ? manifest_tsc(!lab->clock.shows_host) : NULL,
		.graph = graph,
	};

	if (lab->graph->clock == CLOCK_VIRTUAL)
		plan_env_look(&lab->env, &m, &a, !is_elsewhere(lab));
	int rc = write_manifest(lab->dir, &m, e);

	/* The lab's own directory says where the rest is kept. */
	if (rc == 0 && is_elsewhere(lab))
		rc = write_manifest(lab->record.dir, &m, e) < 0
			     ? -1
			     : lab_write_file(lab, "record", lab->record.dir, e);
	free(graph);
	arena_finish(&a);
	return rc < 0 ? rc : record_keep_sources(lab, e);
}

/* Called again after each statement: it may have included another file. */
int record_keep_sources(struct lab *lab, struct err *e)
{
	if (!lab->record.sources || lab->graph->clock != CLOCK_VIRTUAL)
		return 0;
	char *dir = xasprintf("%s/files", lab->record.dir);
	int rc = sources_write(lab->record.sources, dir, e);

	free(dir);
	return rc;
}
