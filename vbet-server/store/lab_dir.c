/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A listing is kept as a text like any other, so a run that is repeated elsewhere lays the same
 * files, whatever lies there by then.
 */
#include "vbet-server/store/lab_dir.h"

#include "lib/words.h"
#include "lib/xalloc.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static char *without_slashes(const char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		len--;
	return xstrndup(path, len);
}

static bool is_there(const char *path, const struct sources *kept)
{
	return kept ? sources_have(kept, path) : access(path, R_OK) == 0;
}

/* Somebody is in "tests", and names what is there; of a kept run it is known what was read. */
static bool is_in_tests(const char *name, const struct sources *kept)
{
	if (kept) {
		char *test = xasprintf("../tests/%s", name);
		bool has = sources_have(kept, test);

		free(test);
		return has;
	}
	char *dir = getcwd(NULL, 0);
	bool is = dir && !strcmp(base_of(dir), "tests");

	free(dir);
	return is;
}

/* ".../tests/x.vbet" beside ".../lab.vbet": the lab's script, or NULL. */
static char *script_beside(const char *path, const struct sources *kept)
{
	const char *base = base_of(path);
	size_t len = (size_t)(base - path);
	size_t last = strlen("tests/");
	char *script = NULL;

	if (!len && is_in_tests(base, kept))
		script = xstrdup("../" LAB_DIR_SCRIPT);
	else if (len >= last && !strncmp(base - last, "tests/", last) &&
		 (len == last || path[len - last - 1] == '/'))
		script = xasprintf("%.*s" LAB_DIR_SCRIPT, (int)(len - last), path);
	if (script && is_there(script, kept))
		return script;
	free(script);
	return NULL;
}

void lab_dir_find(struct lab_dir *d, const char *path, const struct sources *kept)
{
	struct stat st;
	char *script = script_beside(path, kept);

	*d = (struct lab_dir){0};
	if (script) {
		d->script = script;
		d->test = xasprintf("tests/%s", base_of(path));
	} else if (!kept && stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		char *dir = without_slashes(path);

		d->script = xasprintf("%s/" LAB_DIR_SCRIPT, strcmp(dir, "/") ? dir : "");
		free(dir);
	} else {
		d->script = xstrdup(path);
	}
	d->is_dir = !strcmp(base_of(d->script), LAB_DIR_SCRIPT);
}

void lab_dir_finish(struct lab_dir *d)
{
	free(d->script);
	free(d->test);
	*d = (struct lab_dir){0};
}

/* ---- what is in a directory ---- */

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* What only git needs is no part of a tree. */
static bool is_meant(const char *name)
{
	static const char *const others[] = {".", "..", ".git", ".gitkeep", ".gitignore"};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (!strcmp(others[i], name))
			return false;
	return true;
}

/* Links are followed to files: a link to a directory could lead in a circle. */
static const char *kind_of(int dir, const char *name)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
		return "dir";
	if (fstatat(dir, name, &st, 0) < 0 || !S_ISREG(st.st_mode))
		return "other";
	return st.st_mode & 0111 ? "program" : "file";
}

static char *read_names(const char *full)
{
	DIR *d = opendir(full);
	struct strvec names = {0};
	char *text = NULL;
	size_t len;
	FILE *out;

	if (!d)
		return NULL;
	for (struct dirent *entry; (entry = readdir(d));)
		if (is_meant(entry->d_name))
			vec_push(&names, xstrdup(entry->d_name));
	if (names.n)
		qsort(names.at, names.n, sizeof(*names.at), compare_names);
	out = xmemstream(&text, &len);
	for (size_t i = 0; i < names.n; i++) {
		fprintf(out, "%s ", kind_of(dirfd(d), names.at[i]));
		words_put(out, names.at[i]);
		fputc('\n', out);
		free((char *)names.at[i]);
	}
	fclose(out);
	vec_free(&names);
	closedir(d);
	return text;
}

char *lab_dir_list(struct sources *s, const char *dir, const char *path)
{
	char *full = xasprintf("%s/%s%s", dir, path, *path ? "/" : "");
	char *text = NULL;
	size_t len;

	if (sources_have(s, full)) {
		text = sources_read(s, full, &len, NULL);
	} else if (!s->only) {
		text = read_names(full);
		if (text)
			sources_add(s, full, text);
	}
	free(full);
	return text;
}
