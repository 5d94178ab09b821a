/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a name in the script means. At some places words stand for themselves (alloc(router),
 * backend = tap): struct eval_place says which, and these come before all variables. Everything
 * else is looked up in the function's variables, the script's, then among the names of nodes and
 * links, so that r1 can be said whether a variable or alloc(name = "r1") made it.
 */
#include "topo/eval_priv.h"

#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	struct value value;
} constants[] = {
	{"true", {.kind = VALUE_BOOL, .truth = true}},
	{"on", {.kind = VALUE_BOOL, .truth = true}},
	{"yes", {.kind = VALUE_BOOL, .truth = true}},
	{"false", {.kind = VALUE_BOOL, .truth = false}},
	{"off", {.kind = VALUE_BOOL, .truth = false}},
	{"no", {.kind = VALUE_BOOL, .truth = false}},
};

void eval_offer_names(struct nearest *near, const struct names *t)
{
	for (size_t i = 0; t && i < t->cap; i++)
		if (t->at[i].name)
			nearest_offer(near, t->at[i].name);
}

/* The i-th word that has a meaning at a place, or NULL past the end. */
static const char *place_word(const struct eval_place *at, size_t i)
{
	if (!at)
		return NULL;
	if (at->words)
		return at->words(i);
	return at->field ? linkspec_key_word(at->field, i) : NULL; /* distribution = normal */
}

static bool is_word(const struct eval_place *at, const char *name)
{
	for (size_t i = 0; place_word(at, i); i++)
		if (!strcmp(place_word(at, i), name))
			return true;
	return false;
}

/* "a, b or c". False if that is nothing, or too much to read. */
static bool list_words(const struct eval_place *at, char *text, size_t size)
{
	size_t n = 0;
	size_t len = 0;

	while (place_word(at, n))
		n++;
	if (!n || n > 8)
		return false;
	for (size_t i = 0; i < n && len < size; i++) {
		const char *between = i == 0 ? "" : i + 1 == n ? " or " : ", ";

		len += (size_t)snprintf(text + len, size - len, "%s%s", between, place_word(at, i));
	}
	return len < size;
}

/*
 * Most unknown names are one of four mistakes, and each gets the message that helps: a function
 * without its brackets, a kind outside of alloc(), a misspelt word where only some are possible, or
 * a misspelt name.
 */
static struct value unknown_name(struct eval *ev, const struct ast *t, const struct eval_place *at)
{
	static const struct eval_place kinds = {.words = builtin_kinds};
	bool has_words = place_word(at, 0) != NULL;
	struct nearest near;
	char text[200];

	nearest_init(&near, t->name);
	for (size_t i = 0; place_word(at, i); i++)
		nearest_offer(&near, place_word(at, i));
	eval_offer_names(&near, ev->locals);
	eval_offer_names(&near, &ev->globals);
	eval_offer_names(&near, &ev->world->names);
	if (builtin_find(t->name) && !has_words)
		return eval_wrong(ev, t->loc, "'%s' is a function: write %s", t->name,
				  builtin_find(t->name)->usage);
	if (!has_words && is_word(&kinds, t->name))
		return eval_wrong(ev, t->loc, "'%s' is a kind: write alloc(%s)", t->name, t->name);
	if (!near.best && list_words(at, text, sizeof(text)))
		return eval_wrong(ev, t->loc, "unknown %s '%s': it is %s", at->what, t->name, text);
	return eval_wrong(ev, t->loc, "unknown %s '%s'%s", has_words ? at->what : "name", t->name,
			  nearest_hint(&near));
}

struct value eval_name(struct eval *ev, const struct ast *t, const struct eval_place *at)
{
	const struct value *v = NULL;

	if (is_word(at, t->name))
		return value_word(t->name);
	if (ev->locals)
		v = names_get(ev->locals, t->name);
	if (!v)
		v = names_get(&ev->globals, t->name);
	if (!v)
		v = names_get(&ev->world->names, t->name);
	if (v && v->kind == VALUE_NONE)
		return eval_wrong(ev, t->loc, "'%s' has no value", t->name);
	if (v)
		return *v;
	for (size_t i = 0; i < ARRAY_LEN(constants); i++)
		if (!strcmp(constants[i].name, t->name))
			return constants[i].value;
	return unknown_name(ev, t, at);
}

/*
 * Names become host names, paths of sockets and words of protocols: what those cannot hold is
 * refused.
 */
static bool is_good_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_-", *name))
			return false;
	return true;
}

/*
 * A name belongs to one thing at a time. In a loop the second round would take it from the first,
 * which is why the message then shows how to make a list of it.
 */
bool eval_set_name(struct eval *ev, struct value *v, const char *name, struct loc loc)
{
	const struct value *other = names_get(&ev->world->names, name);
	struct world_label label;
	struct world_label theirs;

	if (other && world_label(other, &theirs) && !value_equal(other, v)) {
		const struct loc *at = theirs.name_loc;
		int line;
		int column;

		source_position(at->src, at->at, &line, &column);
		bool is_loop = at->src == loc.src && at->at == loc.at;

		eval_wrong(ev, loc, "the name '%s' is taken by the %s of %s:%d%s%s%s", name,
			   theirs.what, at->src->name, line, is_loop ? "; in a loop, write " : "",
			   is_loop ? name : "", is_loop ? "[i] = ..." : "");
		return false;
	}
	if (!is_good_name(name) || strlen(name) > 64) {
		eval_wrong(ev, loc,
			   "'%.64s' is not a name: at most 64 letters, digits, '_' and '-', the "
			   "first a letter%s",
			   name, v->kind == VALUE_NODE ? "; label = ... takes any text" : "");
		return false;
	}
	if (world_label(v, &label)) {
		*label.name = name;
		*label.name_loc = loc;
	}
	names_put(&ev->world->names, ev->arena, name, *v);
	return true;
}

const char *eval_numbered(struct eval *ev, const char *name, size_t number)
{
	size_t len = strlen(name);

	return arena_printf(ev->arena, "%s%s%zu", name,
			    len && isdigit((unsigned char)name[len - 1]) ? "_" : "", number);
}

/*
 * Called with what has just been assigned. What has no name yet gets that of the variable; items of
 * a list get it with their number. What has one keeps it: the first variable counts, and `x = r1`
 * does not rename r1.
 */
void eval_name_value(struct eval *ev, struct value *v, const char *name, struct loc loc)
{
	struct world_label label;
	struct world_label inner;

	if (v->kind == VALUE_LIST) {
		for (size_t i = 0; i < v->list->n; i++) {
			struct value *item = &v->list->at[i];

			if ((world_label(item, &inner) && !*inner.name) ||
			    item->kind == VALUE_LIST) {
				if (!eval_spend(ev, loc, 1, 16) || ++ev->depth > EVAL_MAX_DEPTH)
					break;
				eval_name_value(ev, item, eval_numbered(ev, name, i + 1), loc);
				ev->depth--;
			}
		}
	}
	if (!world_label(v, &label) || *label.name)
		return;
	if (!ev->locals) {
		eval_set_name(ev, v, name, loc);
		return;
	}
	/* In a function the name is only a suggestion: it may run many times. */
	if (!*label.hint)
		*label.hint = name;
}
