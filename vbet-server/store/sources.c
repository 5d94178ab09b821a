/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that a script is made of is read through here, once, and kept: what goes into a
 * record is what was read, not what the file says by then.
 */
#include "vbet-server/store/sources.h"

#include "lib/words.h"
#include "vbet-server/store/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct source_text *find(const struct sources *s, const char *path)
{
	for (size_t i = 0; i < s->files.n; i++)
		if (!strcmp(s->files.at[i].path, path))
			return &s->files.at[i];
	return NULL;
}

bool sources_have(const struct sources *s, const char *path)
{
	return find(s, path) != NULL;
}

static void add(struct sources *s, const char *path, char *text, size_t len)
{
	vec_push(&s->files, ((struct source_text){xstrdup(path), text, len}));
}

void sources_add(struct sources *s, const char *path, const char *text)
{
	add(s, path, xstrdup(text), strlen(text));
}

static char *copy(const struct source_text *t, size_t *len)
{
	char *text = xmalloc(t->len + 1);

	memcpy(text, t->text, t->len + 1);
	*len = t->len;
	return text;
}

char *sources_read(void *ctx, const char *path, size_t *len, struct err *e)
{
	struct sources *s = ctx;
	const struct source_text *t = find(s, path);

	if (!t && s->only) {
		err_set(e, ERR_ENV, "%s: the kept run does not have it", path);
		return NULL;
	}
	if (!t) {
		char *text = paths_read_file(path, len, e);

		if (!text)
			return NULL;
		add(s, path, text, *len);
		t = &s->files.at[s->files.n - 1];
	}
	return copy(t, len);
}

static int write_file(const char *dir, size_t number, const struct source_text *t, struct err *e)
{
	char *path = xasprintf("%s/%zu", dir, number);
	FILE *f = fopen(path, "we");
	int rc = 0;

	if (!f || fwrite(t->text, 1, t->len, f) != t->len)
		rc = err_sys(e, "write %s", path);
	if (f && fclose(f) != 0 && rc == 0)
		rc = err_sys(e, "write %s", path);
	free(path);
	return rc;
}

/*
 * Files are named by numbers, for paths may be absolute or hold "..": the index says which is
 * which. A lab that runs can read more files (a statement with "include"), so what is new is
 * appended each time.
 */
int sources_write(struct sources *s, const char *dir, struct err *e)
{
	char *path = xasprintf("%s/index", dir);
	int rc = 0;

	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		rc = err_sys(e, "make %s", dir);
	FILE *index = rc == 0 ? fopen(path, s->written ? "ae" : "we") : NULL;

	if (rc == 0 && !index)
		rc = err_sys(e, "write %s", path);
	while (rc == 0 && s->written < s->files.n) {
		const struct source_text *t = &s->files.at[s->written];

		rc = write_file(dir, s->written, t, e);
		fprintf(index, "%zu ", s->written++);
		words_put(index, t->path);
		fputc('\n', index);
	}
	if (index && fclose(index) != 0 && rc == 0)
		rc = err_sys(e, "write %s", path);
	free(path);
	return rc;
}

static int load_one(struct sources *s, const char *dir, const char *line, size_t n, struct err *e)
{
	struct arena a = {0};
	struct words w;
	size_t len;
	int rc = words_split(line, n, &a, &w, e);

	if (rc == 0 && (w.n != 2 || strchr(w.at[0], '/')))
		rc = err_set(e, ERR_USAGE, "%s/index: no file: %.*s", dir, (int)n, line);
	if (rc == 0) {
		char *path = arena_printf(&a, "%s/%s", dir, w.at[0]);
		char *text = paths_read_file(path, &len, e);

		rc = text ? 0 : -1;
		if (text)
			add(s, w.at[1], text, len);
	}
	arena_finish(&a);
	return rc;
}

/*
 * From here on only what was kept is read: a file that the run did not have is an error, not
 * one of today's.
 */
int sources_load(struct sources *s, const char *dir, struct err *e)
{
	char *path = xasprintf("%s/index", dir);
	size_t len;
	char *text = paths_read_file(path, &len, e);
	int rc = text ? 0 : -1;

	for (char *p = text; rc == 0 && *p;) {
		size_t n = strcspn(p, "\n");

		rc = load_one(s, dir, p, n, e);
		p += n + (p[n] == '\n');
	}
	s->only = true;
	free(text);
	free(path);
	return rc;
}

void sources_copy(struct sources *to, const struct sources *from)
{
	for (size_t i = 0; i < from->files.n; i++) {
		size_t len;
		char *text = copy(&from->files.at[i], &len);

		add(to, from->files.at[i].path, text, len);
	}
	to->only = from->only;
}

void sources_finish(struct sources *s)
{
	for (size_t i = 0; i < s->files.n; i++) {
		free(s->files.at[i].path);
		free(s->files.at[i].text);
	}
	vec_free(&s->files);
	memset(s, 0, sizeof(*s));
}
