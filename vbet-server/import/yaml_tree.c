/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * libyaml's events made into a tree. The library has no limits of its own, and YAML has two ways to
 * make a small text large: aliases of aliases, and merges ("<<"). An alias here is a pointer to the
 * node that is there already. A merge copies pointers, and all that is copied, and all that is
 * compared for it, is counted against one limit (spend()), so the time for a text is bounded by its
 * length, whatever is in it.
 *
 * An anchor is known only when its value is complete: so no alias can lead back into itself.
 *
 * Errors have line and column; the first one ends it all. Nothing is freed on the way, since all
 * but the vectors is in the arena.
 */
#include "vbet-server/import/yaml_tree.h"

#include "lib/vec.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <yaml.h>

struct anchor {
	const char *name;
	struct yaml_value *value;
};

struct loader {
	yaml_parser_t parser;
	struct arena *arena;
	const char *file;
	struct err *e;
	VEC(struct anchor) anchors;
	size_t n_nodes;
	unsigned depth;
};

static struct yaml_value *load_value(struct loader *l, const yaml_event_t *event);

static struct yaml_value *wrong_at(struct loader *l, yaml_mark_t mark, const char *what)
{
	err_set(l->e, ERR_USAGE, "%s:%zu:%zu: %s", l->file, mark.line + 1, mark.column + 1, what);
	return NULL;
}

static int next(struct loader *l, yaml_event_t *event)
{
	if (yaml_parser_parse(&l->parser, event))
		return 0;
	wrong_at(l, l->parser.problem_mark,
		 l->parser.problem ? l->parser.problem : "this is no YAML");
	return -1;
}

static bool spend(struct loader *l, yaml_mark_t mark, size_t n)
{
	l->n_nodes += n;
	if (l->n_nodes <= IMPORT_YAML_NODES)
		return true;
	wrong_at(l, mark, "too much: the file has more than 200000 values");
	return false;
}

static struct yaml_value *new_value(struct loader *l, const yaml_event_t *event,
				    enum yaml_kind kind)
{
	struct yaml_value *v;

	if (!spend(l, event->start_mark, 1))
		return NULL;
	v = arena_alloc(l->arena, sizeof(*v));
	v->kind = kind;
	v->line = (unsigned)event->start_mark.line + 1;
	v->column = (unsigned)event->start_mark.column + 1;
	return v;
}

static void add_anchor(struct loader *l, const yaml_char_t *name, struct yaml_value *v)
{
	struct anchor a = {.value = v};

	if (!name || !v)
		return;
	a.name = arena_strdup(l->arena, (const char *)name);
	vec_push(&l->anchors, a);
}

static struct yaml_value *find_anchor(struct loader *l, const yaml_event_t *event)
{
	/* The last one of that name counts. Looking for it is work, too. */
	if (!spend(l, event->start_mark, 1 + l->anchors.n / 64))
		return NULL;
	for (size_t i = l->anchors.n; i--;)
		if (!strcmp(l->anchors.at[i].name, (const char *)event->data.alias.anchor))
			return l->anchors.at[i].value;
	return wrong_at(l, event->start_mark, "this alias names nothing that is complete here");
}

static bool is_null(const char *text)
{
	return !*text || !strcmp(text, "~") || !strcmp(text, "null") || !strcmp(text, "Null") ||
	       !strcmp(text, "NULL");
}

/*
 * Numbers and truth values stay text, so that "no" can be a name and 010 is not 8; only a plain
 * null is told from a quoted one.
 */
static struct yaml_value *load_scalar(struct loader *l, const yaml_event_t *event)
{
	const char *text = (const char *)event->data.scalar.value;
	size_t len = event->data.scalar.length;
	bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;

	if (memchr(text, '\0', len))
		return wrong_at(l, event->start_mark, "a text has a NUL byte");
	struct yaml_value *v =
		new_value(l, event, is_plain && is_null(text) ? YAML_NULL : YAML_TEXT);

	if (!v)
		return NULL;
	v->text = arena_strndup(l->arena, text, len);
	v->is_quoted = !is_plain;
	return v;
}

/* Items of a list or map that is being read. */
struct items {
	struct yaml_item *at;
	size_t n, cap;
};

static bool has_key(const struct yaml_item *items, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(items[i].key, key))
			return true;
	return false;
}

/* "<<": what is in that map, or in those maps, unless the map has it itself. */
static bool merge(struct loader *l, yaml_mark_t mark, struct items *items,
		  const struct yaml_value *from)
{
	if (from->kind == YAML_LIST) {
		for (size_t i = 0; i < from->n; i++)
			if (from->items[i].value->kind == YAML_MAP &&
			    !merge(l, mark, items, from->items[i].value))
				return false;
		return true;
	}
	if (from->kind != YAML_MAP)
		return true;
	/* What is compared counts, too. */
	if (!spend(l, mark, from->n * (items->n / 16 + 1)))
		return false;
	for (size_t i = 0; i < from->n; i++)
		if (!has_key(items->at, items->n, from->items[i].key))
			vec_push(items, from->items[i]);
	return true;
}

/* The next value of a list or map; *end: there is none. */
static struct yaml_value *load_next(struct loader *l, yaml_event_type_t last, bool *end)
{
	struct yaml_value *v = NULL;
	yaml_event_t event;

	if (next(l, &event) < 0)
		return NULL;
	*end = event.type == last;
	if (!*end)
		v = load_value(l, &event);
	yaml_event_delete(&event);
	return v;
}

static bool load_map_items(struct loader *l, yaml_mark_t mark, struct items *items)
{
	struct items merged = {0};
	bool end = false;
	bool ok = true;

	while (ok) {
		struct yaml_value *key = load_next(l, YAML_MAPPING_END_EVENT, &end);
		bool ignored;

		if (end || !key)
			break;
		struct yaml_value *value = load_next(l, YAML_MAPPING_END_EVENT, &ignored);

		if (!value)
			break;
		if (key->kind == YAML_LIST || key->kind == YAML_MAP) {
			ok = yaml_wrong(l->e, l->file, key, "a key must be a word") == 0;
		} else {
			struct yaml_item item = {key->text, value};

			if (!key->is_quoted && !strcmp(key->text, "<<"))
				vec_push(&merged, item);
			else
				vec_push(items, item);
		}
	}
	for (size_t i = 0; end && i < merged.n; i++)
		end = merge(l, mark, items, merged.at[i].value);
	vec_free(&merged);
	return end;
}

static bool load_list_items(struct loader *l, struct items *items)
{
	bool end = false;

	for (;;) {
		struct yaml_item item = {NULL, load_next(l, YAML_SEQUENCE_END_EVENT, &end)};

		if (end || !item.value)
			return end;
		vec_push(items, item);
	}
}

static struct yaml_value *load_items(struct loader *l, const yaml_event_t *event,
				     enum yaml_kind kind)
{
	struct yaml_value *v = new_value(l, event, kind);
	struct items items = {0};
	bool ok;

	if (!v)
		return NULL;
	if (++l->depth > IMPORT_YAML_DEPTH)
		return wrong_at(l, event->start_mark, "nested too deeply");
	ok = kind == YAML_MAP ? load_map_items(l, event->start_mark, &items)
			      : load_list_items(l, &items);
	l->depth--;
	v->n = items.n;
	v->items = arena_alloc(l->arena, (items.n + 1) * sizeof(*v->items));
	if (items.n)
		memcpy(v->items, items.at, items.n * sizeof(*v->items));
	vec_free(&items);
	return ok ? v : NULL;
}

static struct yaml_value *load_value(struct loader *l, const yaml_event_t *event)
{
	struct yaml_value *v;

	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return find_anchor(l, event);
	case YAML_SCALAR_EVENT:
		v = load_scalar(l, event);
		add_anchor(l, event->data.scalar.anchor, v);
		return v;
	case YAML_SEQUENCE_START_EVENT:
		v = load_items(l, event, YAML_LIST);
		add_anchor(l, event->data.sequence_start.anchor, v);
		return v;
	case YAML_MAPPING_START_EVENT:
		v = load_items(l, event, YAML_MAP);
		add_anchor(l, event->data.mapping_start.anchor, v);
		return v;
	default:
		return wrong_at(l, event->start_mark, "expected a value");
	}
}

struct yaml_value *yaml_tree_read(struct arena *a, const char *file, const char *text, size_t len,
				  struct err *e)
{
	struct loader l = {.arena = a, .file = file, .e = e};
	struct yaml_value *v = NULL;
	yaml_event_type_t type = YAML_NO_EVENT;
	yaml_event_t event;

	if (!yaml_parser_initialize(&l.parser)) {
		err_set(e, ERR_ENV, "out of memory");
		return NULL;
	}
	yaml_parser_set_input_string(&l.parser, (const unsigned char *)text, len);
	while (type != YAML_DOCUMENT_START_EVENT && type != YAML_STREAM_END_EVENT) {
		if (next(&l, &event) < 0)
			goto out;
		type = event.type;
		yaml_event_delete(&event);
	}
	if (type == YAML_STREAM_END_EVENT) {
		err_set(e, ERR_USAGE, "%s:1:1: there is nothing in the file", file);
	} else if (next(&l, &event) == 0) {
		v = load_value(&l, &event);
		yaml_event_delete(&event);
	}
out:
	yaml_parser_delete(&l.parser);
	vec_free(&l.anchors);
	return v;
}

struct yaml_value *yaml_get(const struct yaml_value *v, const char *key)
{
	if (!v || v->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < v->n; i++)
		if (!strcmp(v->items[i].key, key))
			return v->items[i].value->kind == YAML_NULL ? NULL : v->items[i].value;
	return NULL;
}

const char *yaml_text(const struct yaml_value *v)
{
	return v && v->kind == YAML_TEXT ? v->text : NULL;
}

const char *yaml_word(const struct yaml_value *v, const char *otherwise)
{
	static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ.:/_-";
	const char *text = yaml_text(v);

	return text && *text && strlen(text) < 64 && strspn(text, letters) == strlen(text)
		       ? text
		       : otherwise;
}

int yaml_wrong(struct err *e, const char *file, const struct yaml_value *at, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(e, ERR_USAGE, "%s:%u:%u: %s", file, at->line, at->column, text);
}
