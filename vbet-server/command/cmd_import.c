/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * vbet import: the one place that reads the files of other tools, and writes the lab that is made
 * of them. All in between is pure (import/README.md).
 *
 * Nothing of what is read is trusted: files have limits, only regular ones are read, and links are
 * followed to files but not to directories, which could lead in a circle. Nothing that is there is
 * overwritten: -o wants a new or empty directory, and files are made with "x" (O_EXCL).
 */
#include "lib/xalloc.h"
#include "vbet-server/command/cmd.h"
#include "vbet-server/import/format.h"
#include "vbet-server/import/script.h"
#include "vbet-server/store/paths.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_TEXT = 16 << 20 };

struct import {
	char *file;     /* what is read first */
	char *dir;      /* its directory */
	const char *to; /* -o, or NULL */
	struct import_model m;
	struct script_copies copies;
};

/* ---- the files of the lab ---- */

static char *path_in(const char *dir, const char *path)
{
	return path[0] == '/' ? xstrdup(path) : xasprintf("%s/%s", dir, path);
}

static char *read_regular(const char *path, off_t limit, size_t *len, struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		err_sys(e, "read %s", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > limit) {
		err_set(e, ERR_ENV, "%s: %s", path,
			S_ISREG(st.st_mode) ? "too large" : "no regular file");
		return NULL;
	}
	return paths_read_file(path, len, e);
}

static char *read_source(void *ctx, const char *path, size_t *len, struct err *e)
{
	const struct import *im = ctx;
	char *full = path_in(im->dir, path);
	char *text = read_regular(full, IMPORT_MAX_FILE, len, e);

	free(full);
	return text;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int list_source(void *ctx, const char *path, struct arena *a, struct strvec *names)
{
	const struct import *im = ctx;
	char *full = path_in(im->dir, path);
	int fd = open(full, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	struct stat st;

	free(full);
	if (!d)
		return -1;
	while ((entry = readdir(d))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		if (fstatat(dirfd(d), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		vec_push(names,
			 arena_printf(a, "%s%s", entry->d_name, S_ISDIR(st.st_mode) ? "/" : ""));
	}
	closedir(d);
	if (names->n)
		qsort(names->at, names->n, sizeof(*names->at), compare_names);
	return 0;
}

static bool is_executable_source(void *ctx, const char *path)
{
	const struct import *im = ctx;
	char *full = path_in(im->dir, path);
	struct stat st;
	bool is = stat(full, &st) == 0 && (st.st_mode & 0111);

	free(full);
	return is;
}

/* ---- which file is meant ---- */

static bool is_topology(const char *name)
{
	static const char *const ends[] = {".clab.yml", ".clab.yaml"};
	size_t n = strlen(name);

	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (n > strlen(ends[i]) && !strcmp(name + n - strlen(ends[i]), ends[i]))
			return true;
	return !strcmp(name, "lab.conf") || !strcmp(name, "topology.yml");
}

static int find_in_directory(struct import *im, struct err *e)
{
	struct arena a = {0};
	struct strvec names = {0};
	const char *found = NULL;
	size_t n = 0;

	im->file = NULL;
	list_source(im, ".", &a, &names);
	for (size_t i = 0; i < names.n; i++) {
		if (!is_topology(names.at[i]))
			continue;
		found = names.at[i];
		n++;
	}
	if (n == 1)
		im->file = xasprintf("%s/%s", im->dir, found);
	vec_free(&names);
	arena_finish(&a);
	if (n == 1)
		return 0;
	err_set(e, ERR_USAGE,
		n ? "%s: there is more than one topology in it: name the file"
		  : "%s: there is no topology in it (*.clab.yml, lab.conf, topology.yml)",
		im->dir);
	return -1;
}

/* A directory is as good as the file in it, if there is only one that can be meant. */
static int find_file(struct import *im, const char *arg, struct err *e)
{
	struct stat st;
	const char *slash = strrchr(arg, '/');

	if (stat(arg, &st) < 0) {
		err_sys(e, "read %s", arg);
		e->kind = ERR_USAGE;
		return -1;
	}
	if (S_ISDIR(st.st_mode)) {
		im->dir = xstrdup(arg);
		return find_in_directory(im, e);
	}
	im->file = xstrdup(arg);
	im->dir = slash ? xstrndup(arg, slash == arg ? 1 : (size_t)(slash - arg)) : xstrdup(".");
	return 0;
}

static int read_lab(struct import *im, struct err *e)
{
	struct import_source src = {read_source, list_source, is_executable_source, im};
	size_t len;
	char *text = read_regular(im->file, MAX_TEXT, &len, e);
	int rc;

	if (!text)
		return -1;
	const struct import_format *f = format_find(im->file, text, len);

	rc = f ? format_read(f, &im->m, im->file, &src, text, len, e)
	       : err_set(e, ERR_USAGE, "%s: this is no format that can be imported: %s", im->file,
			 format_list());
	free(text);
	return rc;
}

static int read_name(struct import *im, const char *name, struct err *e)
{
	struct import_source none = {read_source, list_source, is_executable_source, im};

	im->dir = xstrdup(".");
	return format_read(format_find_name(name), &im->m, name, &none, name, strlen(name), e);
}

/* ---- the lab that is written ---- */

static int make_parents(const char *path, struct err *e)
{
	char *copy = xstrdup(path);
	int rc = 0;

	for (char *p = strchr(copy + 1, '/'); p && rc == 0; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0777) < 0 && errno != EEXIST)
			rc = err_sys(e, "make %s", copy);
		*p = '/';
	}
	free(copy);
	return rc;
}

static int write_file(const char *path, const char *text, size_t len, bool is_executable,
		      struct err *e)
{
	if (make_parents(path, e) < 0)
		return -1;
	FILE *f = fopen(path, "wxe");

	if (!f)
		return err_sys(e, "write %s", path);
	bool ok = fwrite(text, 1, len, f) == len;

	if (is_executable)
		ok = fchmod(fileno(f), 0755) == 0 && ok;
	ok = fclose(f) == 0 && ok;
	return ok ? 0 : err_sys(e, "write %s", path);
}

static int copy_files(struct import *im, struct err *e)
{
	for (size_t i = 0; i < im->copies.n; i++) {
		const struct script_copy *c = &im->copies.at[i];
		size_t len;
		char *text = c->text ? xstrdup(c->text) : read_source(im, c->from, &len, e);

		if (!text)
			return -1;
		if (c->text)
			len = strlen(text);
		char *path = xasprintf("%s/%s", im->to, c->to);
		int rc = write_file(path, text, len, c->is_executable, e);

		free(path);
		free(text);
		if (rc < 0)
			return -1;
	}
	return 0;
}

static int make_new_directory(const char *dir, struct err *e)
{
	if (make_parents(dir, e) < 0)
		return -1;
	if (mkdir(dir, 0777) == 0)
		return 0;
	if (errno != EEXIST)
		return err_sys(e, "make %s", dir);
	/* One that is there must be empty: nothing of the user's is overwritten. */
	DIR *d = opendir(dir);
	size_t n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n == 2 ? 0
		      : err_set(e, ERR_USAGE, "%s exists: -o takes a new or an empty directory",
				dir);
}

static char *make_script(struct import *im, size_t *len)
{
	char *text = NULL;
	FILE *out = xmemstream(&text, len);

	script_write(out, &im->m, im->to != NULL, &im->copies);
	fclose(out);
	return text;
}

static int write_lab(struct import *im, struct err *e)
{
	size_t len;
	char *text = make_script(im, &len);
	int rc = 0;

	if (!im->to) {
		fwrite(text, 1, len, stdout);
	} else {
		char *path = xasprintf("%s/lab.vbet", im->to);

		rc = make_new_directory(im->to, e);
		if (rc == 0)
			rc = write_file(path, text, len, false, e);
		if (rc == 0)
			rc = copy_files(im, e);
		free(path);
	}
	free(text);
	return rc;
}

/*
 * What was not carried over is told at once and stands in the script as well: nobody should look
 * for it in a lab that seems whole. Without -o the script is on standard output, so this goes to
 * standard error.
 */
static void tell(const struct import *im)
{
	FILE *out = im->to ? stdout : stderr;

	if (im->to)
		fprintf(out, "%s/lab.vbet: lab %s, %zu nodes, %zu cables, %zu files\n", im->to,
			im->m.lab, im->m.nodes.n, im->m.links.n, im->copies.n);
	if (im->m.notes.n)
		fprintf(out, "not carried over:\n");
	script_write_notes(out, &im->m, "  ");
}

int cmd_import(const struct cmd_options *o, int argc, char **argv, struct err *e)
{
	struct import im = {.to = o->output};
	int rc;

	if (access(argv[0], F_OK) < 0 && format_find_name(argv[0]))
		rc = read_name(&im, argv[0], e);
	else
		rc = find_file(&im, argv[0], e) < 0 ? -1 : read_lab(&im, e);
	if (rc == 0)
		rc = write_lab(&im, e);
	if (rc == 0)
		tell(&im);
	model_finish(&im.m);
	free(im.file);
	free(im.dir);
	return rc;
}
