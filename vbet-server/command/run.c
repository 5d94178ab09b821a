/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kept run is a directory with a manifest, the texts of the script and the inputs. Before it
 * is repeated it is compared with the present: another network is an error, for then the inputs
 * mean something else; other programs or another processor are only said, for the run may still
 * be the same.
 */
#include "vbet-server/command/run.h"

#include "lib/units.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/plan/plan_env.h"
#include "vbet-server/store/paths.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int run_parse(const char *text, char **name, int64_t *at_ns, struct err *e)
{
	const char *at = strrchr(text, '@');

	*at_ns = -1;
	/* In "runs@home/one" the '@' is part of a path. */
	if (at && strchr(at, '/'))
		at = NULL;
	if (at && unit_parse(UNIT_TIME, at + 1, at_ns, e) < 0)
		return err_wrap(e, "%s", text);
	*name = at ? xstrndup(text, (size_t)(at - text)) : xstrdup(text);
	return 0;
}

/*
 * A line of a record begins with its time, in seconds with all nine digits, as records write it:
 * "12.345000000 ...".
 */
static int line_time(const char *line, size_t n, int64_t *ns, struct err *e)
{
	char text[64];

	n = strcspn(line, " \n") < n ? strcspn(line, " \n") : n;
	if (snprintf(text, sizeof(text), "%.*ss", (int)n, line) >= (int)sizeof(text) || n == 0)
		return err_set(e, ERR_USAGE, "no input of a run: %.*s", (int)n, line);
	return unit_parse(UNIT_TIME, text, ns, e);
}

int run_times(const char *inputs, int64_t *first_ns, int64_t *last_ns, struct err *e)
{
	const char *last = inputs;

	for (const char *p = inputs; *p;) {
		last = p;
		p += strcspn(p, "\n");
		p += *p == '\n';
	}
	if (!*inputs)
		return err_set(e, ERR_USAGE, "nothing is in it");
	return line_time(inputs, strlen(inputs), first_ns, e) < 0
		       ? -1
		       : line_time(last, strlen(last), last_ns, e);
}

static char *read_part(const struct run *r, const char *name, struct err *e)
{
	size_t len;
	char *path = xasprintf("%s/%s", r->dir, name);
	char *text = paths_read_file(path, &len, e);

	free(path);
	return text;
}

/* What time is it there? */
static int ask_now(const char *lab, int64_t *ns, struct err *e)
{
	char *words[] = {"clock"};
	char *text;
	int rc = client_ask_text(lab, words, 1, &text, e);

	text[strcspn(text, " ")] = '\0';
	char *time = xasprintf("%ss", text);

	if (rc == 0)
		rc = unit_parse(UNIT_TIME, time, ns, e);
	free(time);
	free(text);
	return rc;
}

/* A directory with a manifest, or a lab that runs. */
static int find(struct run *r, const char *name, struct err *e)
{
	char *manifest = xasprintf("%s/manifest", name);
	bool is_dir = access(manifest, R_OK) == 0;
	char *base;

	free(manifest);
	if (is_dir) {
		r->dir = xstrdup(name);
		return 0;
	}
	r->running = strchr(name, '/') ? NULL : client_find_lab(name, NULL);
	if (!r->running)
		return err_set(e, ERR_USAGE,
			       "%s is neither a directory of a kept run (up --record, test --keep) "
			       "nor a lab that runs",
			       name);
	base = paths_base_dir(e);
	if (!base)
		return -1;
	r->dir = xasprintf("%s/%s", base, name);
	free(base);
	return 0;
}

/* Where the record of a running lab is: the user may have said. */
static int follow_record(struct run *r)
{
	size_t len;
	char *path = xasprintf("%s/record", r->dir);
	char *text = paths_read_file(path, &len, NULL);

	free(path);
	if (!text)
		return 0;
	free(r->dir);
	r->dir = text;
	return 0;
}

static int read_all(struct run *r, struct err *e)
{
	char *manifest = read_part(r, "manifest", e);
	int rc = manifest ? manifest_read(&r->manifest, &r->arena, manifest, e) : -1;

	free(manifest);
	if (rc == 0 && strcmp(r->manifest.clock, "virtual") != 0)
		rc = err_set(e, ERR_USAGE,
			     "this run went by the real clock: only those in virtual time "
			     "(--clock virtual) can be repeated");
	else if (rc == 0 && r->manifest.disks)
		rc = err_set(e, ERR_USAGE,
			     "this run kept its disks (--keep-disks %s): what was on them when it "
			     "began is not in the record, so it cannot be repeated",
			     r->manifest.disks);
	if (rc < 0)
		return err_wrap(e, "%s", r->dir);
	char *files = xasprintf("%s/files", r->dir);

	r->inputs = read_part(r, "inputs", e);
	rc = r->inputs && sources_load(&r->sources, files, e) == 0 ? 0 : -1;
	free(files);
	if (rc == 0 && run_times(r->inputs, &r->ready_ns, &r->end_ns, e) < 0)
		rc = err_wrap(e, "%s/inputs", r->dir);
	return rc;
}

int run_open(struct run *r, const char *name, struct err *e)
{
	memset(r, 0, sizeof(*r));
	if (find(r, name, e) < 0)
		return -1;
	/* In this order: what came until now is in the record by the time we read it. */
	if (r->running && ask_now(r->running, &r->end_ns, e) < 0)
		return -1;
	int64_t now = r->end_ns;

	if (r->running)
		follow_record(r);
	if (read_all(r, e) < 0)
		return -1;
	if (now > r->end_ns)
		r->end_ns = now;
	return 0;
}

static int compare_machine(const struct run *r, const struct loaded *l, FILE *out, struct err *e)
{
	struct plan_wish wish = {.base_dir = l->dir};
	struct manifest now = {0};
	struct plan_env env;
	struct arena a = {0};

	if (plan_env_make(&env, l->graph, &wish, r->dir, e) < 0)
		return -1;
	plan_env_look(&env, &now, &a, manifest_is_quick(&r->manifest));
	if (manifest_compare(out, &r->manifest, &now))
		fputs("so this may not be the same run\n", out);
	plan_env_finish(&env);
	arena_finish(&a);
	return 0;
}

static int compare_graph(const struct run *r, struct loaded *l, struct err *e)
{
	struct arena a = {0};
	char *text = manifest_graph_text(l->graph);
	const char *how = manifest_compare_graphs(&a, r->manifest.graph, text);
	int rc = how ? err_set(e, ERR_ENV, "%s: the script now makes another network: %s", r->dir,
			       how)
		     : 0;

	free(text);
	arena_finish(&a);
	return rc;
}

/* Nothing in a lab depends on its name once it has its graph. */
static int rename_lab(struct loaded *l, const char *lab, struct err *e)
{
	if (lab && !topo_is_lab_name(lab))
		return err_set(e, ERR_USAGE,
			       "the name of a lab is at most %d small letters, digits and '-'",
			       TOPO_MAX_LAB);
	if (lab)
		l->graph->lab = arena_strdup(&l->graph->arena, lab);
	return 0;
}

int run_load(struct run *r, struct loaded *l, const char *lab, FILE *out, struct err *e)
{
	const struct manifest *m = &r->manifest;

	/* By its old name: MAC addresses are derived from it. */
	if (load_kept(l, &r->sources, m->script, m->dir, m->lab, e) < 0)
		return -1;
	if (topo_n_errors(l->script)) {
		topo_print_errors(stderr, l->script);
		return err_set(e, ERR_USAGE, "%s: its script is not understood any more", r->dir);
	}
	l->graph->seed = m->seed;
	graph_find_spin(m->spin, &l->graph->spin);
	l->graph->clock = CLOCK_VIRTUAL;
	if (compare_graph(r, l, e) < 0 || rename_lab(l, lab, e) < 0)
		return -1;
	return compare_machine(r, l, out, e);
}

void run_close(struct run *r)
{
	sources_finish(&r->sources);
	arena_finish(&r->arena);
	free(r->dir);
	free(r->running);
	free(r->inputs);
	memset(r, 0, sizeof(*r));
}
