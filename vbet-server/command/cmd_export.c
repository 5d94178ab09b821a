/* SPDX-License-Identifier: GPL-3.0-or-later */
/* vbet export: a lab as a text that another program understands, and what did not fit in. */
#include "lib/xalloc.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/command/lab_graph.h"
#include "vbet-server/export/format.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int write_text(const char *path, const char *text, struct err *e)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return err_sys(e, "write %s", path);
	fputs(text, f);
	return fclose(f) == 0 ? 0 : err_sys(e, "write %s", path);
}

/* "r1/frr.conf" beside the text: directories are one deep. */
static int write_files(const struct export_lab *l, const char *output, struct err *e)
{
	const char *slash = strrchr(output, '/');
	int dir = slash ? (int)(slash - output) + 1 : 0;
	int rc = 0;

	for (size_t i = 0; i < l->files.n && rc == 0; i++) {
		const struct export_file *f = &l->files.at[i];
		char *path = xasprintf("%.*s%s", dir, output, f->path);
		char *end = strrchr(path, '/');

		*end = '\0';
		if (mkdir(path, 0777) < 0 && errno != EEXIST)
			rc = err_sys(e, "make %s", path);
		*end = '/';
		if (rc == 0)
			rc = write_text(path, f->text, e);
		free(path);
	}
	return rc;
}

static int write_lab(struct export_lab *l, const struct export_format *format, const char *output,
		     struct err *e)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	format->write(l, f);
	fclose(f);
	int rc = output ? write_text(output, text, e) : 0;

	if (!output)
		fwrite(text, 1, len, stdout);
	free(text);
	if (rc == 0 && output)
		rc = write_files(l, output, e);
	for (size_t i = 0; !output && i < l->files.n; i++)
		export_note(l, NULL,
			    arena_printf(&l->arena, "the file %s is written with -o only",
					 l->files.at[i].path));
	if (l->notes.n)
		fputs("not carried over:\n", stderr);
	for (size_t i = 0; i < l->notes.n; i++)
		fprintf(stderr, "  %s\n", l->notes.at[i]);
	return rc;
}

static int no_format(const char *to, struct err *e)
{
	char *names = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&names, &len);

	for (size_t i = 0; export_at(i); i++)
		fprintf(f, "%s%s", i ? ", " : "", export_at(i)->name);
	fclose(f);
	int rc = to ? err_set(e, ERR_USAGE, "no format '%s': there is %s", to, names)
		    : err_set(e, ERR_USAGE, "--to names the format: %s", names);

	free(names);
	return rc;
}

int cmd_export(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	const struct export_format *format = o->to ? export_find(o->to) : NULL;
	struct lab_graph l;

	if (!format)
		return no_format(o->to, e);
	int rc = lab_graph_load(&l, argv[0], e);

	if (rc == 0 && l.graph) {
		struct export_lab lab = {.graph = l.graph};

		rc = write_lab(&lab, format, o->output, e);
		export_finish(&lab);
	} else if (rc == 0) {
		rc = ERR_USAGE;
	}
	lab_graph_finish(&l);
	return rc;
}
