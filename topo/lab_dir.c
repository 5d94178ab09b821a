/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files become what the script could have said of them: write() for most of them, config() for
 * those that a daemon reads, exec() for .startup. So nothing behind the language has to know that
 * there is such a thing as a directory of a lab.
 *
 * A file's place is said by its name alone. Hence a file that is one letter off its daemon's name
 * is refused: it would lie in the guest's root, and nobody would read it.
 */
#include "topo/lab_dir.h"

#include "lib/nearest.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "topo/service.h"

#include <stdlib.h>
#include <string.h>

enum { DEEPEST = 32, FILE_MODE = 0644, PROGRAM_MODE = 0755 };

#define SHARED  "shared"
#define STARTUP ".startup"

struct entry {
	const char *kind, *name;
};

struct listing {
	VEC(struct entry) entries;
};

/* A tree that is being laid into a node. */
struct laying {
	struct eval *ev;
	struct world_node *node;
	const char *top;   /* the directory of the lab: "r1" */
	const char *under; /* where its files go: "" or "/shared" */
};

static void read_listing(struct arena *a, const char *text, struct listing *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		struct words w;
		struct err e;

		if (words_split(text, len, a, &w, &e) == 0 && w.n == 2)
			vec_push(&out->entries, ((struct entry){w.at[0], w.at[1]}));
		text += len + (text[len] == '\n');
	}
}

/* False: there is no such directory. */
static bool list(struct eval *ev, const char *path, struct listing *out)
{
	char *text = ev->opt->list_dir(ev->opt->ctx, path);

	*out = (struct listing){0};
	if (text)
		read_listing(ev->arena, text, out);
	free(text);
	return text != NULL;
}

static const struct entry *find(const struct listing *l, const char *name)
{
	const struct entry *e;

	VEC_FOREACH (e, &l->entries)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}

static bool is_kind(const struct entry *e, const char *kind)
{
	return e && !strcmp(e->kind, kind);
}

static bool is_file(const struct entry *e)
{
	return is_kind(e, "file") || is_kind(e, "program");
}

static const struct world_text *find_text(const struct world_text *list, const char *key)
{
	while (list && strcmp(list->key, key) != 0)
		list = list->next;
	return list;
}

static bool names_source(const struct world_text *list, const char *source)
{
	for (; list; list = list->next)
		if (list->source && !strcmp(list->source, source))
			return true;
	return false;
}

/* ---- which daemon reads a file ---- */

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_conf(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot && dot > name && !strcmp(dot, ".conf");
}

/* "ospfd.conf", "nftables.conf", directly in the node's directory. */
static const struct service *service_of_name(const char *name)
{
	const struct service *s;

	for (size_t i = 0; (s = service_at(i)); i++) {
		size_t len = strlen(s->name);

		if (!s->path || s->is_implied)
			continue;
		if (!strcmp(base_of(s->path), name) ||
		    (!strncmp(s->name, name, len) && !strcmp(name + len, ".conf")))
			return s;
	}
	return NULL;
}

static const struct service *service_of_path(const char *path)
{
	const struct service *s;

	for (size_t i = 0; (s = service_at(i)); i++)
		if (s->path && !strcmp(s->path, path))
			return s;
	return NULL;
}

static void refuse_conf(struct laying *l, const char *source)
{
	const char *name = base_of(source);
	const char *stem = arena_strndup(l->ev->arena, name, strlen(name) - strlen(".conf"));
	struct nearest near;
	const char *word;

	nearest_init(&near, stem);
	for (size_t i = 0; (word = service_word(i)); i++)
		nearest_offer(&near, word);
	eval_wrong(l->ev, l->node->loc,
		   "%s: a *.conf directly in %s is for a daemon (others go into %s/etc and so "
		   "on), and there is no daemon '%s'%s",
		   source, l->top, l->top, stem, nearest_hint(&near));
}

/* ---- one file ---- */

static struct world_text *make_text(struct laying *l, const char *key, const char *source)
{
	struct world_text *t = arena_alloc(l->ev->arena, sizeof(*t));

	t->key = key;
	t->source = source;
	t->mode = FILE_MODE;
	t->loc = l->node->loc;
	return t;
}

static void add_config(struct laying *l, const struct service *s, const char *source)
{
	struct world_text *c = (struct world_text *)find_text(l->node->configs, s->name);

	if (c && !c->text && !c->source) {
		c->source = source; /* service(r1, ospfd): with this configuration, then */
		return;
	}
	if (!c) {
		world_append(&l->node->configs_end, make_text(l, s->name, source));
		return;
	}
	eval_wrong(l->ev, c->loc, "%s has a configuration of %s already: %s", l->node->name,
		   s->name, source);
}

static void add_file(struct laying *l, const char *path, const char *source, unsigned mode)
{
	const struct world_text *f = find_text(l->node->files, path);
	struct world_text *t;

	if (f) {
		eval_wrong(l->ev, f->loc, "%s has the file %s already: %s", l->node->name, path,
			   source);
		return;
	}
	t = make_text(l, path, source);
	t->mode = mode;
	world_append(&l->node->files_end, t);
}

/* rest: the path below the top, "etc/frr/frr.conf". */
static void lay_file(struct laying *l, const struct entry *e, const char *source, const char *rest)
{
	const char *path = arena_printf(l->ev->arena, "%s/%s", l->under, rest);
	bool is_top = !strchr(rest, '/') && !*l->under;
	const struct service *s = is_top ? service_of_name(rest) : service_of_path(path);

	/* The script uses the file itself. */
	if (names_source(l->node->configs, source) || names_source(l->node->files, source))
		return;
	if (!is_file(e))
		eval_wrong(l->ev, l->node->loc,
			   "%s is neither a file nor a directory, nor a link to a file", source);
	else if (s)
		add_config(l, s, source);
	else if (is_top && is_conf(rest))
		refuse_conf(l, source);
	else
		add_file(l, path, source, is_kind(e, "program") ? PROGRAM_MODE : FILE_MODE);
}

static void lay_directory(struct laying *l, const char *dir, const char *rest, unsigned depth)
{
	struct listing names;
	const struct entry *e;

	if (depth > DEEPEST) {
		eval_wrong(l->ev, l->node->loc, "%s: too many directories in each other", dir);
		return;
	}
	if (!list(l->ev, dir, &names))
		return;
	VEC_FOREACH (e, &names.entries) {
		const char *source = arena_printf(l->ev->arena, "%s/%s", dir, e->name);
		const char *below =
			*rest ? arena_printf(l->ev->arena, "%s/%s", rest, e->name) : e->name;

		if (!eval_spend(l->ev, l->node->loc, 1, 256))
			break;
		if (is_kind(e, "dir"))
			lay_directory(l, source, below, depth + 1);
		else
			lay_file(l, e, source, below);
	}
	vec_free(&names.entries);
}

/* ---- commands ---- */

/* Before what the script says itself: "shared" goes to the front last. */
static void add_startup(struct laying *l, const struct listing *top, const char *stem)
{
	const char *name = arena_printf(l->ev->arena, "%s" STARTUP, stem);
	const char *path = arena_printf(l->ev->arena, "/root/%s", name);
	struct world_node *n = l->node;
	struct world_command *p;

	if (!is_file(find(top, name)) || names_source(n->files, name))
		return;
	add_file(l, path, name, PROGRAM_MODE);
	p = arena_alloc(l->ev->arena, sizeof(*p));
	p->text = arena_printf(l->ev->arena, "cd / && bash -e %s", path);
	p->next = n->commands;
	if (!n->commands)
		n->commands_end = &p->next;
	n->commands = p;
}

/* "r2.startup" without a node r2: a name that was misspelt, or a node that is gone. */
static void check_startups(struct eval *ev, const struct listing *top)
{
	const struct entry *e;

	VEC_FOREACH (e, &top->entries) {
		const char *dot = strrchr(e->name, '.');
		bool is_known = !dot || strcmp(dot, STARTUP) != 0;
		size_t len = dot ? (size_t)(dot - e->name) : 0;
		const char *stem = arena_strndup(ev->arena, e->name, len);
		struct nearest near;

		nearest_init(&near, stem);
		is_known |= !strcmp(stem, SHARED);
		for (struct world_node *n = ev->world->nodes; n; n = n->next) {
			is_known |= node_kind_is_guest(n->kind) && !strcmp(n->name, stem);
			if (!n->is_removed && node_kind_is_guest(n->kind))
				nearest_offer(&near, n->name);
		}
		if (!is_known)
			eval_wrong(ev,
				   (struct loc){ev->world->nodes ? ev->world->nodes->loc.src : NULL,
						0, 0},
				   "%s: there is no guest of that name%s", e->name,
				   nearest_hint(&near));
	}
}

static void lay_node(struct eval *ev, const struct listing *top, struct world_node *n)
{
	struct laying own = {ev, n, n->name, ""};
	struct laying shared = {ev, n, SHARED, "/" SHARED};

	if (is_kind(find(top, n->name), "dir"))
		lay_directory(&own, n->name, "", 0);
	if (is_kind(find(top, SHARED), "dir") && strcmp(n->name, SHARED) != 0)
		lay_directory(&shared, SHARED, "", 0);
	add_startup(&own, top, n->name);
	if (strcmp(n->name, SHARED) != 0)
		add_startup(&shared, top, SHARED);
}

void lab_dir_lay(struct eval *ev)
{
	struct listing top;

	if (!ev->opt->list_dir || ev->diag->items.n || !list(ev, "", &top))
		return;
	for (struct world_node *n = ev->world->nodes; n; n = n->next)
		if (!n->is_removed && node_kind_is_guest(n->kind))
			lay_node(ev, &top, n);
	if (ev->world->nodes)
		check_startups(ev, &top);
	vec_free(&top.entries);
}
