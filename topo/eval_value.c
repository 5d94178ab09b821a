/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Expressions and calls. Lists are references inside, but values to the script: they are copied
 * when they get a second name (eval_own_copy()), so that a change to one list never shows in
 * another.
 */
#include "topo/eval_priv.h"

#include "lib/xalloc.h"
#include "topo/builtin.h"
#include "topo/event.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* ---- calls ---- */

/*
 * Arguments are given by place or by name, as with built-in functions, and all must be there: the
 * language has no defaults. The function gets a table of variables of its own for the time that it
 * runs, and leaves by is_returning, which unwinds all blocks inside.
 */
static struct value call_function(struct eval *ev, const struct ast *def, const struct call *c)
{
	const struct ast *params = def->first;
	struct names locals = {0};
	size_t n = ast_count(params);
	size_t i = 0;

	if (c->more || c->n_args > n)
		return eval_wrong(ev, c->loc, "%s() takes %zu argument%s, not %zu", c->name, n,
				  n == 1 ? "" : "s", c->n_args);
	for (const struct ast *p = params->first; p; p = p->next, i++) {
		const struct arg *given = i < c->n_args ? &c->args[i] : NULL;

		for (size_t f = 0; f < c->n_fields; f++) {
			if (strcmp(c->fields[f].name, p->name) != 0)
				continue;
			if (given)
				return eval_wrong(ev, c->fields[f].name_loc, "'%s' is given twice",
						  p->name);
			given = &c->fields[f];
		}
		if (!given)
			return eval_wrong(ev, c->loc, "%s() lacks the argument '%s'", c->name,
					  p->name);
		names_put(&locals, ev->arena, p->name, given->v);
	}
	for (size_t f = 0; f < c->n_fields; f++)
		if (!names_get(&locals, c->fields[f].name))
			return eval_wrong(ev, c->fields[f].name_loc, "%s() has no argument '%s'",
					  c->name, c->fields[f].name);
	struct names *outer = ev->locals;

	ev->locals = &locals;
	ev->result = value_none;
	eval_run_block(ev, def->first->next);
	ev->is_returning = false;
	ev->locals = outer;
	return ev->result;
}

/*
 * What is the same for all functions is checked here, by the table: how many arguments, and whether
 * there may be fields or "...". The functions check the rest.
 */
static struct value run_builtin(struct eval *ev, const struct builtin *b, const struct call *c)
{
	if ((int)c->n_args < b->min || (b->max >= 0 && (int)c->n_args > b->max))
		return eval_wrong(ev, c->loc, "%s arguments: write %s",
				  (int)c->n_args < b->min ? "too few" : "too many", b->usage);
	if (c->n_fields && !b->has_fields)
		return eval_wrong(ev, c->fields[0].name_loc, "%s() has no '%s = ...': write %s",
				  c->name, c->fields[0].name, b->usage);
	if (c->more && !b->has_more)
		return eval_wrong(ev, c->more->loc,
				  "'...' has a meaning only in attach(); write all arguments of %s",
				  c->name);
	return b->run(ev, c);
}

/* Which words stand for themselves in an argument. */
static struct eval_place place_of(const struct ast *a, const struct builtin *b, size_t n_args)
{
	if (a->kind == AST_FIELD)
		return (struct eval_place){builtin_field_words(a->name), a->name, a->name};
	if (b && n_args < ARRAY_LEN(b->words))
		return (struct eval_place){b->words[n_args], NULL, b->words_name};
	return (struct eval_place){0};
}

/* Computes one argument. False if it is wrong. */
static bool eval_arg(struct eval *ev, const struct ast *a, const struct eval_place *at,
		     struct arg *arg)
{
	const struct ast *expr = a->kind == AST_FIELD ? a->first : a;

	arg->loc = expr->loc;
	arg->name = a->name;
	arg->name_loc = a->name_loc;
	arg->v = expr->kind == AST_NAME ? eval_name(ev, expr, at) : eval_value(ev, expr);
	if (arg->v.kind == VALUE_NONE)
		arg->v = eval_wrong(ev, expr->loc, "this gives no value");
	return arg->v.kind != VALUE_WRONG;
}

/*
 * All arguments are computed, also behind one that is wrong: each may have a mistake of its own to
 * report, and the call is not made then.
 */
bool eval_call_args(struct eval *ev, const struct ast *t, const struct builtin *b, struct call *c)
{
	size_t room = ast_count(t);
	bool ok = true;

	c->name = t->name;
	c->loc = t->loc;
	c->name_loc = t->name_loc;
	c->args = arena_alloc(ev->arena, (room + 1) * sizeof(*c->args));
	c->fields = arena_alloc(ev->arena, (room + 1) * sizeof(*c->fields));
	for (const struct ast *a = t->first; a; a = a->next) {
		struct eval_place at = place_of(a, b, c->n_args);

		if (a->kind == AST_MORE) {
			c->more = a;
			continue;
		}
		if (a->kind != AST_FIELD) {
			ok = eval_arg(ev, a, &at, &c->args[c->n_args++]) && ok;
			continue;
		}
		ok = eval_arg(ev, a, &at, &c->fields[c->n_fields++]) && ok;
		for (size_t f = 0; f + 1 < c->n_fields; f++) {
			if (!strcmp(c->fields[f].name, a->name)) {
				eval_wrong(ev, a->name_loc, "'%s' is given twice", a->name);
				ok = false;
			}
		}
	}
	return ok;
}

static struct value unknown_function(struct eval *ev, const struct ast *t)
{
	struct nearest near;

	if (event_is_action(t->name))
		return eval_wrong(ev, t->name_loc, "%s() needs a time: at 60s %s(...)", t->name,
				  t->name);
	nearest_init(&near, t->name);
	for (size_t i = 0; builtin_at(i); i++)
		nearest_offer(&near, builtin_at(i)->name);
	eval_offer_names(&near, &ev->functions);
	return eval_wrong(ev, t->name_loc, "unknown function '%s'%s", t->name, nearest_hint(&near));
}

static struct value eval_call(struct eval *ev, const struct ast *t)
{
	const struct builtin *b = builtin_find(t->name);
	const struct value *def = b ? NULL : names_get(&ev->functions, t->name);
	struct call c = {0};

	if (!eval_spend(ev, t->loc, 1, 256))
		return value_wrong;
	if (!b && !def)
		return unknown_function(ev, t);
	if (!eval_call_args(ev, t, b, &c))
		return value_wrong;
	return b ? run_builtin(ev, b, &c) : call_function(ev, (const struct ast *)def->text, &c);
}

/* ---- expressions ---- */

struct value eval_own_copy(struct eval *ev, struct loc loc, struct value v)
{
	if (v.kind != VALUE_LIST ||
	    !eval_spend(ev, loc, v.list->n / 16, v.list->n * sizeof(struct value)))
		return v;
	struct value_list *copy = value_list_create(ev->arena);

	copy->n = copy->cap = v.list->n;
	copy->at = arena_alloc(ev->arena, (copy->n + 1) * sizeof(struct value));
	if (copy->n)
		memcpy(copy->at, v.list->at, copy->n * sizeof(struct value));
	v.list = copy;
	return v;
}

/*
 * Items count from 1, as NICs and ports do. A range is indexed without being written out:
 * 1..1000000 is two numbers.
 */
static struct value eval_index(struct eval *ev, const struct ast *t)
{
	struct value list = eval_value(ev, t->first);
	struct value i = eval_value(ev, t->last);

	if (list.kind == VALUE_WRONG || i.kind == VALUE_WRONG)
		return value_wrong;
	if (i.kind != VALUE_NUMBER || i.unit != UNIT_COUNT)
		return eval_wrong(ev, t->last->loc, "an index is a whole number, not %s",
				  value_kind_name(&i));
	if (list.kind == VALUE_RANGE && i.number >= 1 && list.last >= list.first &&
	    (uint64_t)i.number - 1 <= (uint64_t)list.last - (uint64_t)list.first)
		return value_number((int64_t)((uint64_t)list.first + (uint64_t)i.number - 1));
	if (list.kind != VALUE_LIST && list.kind != VALUE_RANGE)
		return eval_wrong(ev, t->first->loc, "%s has no [...]; only a list has",
				  value_kind_name(&list));
	size_t n = list.kind == VALUE_LIST ? list.list->n : 0;

	if (list.kind == VALUE_RANGE)
		return eval_wrong(ev, t->last->loc, "there is no item %" PRId64 " in the range",
				  i.number);
	if (i.number < 1 || (uint64_t)i.number > n)
		return eval_wrong(ev, t->last->loc,
				  "there is no item %" PRId64 ": the list has %zu%s", i.number, n,
				  i.number == 0 ? ", counted from 1" : "");
	if (list.list->at[i.number - 1].kind == VALUE_NONE)
		return eval_wrong(ev, t->loc, "item %" PRId64 " has no value yet", i.number);
	return list.list->at[i.number - 1];
}

/*
 * The right side is looked at only if the left one leaves it open, so that `n > 0 && list[n] == x`
 * may be written.
 */
static struct value eval_logic(struct eval *ev, const struct ast *t)
{
	for (const struct ast *side = t->first; side; side = side->next) {
		struct value v = eval_value(ev, side);

		if (v.kind == VALUE_WRONG)
			return v;
		if (v.kind != VALUE_BOOL)
			return eval_wrong(ev, side->loc, "'%s' wants a truth value, not %s",
					  value_op_name(t->op), value_kind_name(&v));
		if (!side->next || v.truth == (t->op == OP_OR))
			return v;
	}
	return value_wrong;
}

/*
 * What may have become long is paid for after it was made: its length is known only then, and
 * bounded by value_compute().
 */
static struct value eval_operation(struct eval *ev, const struct ast *t)
{
	if (t->op == OP_AND || t->op == OP_OR)
		return eval_logic(ev, t);
	struct value l = eval_value(ev, t->first);
	struct value r = t->kind == AST_BINARY ? eval_value(ev, t->last) : value_none;
	struct value out = value_none;
	struct err e;

	if (l.kind == VALUE_WRONG || r.kind == VALUE_WRONG)
		return value_wrong;
	if (value_compute(ev->arena, t->op, &l, &r, &out, &e) < 0)
		return eval_wrong(ev, t->name_loc, "%s", e.text);
	if (out.kind == VALUE_STRING)
		eval_spend(ev, t->loc, out.len / 64, out.len);
	if (out.kind == VALUE_LIST)
		eval_spend(ev, t->loc, out.list->n / 16, out.list->n * sizeof(struct value));
	return out;
}

static struct value eval_list(struct eval *ev, const struct ast *t)
{
	struct value v = {.kind = VALUE_LIST, .list = value_list_create(ev->arena)};

	for (const struct ast *item = t->first; item; item = item->next) {
		struct value x = eval_value(ev, item);

		if (x.kind == VALUE_NONE)
			x = eval_wrong(ev, item->loc, "this gives no value");
		if (x.kind == VALUE_WRONG)
			return x;
		if (value_list_push(ev->arena, v.list, x) < 0)
			return eval_wrong(ev, item->loc, "the list has more than %d items",
					  VALUE_MAX_LIST);
	}
	eval_spend(ev, t->loc, v.list->n / 16, v.list->n * sizeof(struct value));
	return v;
}

struct value eval_field(struct eval *ev, const struct ast *f)
{
	struct eval_place at = {builtin_field_words(f->name), f->name, f->name};

	return f->first->kind == AST_NAME ? eval_name(ev, f->first, &at) : eval_value(ev, f->first);
}

/*
 * Fields of a group have words of their own, as the arguments of a call do: distribution = normal.
 */
static struct value eval_dict(struct eval *ev, const struct ast *t)
{
	struct value v = {.kind = VALUE_DICT,
			  .dict = arena_alloc(ev->arena, sizeof(struct value_dict))};
	struct value_field **end = &v.dict->first;

	for (const struct ast *f = t->first; f; f = f->next) {
		struct value_field *field = arena_alloc(ev->arena, sizeof(*field));
		struct eval_place at = {NULL, f->name, f->name};

		field->name = f->name;
		field->loc = f->name_loc;
		field->value = f->first->kind == AST_NAME ? eval_name(ev, f->first, &at)
							  : eval_value(ev, f->first);
		if (field->value.kind == VALUE_WRONG)
			return value_wrong;
		*end = field;
		end = &field->next;
	}
	return v;
}

/* A string with "${...}" inside. */
static struct value eval_parts(struct eval *ev, const struct ast *t)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	struct value out = value_none;

	for (const struct ast *part = t->first; part && out.kind == VALUE_NONE; part = part->next) {
		struct value v = eval_value(ev, part);

		if (v.kind == VALUE_WRONG)
			out = v;
		else if (value_print(f, &v) < 0)
			out = eval_wrong(ev, part->loc, "%s%s cannot be put into a string",
					 value_kind_name(&v),
					 v.kind == VALUE_NODE ? " without a name" : "");
		fflush(f);
		if (len > VALUE_MAX_TEXT)
			out = eval_wrong(ev, t->loc, "the string is longer than %d bytes",
					 VALUE_MAX_TEXT);
	}
	fclose(f);
	if (out.kind == VALUE_NONE && eval_spend(ev, t->loc, len / 64, len))
		out = value_text(arena_strndup(ev->arena, text, len), len);
	free(text);
	return out.kind == VALUE_NONE ? value_wrong : out;
}

struct value eval_value(struct eval *ev, const struct ast *t)
{
	struct value v = value_wrong;

	if (!eval_spend(ev, t->loc, 1, 0))
		return value_wrong;
	if (++ev->depth > EVAL_MAX_DEPTH) {
		ev->is_stopped = true;
		ev->depth--;
		return eval_wrong(ev, t->loc, "nested too deeply: does a function call itself?");
	}
	switch (t->kind) {
	case AST_LITERAL:
		v = t->value;
		break;
	case AST_NAME:
		v = eval_name(ev, t, NULL);
		break;
	case AST_TEXT:
		v = eval_parts(ev, t);
		break;
	case AST_LIST:
		v = eval_list(ev, t);
		break;
	case AST_DICT:
		v = eval_dict(ev, t);
		break;
	case AST_UNARY:
	case AST_BINARY:
		v = eval_operation(ev, t);
		break;
	case AST_INDEX:
		v = eval_index(ev, t);
		break;
	case AST_CALL:
		v = eval_call(ev, t);
		break;
	default:
		break;
	}
	ev->depth--;
	return v;
}
