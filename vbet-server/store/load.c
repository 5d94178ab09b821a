/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a file to a graph. The limits of this machine come in here, the memory that there is and
 * the length that a socket's path may have, so that the language says what is too much before
 * anything starts.
 */
#include "vbet-server/store/load.h"

#include "lib/sock.h"
#include "lib/xalloc.h"
#include "vbet-server/import/format.h"
#include "vbet-server/store/lab_dir.h"
#include "vbet-server/store/paths.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *load_read_file(void *ctx, const char *path, size_t *len, struct err *e)
{
	return paths_read_file(path, len, e);
}

/*
 * As in C, names are relative to the directory of the file that they stand in. Nothing is taken out
 * of "..": the kernel does that, and it knows of symbolic links.
 */
static char *beside(const char *from, const char *path)
{
	const char *slash = strrchr(from, '/');

	if (path[0] == '/' || !slash)
		return xstrdup(path);
	return xasprintf("%.*s/%s", (int)(slash - from), from, path);
}

static char *read_included(void *ctx, const char *from, const char *path, size_t *len,
			   struct err *e)
{
	struct loaded *l = ctx;
	char *full = beside(from, path);
	char *text = sources_read(&l->sources, full, len, e);

	free(full);
	return text;
}

static bool file_exists(void *ctx, const char *path)
{
	const struct loaded *l = ctx;
	char *full = path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", l->dir, path);
	bool there = sources_have(&l->sources, full) || access(full, R_OK) == 0;

	free(full);
	return there;
}

/*
 * What guests may have together. It is taken only as they touch it, so all of it may be
 * promised.
 */
int64_t load_available_memory(void)
{
	size_t len;
	char *text = paths_read_file("/proc/meminfo", &len, NULL);
	const char *p = text ? strstr(text, "MemAvailable:") : NULL;
	int64_t bytes = p ? strtoll(p + strlen("MemAvailable:"), NULL, 10) * 1024 : 0;

	free(text);
	return bytes;
}

enum {
	LAB_NAME_MAX = 32,
	ROOM_LEAST = 12, /* for NODE and NIC; with less it is not their names that are too long */
};

/* Longest socket path: BASE/LAB/n/NODE/j/NIC. */
static size_t socket_room(const char *base)
{
	size_t fixed = (base ? strlen(base) : 32) + LAB_NAME_MAX + strlen("//n//j/");

	return fixed < SOCK_PATH_MAX ? SOCK_PATH_MAX - fixed : 0;
}

static int check_base(struct err *e)
{
	char *base = paths_base_dir(e);
	size_t room = base ? socket_room(base) : 0;
	int rc = base ? 0 : -1;

	if (base && room < ROOM_LEAST)
		rc = err_set(
			e, ERR_ENV,
			"%s: too long for the sockets of a lab: set XDG_RUNTIME_DIR to a directory "
			"whose name has at most %zu letters",
			base, SOCK_PATH_MAX - LAB_NAME_MAX - strlen("/vbet//n//j/") - ROOM_LEAST);
	free(base);
	return rc;
}

static char *list_dir(void *ctx, const char *path)
{
	struct loaded *l = ctx;

	return lab_dir_list(&l->sources, l->dir, path);
}

static void make_script(struct loaded *l, const struct lab_dir *d, const char *text, size_t len,
			const char *lab)
{
	char *base = paths_base_dir(NULL);
	const char *slash = strrchr(l->dir, '/');
	char *name = xasprintf("%s.vbet", slash ? slash + 1 : l->dir);
	struct topo_options opt = {
		.lab = lab,
		.default_lab = d->is_dir ? name : NULL,
		.appendix = d->test,
		.memory_limit = load_available_memory(),
		.socket_room = socket_room(base),
		.read_file = read_included,
		.list_dir = d->is_dir ? list_dir : NULL,
		.file_exists = file_exists,
		.ctx = l,
	};

	l->script = topo_parse(d->script, text, len, &opt);
	if (!topo_n_errors(l->script))
		l->graph = topo_make_graph(l->script);
	free(name);
	free(base);
}

/* The directory that the file really lies in. */
static char *real_directory_of(const char *file)
{
	char real[PATH_MAX];

	if (!realpath(file, real) || !strrchr(real, '/'))
		return xstrdup(".");
	*strrchr(real, '/') = '\0';
	return xstrdup(*real ? real : "/");
}

/* What is wrong as a script may be right as a file of another tool. */
static int check_format(const char *file, const char *text, size_t len, struct err *e)
{
	const struct import_format *f = format_find(file, text, len);

	if (!f)
		return 0;
	return err_set(e, ERR_USAGE, "%s is %s, no script: vbet import %s -o DIR makes a lab of it",
		       file, f->name, file);
}

static int load_found(struct loaded *l, const struct lab_dir *d, const char *path, const char *lab,
		      struct err *e)
{
	size_t len;
	char *text = sources_read(&l->sources, d->script, &len, e);
	int rc;

	if (!text) {
		if (e->kind == ERR_ENV)
			e->kind = ERR_USAGE;
		return strcmp(path, d->script) != 0
			       ? err_wrap(e, "%s: no script in this directory", path)
			       : -1;
	}
	l->file = xstrdup(d->test ? path : d->script);
	l->dir = real_directory_of(d->script);
	make_script(l, d, text, len, lab);
	rc = topo_n_errors(l->script) ? check_format(d->script, text, len, e) : 0;
	free(text);
	return rc;
}

int load_script(struct loaded *l, const char *path, const char *lab, struct err *e)
{
	struct lab_dir d;

	memset(l, 0, sizeof(*l));
	if (check_base(e) < 0)
		return -1;
	lab_dir_find(&d, path, NULL);
	int rc = load_found(l, &d, path, lab, e);

	lab_dir_finish(&d);
	if (rc < 0)
		load_finish(l);
	return rc;
}

int load_kept(struct loaded *l, const struct sources *sources, const char *file, const char *dir,
	      const char *lab, struct err *e)
{
	struct lab_dir d;
	size_t len;

	memset(l, 0, sizeof(*l));
	sources_copy(&l->sources, sources);
	lab_dir_find(&d, file, &l->sources);
	char *text = sources_read(&l->sources, d.script, &len, e);

	if (text) {
		l->file = xstrdup(file);
		l->dir = xstrdup(dir);
		make_script(l, &d, text, len, lab);
	}
	int rc = text ? 0 : -1;

	lab_dir_finish(&d);
	free(text);
	return rc;
}

void load_finish(struct loaded *l)
{
	graph_destroy(l->graph);
	topo_destroy(l->script);
	sources_finish(&l->sources);
	free(l->file);
	free(l->dir);
	memset(l, 0, sizeof(*l));
}
