/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What arguments of built-in functions stand for: checks that many of them need.
 *
 * All checks report by themselves, at the place of the argument, and say what would have been
 * right. So a built-in function reads like a list of what it wants, and returns as soon as one
 * check fails.
 */
#include "lib/addr.h"
#include "lib/nearest.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <inttypes.h>
#include <string.h>

/* ---- words ---- */

const char *builtin_node_kinds(size_t i)
{
	return i < NODE_KINDS ? node_kind_name((enum node_kind)i) : NULL;
}

const char *builtin_kinds(size_t i)
{
	return i < NODE_KINDS        ? node_kind_name((enum node_kind)i)
	       : i == NODE_KINDS     ? "NIC"
	       : i == NODE_KINDS + 1 ? "cable"
				     : NULL;
}

const char *builtin_article(enum node_kind kind)
{
	return strchr("aeiou", *node_kind_name(kind)) ? "an" : "a";
}

int builtin_node_kind(const struct value *v)
{
	if (v->kind == VALUE_WORD || v->kind == VALUE_STRING)
		for (int i = 0; i < NODE_KINDS; i++)
			if (!strcmp(node_kind_name((enum node_kind)i), v->text))
				return i;
	return -1;
}

/* ---- fields ---- */

/*
 * "*link" among the known names stands for all parameters that cables have: those are a table of
 * their own (lib/linkspec.c), and new ones need no line here.
 */
void builtin_unknown_field(struct eval *ev, const char *what, const struct arg *field,
			   const char *const *known, size_t n)
{
	struct nearest near;
	const char *help;

	nearest_init(&near, field->name);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(known[i], "*link") != 0)
			nearest_offer(&near, known[i]);
		else
			for (size_t k = 0; linkspec_key(k, &help); k++)
				nearest_offer(&near, linkspec_key(k, &help));
	}
	eval_wrong(ev, field->name_loc, "%s has no parameter '%s'%s", what, field->name,
		   nearest_hint(&near));
}

const struct arg *builtin_find_field(const struct call *c, const char *name)
{
	for (size_t i = 0; i < c->n_fields; i++)
		if (!strcmp(c->fields[i].name, name))
			return &c->fields[i];
	return NULL;
}

/* ---- values ---- */

bool builtin_want_count(struct eval *ev, const struct arg *a, int64_t min, int64_t max,
			int64_t *out)
{
	if (a->v.kind != VALUE_NUMBER || a->v.unit != UNIT_COUNT) {
		eval_wrong(ev, a->loc, "expected a whole number, not %s", value_kind_name(&a->v));
		return false;
	}
	if (a->v.number < min || a->v.number > max) {
		eval_wrong(ev, a->loc, "%" PRId64 " is not between %" PRId64 " and %" PRId64,
			   a->v.number, min, max);
		return false;
	}
	*out = a->v.number;
	return true;
}

bool builtin_want_bool(struct eval *ev, const struct arg *field, bool *out)
{
	if (field->v.kind != VALUE_BOOL) {
		eval_wrong(ev, field->loc, "%s is on or off", field->name);
		return false;
	}
	*out = field->v.truth;
	return true;
}

bool builtin_want_text(struct eval *ev, const struct arg *a, const char *what, const char **out)
{
	if (a->v.kind != VALUE_STRING && a->v.kind != VALUE_WORD) {
		eval_wrong(ev, a->loc, "%s is a string, not %s", what, value_kind_name(&a->v));
		return false;
	}
	*out = a->v.text;
	return true;
}

/*
 * A path in a script is relative to the file that it is written in, not to where vbet was started,
 * as with an include of C: a lab that consists of several files can be moved as a whole.
 */
bool builtin_want_path(struct eval *ev, const struct arg *a, const char **out)
{
	const char *path;

	if (a->v.kind == VALUE_FILE) {
		*out = a->v.text; /* checked when it was made */
		return true;
	}
	if (!builtin_want_text(ev, a, "a path", &path))
		return false;
	if (!*path || strlen(path) > 1000) {
		eval_wrong(ev, a->loc, "the path is %s", *path ? "too long" : "empty");
		return false;
	}
	if (*path != '/')
		path = arena_printf(ev->arena, "%s%s", a->loc.src->dir, path);
	if (ev->opt->file_exists && !ev->opt->file_exists(ev->opt->ctx, path)) {
		eval_wrong(ev, a->loc, "there is no file '%.200s'", path);
		return false;
	}
	*out = path;
	return true;
}

bool builtin_want_addr(struct eval *ev, const struct arg *a, struct addr *out)
{
	struct err e;

	if (a->v.kind == VALUE_ADDR) {
		*out = a->v.addr;
		return true;
	}
	if (a->v.kind != VALUE_STRING) {
		eval_wrong(ev, a->loc, "expected an address, not %s", value_kind_name(&a->v));
		return false;
	}
	if (addr_parse(a->v.text, a->v.len, out, &e) < 0) {
		eval_wrong(ev, a->loc, "%s", e.text);
		return false;
	}
	return true;
}

/* A plain 0 is a rate, too: nothing is nothing in any unit. */
bool builtin_want_rate(struct eval *ev, const char *name, const struct value *v, struct loc loc,
		       int64_t *out)
{
	if (v->kind != VALUE_NUMBER || (v->unit != UNIT_RATE && (v->unit || v->number)) ||
	    v->number < 0 || v->number > INT64_C(1000000000000)) {
		eval_wrong(ev, loc, "%s wants a rate such as 10Mbit", name);
		return false;
	}
	*out = v->number;
	return true;
}

/*
 * Lists within lists are gone through as if they were one. A list may hold itself many times over,
 * so depth and steps are bounded as for everything else that a script can make grow.
 */
bool builtin_each(struct eval *ev, const struct arg *a,
		  bool (*fn)(struct eval *ev, const struct arg *item, void *ctx), void *ctx)
{
	bool ok = true;

	if (a->v.kind != VALUE_LIST)
		return fn(ev, a, ctx);
	if (ev->depth >= EVAL_MAX_DEPTH)
		return false;
	ev->depth++;
	for (size_t i = 0; i < a->v.list->n && ok; i++) {
		struct arg item = *a;

		item.v = a->v.list->at[i];
		if (item.v.kind == VALUE_NONE) {
			eval_wrong(ev, a->loc, "item %zu of the list has no value", i + 1);
			ok = false;
		} else {
			ok = item.v.kind != VALUE_WRONG && eval_spend(ev, a->loc, 1, 0) &&
			     builtin_each(ev, &item, fn, ctx);
		}
	}
	ev->depth--;
	return ok;
}

bool builtin_collect(struct eval *ev, const struct arg *item, void *ctx)
{
	struct builtin_args *args = ctx;

	vec_push(&args->list, *item);
	return true;
}

/* ---- things of the world ---- */

struct value builtin_is_gone(struct eval *ev, struct loc loc, const struct world_node *n)
{
	return eval_wrong(ev, loc, "%s is gone: it was given to free()",
			  world_describe_node(ev->world, n));
}

struct world_node *builtin_want_substrate(struct eval *ev, const struct arg *a)
{
	if (a->v.kind != VALUE_NODE || a->v.node->kind != NODE_SUBSTRATE) {
		eval_wrong(ev, a->loc, "expected a substrate node, not %s",
			   a->v.kind == VALUE_NODE ? arena_printf(ev->arena, "a %s",
								  node_kind_name(a->v.node->kind))
						   : value_kind_name(&a->v));
		return NULL;
	}
	if (a->v.node->is_removed) {
		builtin_is_gone(ev, a->loc, a->v.node);
		return NULL;
	}
	return a->v.node;
}

const char *builtin_more_nics(struct eval *ev, const struct world_node *n)
{
	const char *what = world_nic_word(n->kind);

	if (!n->is_fixed || n->more)
		return "; it can have no more";
	return arena_printf(
		ev->arena,
		"; attach() gave it no more: add one there, or '...' behind the last for "
		"as many %ss as it takes",
		what);
}

/*
 * What stands for an end of a link is generous: a NIC, or a node, which gives its next free one.
 * What is refused is said with the place of the other cable, as two lines of a script that use the
 * same NIC are seldom beside each other.
 */
struct world_nic *builtin_end(struct eval *ev, const struct arg *end)
{
	struct world_nic *nic = end->v.kind == VALUE_NIC ? end->v.nic : NULL;

	if (end->v.kind == VALUE_NODE) {
		struct world_node *node = end->v.node;

		if (node->is_removed) {
			builtin_is_gone(ev, end->loc, node);
			return NULL;
		}
		nic = world_free_nic(ev->world, node, end->loc);
		if (!nic)
			eval_wrong(ev, end->loc, "%s has no free %s: %zu %s plugged%s",
				   world_describe_node(ev->world, node), world_nic_word(node->kind),
				   node->n_nics, node->n_nics == 1 ? "is" : "are",
				   builtin_more_nics(ev, node));
		return nic;
	}
	if (!nic) {
		eval_wrong(ev, end->loc, "expected a NIC or a node, not %s",
			   value_kind_name(&end->v));
		return NULL;
	}
	if (!nic->node) {
		eval_wrong(ev, end->loc, "this NIC is not attached to a node");
		return NULL;
	}
	if (nic->node->is_removed) {
		builtin_is_gone(ev, end->loc, nic->node);
		return NULL;
	}
	if (world_is_plugged(nic)) {
		struct loc loc = nic->cable ? nic->cable->loc : nic->vlink->loc;
		int line;
		int column;

		source_position(loc.src, loc.at, &line, &column);
		eval_wrong(ev, end->loc, "%s is plugged already, into the %s of %s:%d",
			   world_describe_nic(ev->world, nic),
			   nic->cable ? "cable" : "virtual link", loc.src->name, line);
		return NULL;
	}
	return nic;
}

static bool end_is(const struct world_nic *nic, const struct value *v)
{
	return v->kind == VALUE_NIC ? v->nic == nic : v->node == nic->node;
}

/*
 * Cables have no table by their ends: few scripts name them like that, and the search is paid for
 * as steps of the script. Two nodes with several cables between them are ambiguous, and it is not
 * guessed which is meant.
 */
struct world_cable *builtin_find_cable(struct eval *ev, const struct call *c)
{
	const struct value *a = &c->args[0].v;
	struct world_cable *found = NULL;

	if (c->n_args == 1 && a->kind == VALUE_CABLE)
		return a->cable;
	if (c->n_args == 1 && a->kind == VALUE_NIC && a->nic->cable)
		return a->nic->cable;
	if (c->n_args == 1 && a->kind == VALUE_SLINK && a->slink->kind == SLINK_CABLE &&
	    a->slink->ends[0]->cable && a->slink->ends[0]->cable == a->slink->ends[1]->cable)
		return a->slink->ends[0]->cable;
	for (size_t i = 0; i < c->n_args; i++) {
		const struct value *v = &c->args[i].v;

		if (c->n_args == 1 || (v->kind != VALUE_NODE && v->kind != VALUE_NIC)) {
			bool is_star = v->kind == VALUE_NODE && node_kind_is_device(v->node->kind);

			eval_wrong(
				ev, c->args[i].loc,
				"expected a plugged cable, or two ends, not %s%s",
				value_kind_name(v),
				is_star ? ": link() gives the switch or hub that it begins with; "
					  "name the other end, too"
					: "");
			return NULL;
		}
	}
	const struct value *b = &c->args[1].v;

	for (struct world_cable *k = ev->world->cables; k; k = k->next) {
		if (!k->end[0] || !k->end[1] || k->is_removed)
			continue;
		if (!(end_is(k->end[0], a) && end_is(k->end[1], b)) &&
		    !(end_is(k->end[0], b) && end_is(k->end[1], a)))
			continue;
		if (found) {
			eval_wrong(ev, c->loc, "several cables join the two: say which by its NIC");
			return NULL;
		}
		found = k;
	}
	eval_spend(ev, c->loc, ev->world->n_cables / 16, 0);
	if (!found)
		eval_wrong(ev, c->loc, "no cable joins the two");
	return found;
}
