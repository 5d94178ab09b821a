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
#include "vbet-server/store/paths.h"
#include "vbet-server/store/sources.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

static char *inputs_in(const char *dir)
{
	return xasprintf("%s/inputs", dir);
}

/* What is there goes when the new one is whole. NULL on error. */
static FILE *begin_inputs(const char *dir, const char *text, size_t len, struct err *e)
{
	char *path = inputs_in(dir), *made = xasprintf("%s.new", path);
	FILE *f = fopen(made, "we");

	if (!f || fwrite(text, 1, len, f) != len || fflush(f) != 0 || rename(made, path) < 0) {
		err_sys(e, "write %s", path);
		if (f) {
			fclose(f);
			unlink(made);
		}
		f = NULL;
	}
	free(made);
	free(path);
	return f;
}

int record_copy_inputs(const struct lab *lab, const char *run, struct err *e)
{
	if (!lab->inputs.record || !is_elsewhere(lab))
		return 0;
	size_t len;
	char *from = inputs_in(lab->record.dir);
	char *text = paths_read_file(from, &len, e);
	FILE *f = text ? begin_inputs(run, text, len, e) : NULL;

	free(text);
	free(from);
	if (f)
		fclose(f);
	return f ? 0 : -1;
}

/* The lab's own directory has the inputs, or says where they are. */
static int name_place(struct lab *lab, const char *dir, struct err *e)
{
	char *pointer = xasprintf("%s/record", lab->dir), *inputs = inputs_in(lab->dir);
	int rc = 0;

	if (strcmp(dir, lab->record.dir) != 0 && lab->record.sources)
		lab->record.sources->written = 0;
	char *place = xstrdup(dir);

	free(lab->record.dir);
	lab->record.dir = place;
	if (is_elsewhere(lab)) {
		rc = lab_write_file(lab, "record", dir, e);
		unlink(inputs);
	} else {
		unlink(pointer);
	}
	free(inputs);
	free(pointer);
	return rc < 0 ? rc : record_keep_sources(lab, e);
}

int record_go_on(struct lab *lab, const char *dir, const char *text, size_t len, struct err *e)
{
	FILE *f = begin_inputs(dir, text, len, e);

	if (!f)
		return -1;
	lab->inputs.record = f;
	return name_place(lab, dir, e);
}

int record_thaw(struct lab *lab, const char *dir, struct err *e)
{
	size_t len, before = (size_t)lab->snapshot.recorded;
	char *path = inputs_in(lab->dir);
	char *text = paths_read_file(path, &len, e);
	int rc = text ? 0 : -1;

	if (rc == 0 && len < before)
		rc = err_set(e, ERR_ENV, "%s is shorter than when it was saved", path);
	if (rc == 0)
		rc = record_go_on(lab, dir, text, before, e);
	free(text);
	free(path);
	return rc;
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
