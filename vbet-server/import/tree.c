/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories of another tool that are laid over a node's root, as one file after the other: our
 * language has no other way, and a script that names each can be read and changed.
 *
 * What is deeper than MAX_DEPTH, or more than a node may have, ends with a note or with the model
 * being full; nothing is left out in silence.
 */
#include "vbet-server/import/tree.h"

#include "vbet-server/import/frr.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 16, MAX_PATH = 1000 };

struct walk {
	struct import_model *m;
	const struct import_source *src;
	const char *was;
	struct tree *out;
};

/* Without "..", so that the script shows where a file goes. */
static bool is_guest_path(const char *path)
{
	size_t len = strlen(path);

	return *path == '/' && len > 1 && len < MAX_PATH && path[len - 1] != '/' &&
	       !strstr(path, "/../") && (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static bool add_file(struct walk *w, const char *from, const char *path)
{
	struct err e = {0};
	size_t len;
	char *text = w->src->read(w->src->ctx, from, &len, &e);

	if (!text)
		return false;
	if (!is_guest_path(path) || strlen(from) > MAX_PATH) {
		model_note(w->m, w->was, "the file %s: no file can have the path %s", from, path);
	} else {
		struct import_file f = {
			.path = arena_strdup(&w->m->arena, path),
			.source = arena_strdup(&w->m->arena, from),
			.is_executable = w->src->is_executable(w->src->ctx, from),
		};

		vec_push(&w->out->files, f);
	}
	free(text);
	return true;
}

static bool add(struct walk *w, const char *from, const char *path, unsigned depth);

static void add_entry(struct walk *w, const char *from, const char *path, const char *name,
		      unsigned depth)
{
	struct arena *a = &w->m->arena;
	size_t len = strlen(name);
	bool is_directory = len && name[len - 1] == '/';
	const char *slash = *path && path[strlen(path) - 1] == '/' ? "" : "/";
	char *to = arena_printf(a, "%s%s%.*s", path, slash, (int)(len - is_directory), name);
	char *at = arena_printf(a, "%s/%.*s", from, (int)(len - is_directory), name);

	if (is_directory && depth >= MAX_DEPTH)
		model_note(w->m, w->was, "the directory %s: too deep", at);
	else if (!add(w, at, to, depth + 1))
		model_note(w->m, w->was, "the file %s: it cannot be read, or is too large", at);
}

static bool add(struct walk *w, const char *from, const char *path, unsigned depth)
{
	struct strvec names = {0};

	if (w->src->list(w->src->ctx, from, &w->m->arena, &names) < 0)
		return add_file(w, from, path);
	for (size_t i = 0; i < names.n; i++) {
		if (w->out->files.n >= IMPORT_MAX_OF_NODE)
			w->m->full = true;
		if (w->m->full)
			break;
		add_entry(w, from, path, names.at[i], depth);
	}
	vec_free(&names);
	return true;
}

bool tree_add(struct import_model *m, const struct import_source *src, const char *was,
	      const char *from, const char *path, struct tree *out)
{
	struct walk w = {m, src, was, out};

	return add(&w, from, path, 0);
}

/* Files of FRR go their own way: which of them is used depends on all of them together. */
void tree_lay(struct import_model *m, const struct import_source *src, size_t node, struct tree *t,
	      bool frr_is_started)
{
	frr_add_files(m, src, node, t->files.at, t->files.n, frr_is_started);
	for (size_t i = 0; i < t->files.n; i++)
		if (!frr_is_file(t->files.at[i].path))
			model_add_file(m, node, &t->files.at[i]);
}

void tree_finish(struct tree *t)
{
	vec_free(&t->files);
}
