/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A script keeps its sources and trees and evaluates all of them anew for every graph. So a
 * statement typed at a running lab is simply one more tree: the result is the graph of a script
 * with that statement at its end, and to take it back is to evaluate without it.
 *
 * A new evaluation would also choose anew, and shift the names, addresses, places and ways of what
 * runs already. So what one evaluation chose is remembered by the numbers of things and offered to
 * the next as struct kept.
 */
#include "topo/topo.h"

#include "lib/vec.h"
#include "topo/build.h"
#include "topo/check.h"
#include "topo/eval.h"
#include "topo/parse.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FILES = 256, MAX_INCLUDES_DEEP = 16 };

struct held_source {
	struct source *source; /* owned */
};

struct unit {
	struct ast *block;
};

struct topo_script {
	struct arena arena; /* trees */
	struct diag diag;
	struct topo_options opt;
	char *lab, *default_lab; /* owned copies of what opt has, or NULL */
	struct source *main;
	VEC(struct unit) units;          /* the script, then the statements typed since */
	size_t n_base;                   /* of them: the script and its appendix */
	VEC(struct held_source) sources; /* all of them, owned */
	/* For topo_add_statement(): what the last graph called things. */
	VEC(char *) kept_names;
	VEC(struct addr) kept_addrs;
	VEC(size_t) kept_places;
	VEC(struct kept_way) kept_ways; /* their numbers are owned */
	bool is_parsed_badly;
	bool is_live; /* statements were added: a cable may wait for its second end */
};

/* ---- parsing ---- */

/* The directory part of a path, with its slash; "" if there is none. */
static char *directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? xstrndup(path, (size_t)(slash - path) + 1) : xstrdup("");
}

static struct source *add_source(struct topo_script *s, const char *name, const char *dir,
				 const char *text, size_t len)
{
	struct source *src = source_create(name, dir, text, len);

	src->order = (unsigned)s->sources.n;
	vec_push(&s->sources, (struct held_source){src});
	return src;
}

static bool is_included(const struct topo_script *s, const char *name)
{
	for (size_t i = 0; i < s->sources.n; i++)
		if (!s->sources.at[i].source->is_dropped &&
		    !strcmp(s->sources.at[i].source->name, name))
			return true;
	return false;
}

static struct ast *parse_file(struct topo_script *s, struct source *src, unsigned depth);

/* include "path": a file is taken once, however often it is named. */
static void include_file(struct topo_script *s, struct ast *t, unsigned depth)
{
	const struct source *from = t->loc.src;
	const char *path = t->value.kind == VALUE_STRING ? t->value.text : "";
	struct err e = {0};
	size_t len = 0;
	char *from_dir = *path == '/' ? xstrdup("") : directory_of(from->name);
	char *path_dir = directory_of(path);
	char *name = xasprintf("%s%s", from_dir, path);
	char *dir = xasprintf("%s%s", *path == '/' ? "" : from->dir, path_dir);
	char *text = NULL;

	if (!*path)
		diag_add(&s->diag, t->name_loc, "the path is empty");
	else if (strlen(name) >= PATH_MAX)
		diag_add(&s->diag, t->name_loc, "the path is too long");
	else if (is_included(s, name))
		;
	else if (depth >= MAX_INCLUDES_DEEP || s->sources.n >= MAX_FILES)
		diag_add(&s->diag, t->name_loc, "too many files include each other");
	else if (!s->opt.read_file)
		diag_add(&s->diag, t->name_loc, "no files can be included here");
	else if (!(text = s->opt.read_file(s->opt.ctx, from->name, path, &len, &e)))
		diag_add(&s->diag, t->name_loc, "cannot include '%.200s': %s", path,
			 e.text[0] ? e.text : "it cannot be read");
	else
		ast_add(t, parse_file(s, add_source(s, name, dir, text, len), depth + 1));
	free(text);
	free(from_dir);
	free(path_dir);
	free(name);
	free(dir);
}

/* Parses a source, and what it includes: that becomes a child of the include statement. */
static struct ast *parse_file(struct topo_script *s, struct source *src, unsigned depth)
{
	struct ast *block = parse_source(&s->arena, &s->diag, src);

	for (struct ast *t = block->first; t && !s->diag.items.n; t = t->next)
		if (t->kind == AST_INCLUDE)
			include_file(s, t, depth);
	return block;
}

/* What is read behind the script is a part of it, but a source of its own. */
static void parse_appendix(struct topo_script *s)
{
	const char *path = s->opt.appendix;
	char *from_dir = directory_of(s->main->name);
	char *name = xasprintf("%s%s", from_dir, path);
	char *dir = directory_of(path);
	struct err e = {0};
	size_t len = 0;
	char *text = s->opt.read_file(s->opt.ctx, s->main->name, path, &len, &e);

	if (text)
		vec_push(&s->units,
			 (struct unit){parse_file(s, add_source(s, name, dir, text, len), 0)});
	else
		diag_add(&s->diag, (struct loc){s->main, 0, 0}, "%s", e.text);
	free(text);
	free(dir);
	free(name);
	free(from_dir);
}

struct topo_script *topo_parse(const char *file, const char *text, size_t len,
			       const struct topo_options *opt)
{
	struct topo_script *s = xcalloc(1, sizeof(*s));

	if (opt)
		s->opt = *opt;
	s->lab = s->opt.lab ? xstrdup(s->opt.lab) : NULL;
	s->default_lab = s->opt.default_lab ? xstrdup(s->opt.default_lab) : NULL;
	s->main = add_source(s, file, "", text, len);
	vec_push(&s->units, (struct unit){parse_file(s, s->main, 0)});
	if (s->opt.appendix && !s->diag.items.n)
		parse_appendix(s);
	s->n_base = s->units.n;
	s->opt.appendix = NULL;
	s->is_parsed_badly = s->diag.items.n > 0;
	diag_sort(&s->diag);
	return s;
}

void topo_set_lab(struct topo_script *s, const char *lab)
{
	free(s->lab);
	s->lab = xstrdup(lab);
}

/* ---- the graph ---- */

bool topo_is_lab_name(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
	size_t len = strlen(text);

	return len >= 1 && len <= TOPO_MAX_LAB && text[0] != '-' && strspn(text, letters) == len;
}

/* "examples/My Lab.vbet" -> "my-lab". */
static const char *lab_from_file(struct arena *a, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *base = slash ? slash + 1 : file;
	const char *dot = strrchr(base, '.');
	size_t len = dot && dot > base ? (size_t)(dot - base) : strlen(base);
	char *name = arena_alloc(a, TOPO_MAX_LAB + 1);
	size_t n = 0;

	for (size_t i = 0; i < len && n < TOPO_MAX_LAB; i++) {
		char c = (char)tolower((unsigned char)base[i]);
		bool ok = islower((unsigned char)c) || isdigit((unsigned char)c);

		if (ok || (n && name[n - 1] != '-'))
			name[n++] = ok ? c : '-';
	}
	while (n && name[n - 1] == '-')
		name[--n] = '\0';
	return n ? name : "lab";
}

static void forget_kept(struct topo_script *s)
{
	char **name;
	struct kept_way *way;

	VEC_FOREACH (name, &s->kept_names)
		free(*name);
	VEC_FOREACH (way, &s->kept_ways)
		free((void *)way->slinks);
	s->kept_names.n = 0;
	s->kept_addrs.n = 0;
	s->kept_places.n = 0;
	s->kept_ways.n = 0;
}

static void keep_way(struct topo_script *s, const struct world_vlink *v)
{
	struct kept_way *way = vec_add(&s->kept_ways);
	size_t *slinks;

	way->is_set = !v->is_removed && !v->lan;
	way->n = way->is_set ? v->n_path : 0;
	slinks = xcalloc(way->n + 1, sizeof(*slinks));
	for (size_t i = 0; i < way->n; i++)
		slinks[i] = v->path[i]->number;
	way->slinks = slinks;
}

/*
 * By the numbers of things, in the order in which they were made: a script that grows only at its
 * end gives the same numbers to what was there before.
 */
static void keep_choices(struct topo_script *s, const struct world *w)
{
	forget_kept(s);
	for (const struct world_node *n = w->nodes; n; n = n->next) {
		vec_push(&s->kept_names, n->is_removed ? NULL : xstrdup(n->name));
		vec_push(&s->kept_places, n->is_removed || !n->place ? SIZE_MAX : n->place->number);
	}
	for (const struct world_vlink *v = w->vlinks; v; v = v->next)
		keep_way(s, v);
	for (const struct world_nic *nic = w->nics; nic; nic = nic->next) {
		struct addr *a = vec_add(&s->kept_addrs);

		if (nic->addrs && nic->addrs->is_auto)
			*a = nic->addrs->addr;
	}
}

/* Everything of one evaluation lives in its own arena, and dies with it; the graph is a copy. */
static struct graph *make_graph(struct topo_script *s)
{
	struct arena arena = {0};
	struct world world;
	struct eval ev = {.arena = &arena, .diag = &s->diag, .opt = &s->opt, .world = &world};
	struct kept kept = {s->kept_addrs.at, s->kept_addrs.n, s->kept_places.at,
			    s->kept_places.n, s->kept_ways.at, s->kept_ways.n};
	struct graph *g = NULL;

	world_init(&world, &arena);
	world.lab = lab_from_file(&arena, s->default_lab ? s->default_lab : s->main->name);
	ev.kept_names = (const char *const *)s->kept_names.at;
	ev.n_kept_names = s->kept_names.n;
	for (size_t i = 0; i < s->units.n && !ev.is_stopped; i++)
		eval_run(&ev, s->units.at[i].block);
	if (s->lab)
		world.lab = s->lab;
	if (!s->diag.items.n)
		check_world(&ev, &kept, s->is_live);
	if (!s->diag.items.n) {
		g = build_graph(&world);
		keep_choices(s, &world);
	}
	diag_sort(&s->diag);
	arena_finish(&arena);
	return g;
}

struct graph *topo_make_graph(struct topo_script *s)
{
	if (s->is_parsed_badly)
		return NULL;
	diag_clear(&s->diag);
	return make_graph(s);
}

static struct source *add_typed(struct topo_script *s, const struct topo_place *place,
				const char *text, size_t len)
{
	const char *before = place && place->before ? place->before : "";
	size_t hidden = strlen(before);
	char *whole = xmalloc(hidden + len + 1);

	memcpy(whole, before, hidden + 1);
	if (len)
		memcpy(whole + hidden, text, len);
	struct source *src = add_source(s, "console", "", whole, hidden + len);

	free(whole);
	src->hidden = (uint32_t)hidden;
	src->shown = place && place->name ? xstrdup(place->name) : NULL;
	src->lines_before = place && place->line ? place->line - 1 : 0;
	return src;
}

/* A statement that makes no graph is as if it had never been typed, but for its messages. */
struct graph *topo_add_statement(struct topo_script *s, const struct topo_place *place,
				 const char *text, size_t len)
{
	size_t n_units = s->units.n;
	size_t n_sources = s->sources.n;
	bool was_live = s->is_live;
	struct graph *g = NULL;

	if (s->is_parsed_badly)
		return NULL;
	diag_clear(&s->diag);
	vec_push(&s->units, (struct unit){parse_file(s, add_typed(s, place, text, len), 0)});
	s->is_live = true;
	if (!s->diag.items.n)
		g = make_graph(s);
	if (g)
		return g;
	s->is_live = was_live;
	diag_sort(&s->diag);
	/* The sources stay: the messages point into them. */
	s->units.n = n_units;
	for (size_t i = n_sources; i < s->sources.n; i++)
		s->sources.at[i].source->is_dropped = true;
	return NULL;
}

/*
 * The statement's tree goes; its source stays, as messages and places of the graph may point into
 * it.
 */
struct graph *topo_drop_statement(struct topo_script *s)
{
	if (s->units.n <= s->n_base)
		return NULL;
	s->units.n--;
	return make_graph(s);
}

size_t topo_n_errors(const struct topo_script *s)
{
	return s->diag.items.n;
}

void topo_print_errors(FILE *out, const struct topo_script *s)
{
	diag_print(out, &s->diag);
}

const struct source *topo_find_source(const struct topo_script *s, const char *name)
{
	for (size_t i = 0; i < s->sources.n; i++)
		if (!strcmp(s->sources.at[i].source->name, name))
			return s->sources.at[i].source;
	return NULL;
}

void topo_print_tree(FILE *out, const struct topo_script *s)
{
	for (size_t i = 0; i < s->units.n && !s->is_parsed_badly; i++)
		ast_print(out, s->units.at[i].block, 0);
}

void topo_destroy(struct topo_script *s)
{
	struct held_source *held;

	if (!s)
		return;
	forget_kept(s);
	vec_free(&s->kept_names);
	vec_free(&s->kept_places);
	vec_free(&s->kept_ways);
	vec_free(&s->kept_addrs);
	VEC_FOREACH (held, &s->sources)
		source_destroy(held->source);
	vec_free(&s->sources);
	vec_free(&s->units);
	diag_clear(&s->diag);
	arena_finish(&s->arena);
	free(s->lab);
	free(s->default_lab);
	free(s);
}
