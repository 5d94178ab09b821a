/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Each script is read to know whether it counts: that always ends (docs/language.md, limits), and
 * tells how much memory its guests may want, by which labs are put side by side.
 */
#include "vbet-server/suite/find.h"

#include "vbet-server/store/load.h"
#include "vbet-server/suite/choose.h"

#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>

enum { DEEPEST = 16 };

static void describe(struct suite_case *c, const struct loaded *l, unsigned levels)
{
	struct graph *g = l->graph;

	if (!g)
		return;
	graph_keep_levels(g, levels);
	c->lab = (char *)g->lab;
	c->is_virtual = g->clock == CLOCK_VIRTUAL;
	c->n_nodes = g->n_nodes;
	c->n_expects = g->n_expects;
	c->n_points = graph_points(g);
	for (size_t i = 0; i < g->n_nodes; i++)
		if (node_kind_is_guest(g->nodes[i].kind))
			c->memory_bytes += g->nodes[i].memory_bytes;
}

static bool is_there(const struct found *f, const char *file)
{
	for (size_t i = 0; i < f->scripts.cases.n; i++)
		if (!strcmp(f->scripts.cases.at[i]->file, file))
			return true;
	return false;
}

static int add_script(struct found *f, const char *file, const char *filter, bool is_named,
		      struct err *e)
{
	struct suite_case c = {.file = (char *)file, .lab = ""};
	struct loaded l;
	struct err why = {0};

	/* What cannot even be read, and is not named, is found out when it is run. */
	if (load_script(&l, file, NULL, &why) < 0) {
		if (is_named && why.kind != ERR_USAGE) {
			*e = why;
			return -1;
		}
		memset(&l, 0, sizeof(l));
	}
	describe(&c, &l, f->levels);
	if (!is_named && l.graph && !l.graph->n_expects)
		f->silent++;
	else if (choose_is_meant(filter, c.file, c.lab) && !is_there(f, file))
		suite_add(&f->scripts, &c);
	load_finish(&l);
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_script(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot > name && !strcmp(dot, ".vbet");
}

static int list(const char *dir, struct strvec *names, struct err *e)
{
	DIR *d = opendir(dir);

	if (!d)
		return err_sys(e, "%s", dir);
	for (struct dirent *entry; (entry = readdir(d));)
		if (entry->d_name[0] != '.')
			vec_push(names, xstrdup(entry->d_name));
	closedir(d);
	if (names->n)
		qsort(names->at, names->n, sizeof(*names->at), compare_names);
	return 0;
}

/* "a.vbet" and not "./a.vbet" in ".". */
static char *path_in(const char *dir, const char *name)
{
	size_t len = strlen(dir);

	if (!strcmp(dir, ".") || !strcmp(dir, "./"))
		return xstrdup(name);
	return xasprintf("%s%s%s", dir, len && dir[len - 1] == '/' ? "" : "/", name);
}

static int add_directory(struct found *f, const char *dir, const char *filter, unsigned depth,
			 struct err *e)
{
	struct strvec names = {0};
	int rc = depth > DEEPEST
			 ? err_set(e, ERR_USAGE, "%s: too many directories in each other", dir)
			 : list(dir, &names, e);

	for (size_t i = 0; i < names.n; i++) {
		char *path = path_in(dir, names.at[i]);
		struct stat st;

		if (rc == 0 && lstat(path, &st) == 0) {
			if (S_ISDIR(st.st_mode))
				rc = add_directory(f, path, filter, depth + 1, e);
			else if (is_script(names.at[i]))
				rc = add_script(f, path, filter, false, e);
		}
		free(path);
		free((char *)names.at[i]);
	}
	vec_free(&names);
	return rc;
}

int find_path(struct found *f, const char *path, const char *filter, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		err_sys(e, "%s", path);
		e->kind = ERR_USAGE;
		return -1;
	}
	return S_ISDIR(st.st_mode) ? add_directory(f, path, filter, 0, e)
				   : add_script(f, path, filter, true, e);
}

void find_finish(struct found *f)
{
	suite_finish(&f->scripts);
}
