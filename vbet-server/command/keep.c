/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `vbet test --keep DIR`: what is left of a run to look at, the report, the consoles, what went
 * over each cable, and the record.
 *
 * The directory is made before the lab boots, so that a run is not lost for a name that is taken.
 * Its captures are complete only when the substrate has been told to end them: until then the last
 * frames may still be in its buffers. All this comes before the lab is taken down, for its own
 * directory goes with it.
 */
#include "vbet-server/command/keep.h"

#include "lib/console_log.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/command/run.h"
#include "vbet-server/command/tables.h"
#include "vbet-server/command/texts.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_empty_directory(const char *path)
{
	DIR *d = opendir(path);
	size_t n = 0;

	if (!d)
		return false;
	while (readdir(d))
		n++;
	closedir(d);
	return n == 2;
}

/* An old run in the same place would be mixed with the new one. */
int keep_make_empty(const char *dir, struct err *e)
{
	if (paths_make_dirs(dir, 0777, e) < 0)
		return -1;
	return is_empty_directory(dir) ? 0 : err_set(e, ERR_USAGE, "%s is no empty directory", dir);
}

int keep_open(struct keep *k, const char *dir, struct err *e)
{
	if (!dir)
		return 0;
	if (keep_make_empty(dir, e) < 0)
		return -1;
	k->dir = realpath(dir, NULL);
	if (!k->dir)
		return err_sys(e, "%s", dir);
	char *nodes = xasprintf("%s/nodes", k->dir);
	char *report = xasprintf("%s/report", k->dir);
	int rc = 0;

	k->cables = xasprintf("%s/cables", k->dir);
	k->report = fopen(report, "we");
	if (mkdir(nodes, 0777) < 0 || mkdir(k->cables, 0777) < 0 || !k->report)
		rc = err_sys(e, "write into %s", dir);
	free(nodes);
	free(report);
	return rc;
}

int keep_lab(const struct keep *k, const char *lab, const struct graph *g, struct err *e)
{
	char *base = k->dir ? paths_base_dir(e) : NULL;

	if (!base)
		return k->dir ? -1 : 0;
	/* The substrate writes the rest of what it has captured, and closes the files. */
	char *words[] = {"capture-end", "keep"};
	int rc = client_ask(lab, words, 2, NULL, e);

	for (size_t i = 0; i < g->n_nodes && rc == 0; i++) {
		if (!node_kind_is_guest(g->nodes[i].kind))
			continue;
		char *from = xasprintf("%s/%s/n/%s/console.log", base, lab, g->nodes[i].name);
		char *to = xasprintf("%s/nodes/%s.log", k->dir, g->nodes[i].name);

		rc = console_log_copy(from, to, e);
		free(from);
		free(to);
	}
	free(base);
	return rc;
}

int keep_knowledge(const struct keep *k, const char *lab, const struct graph *g, struct err *e)
{
	struct drive d = drive_begin(lab, g->clock == CLOCK_VIRTUAL);
	char *dir = xasprintf("%s/nodes", k->dir);
	int rc = drive_read_clock(&d, e);

	if (rc == 0)
		rc = tables_write(&d, g, dir, e);
	if (rc == 0)
		rc = texts_write(&d, g, dir, e);
	free(dir);
	return rc;
}

int keep_text(const struct keep *k, const char *name, const char *text, struct err *e)
{
	char *path = xasprintf("%s/%s", k->dir, name);
	FILE *f = fopen(path, "we");
	bool ok = f && fputs(text, f) >= 0;

	if (f)
		ok = fclose(f) == 0 && ok;
	int rc = ok ? 0 : err_sys(e, "write %s", path);

	free(path);
	return rc;
}

int keep_earliest(const struct keep *k, int64_t *ns, struct err *e)
{
	char *path = xasprintf("%s/inputs", k->dir);
	int64_t first_ns = 0;
	int64_t last_ns = 0;
	size_t len;
	char *text = paths_read_file(path, &len, e);
	int rc = text ? run_times(text, &first_ns, &last_ns, e) : -1;

	if (rc < 0)
		err_wrap(e, "%s", path);
	else if (*ns < first_ns)
		*ns = first_ns;
	free(text);
	free(path);
	return rc;
}

void keep_close(struct keep *k)
{
	if (k->report)
		fclose(k->report);
	free(k->dir);
	free(k->cables);
}
