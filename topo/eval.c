/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Walks the tree and changes the world (world.h). Three files: values (eval_value.c), names
 * (eval_name.c), statements here.
 *
 * Functions are defined before a source runs, so that they may be called before they are written. A
 * function has variables of its own, and reads, but does not set, those of the script: ev->locals,
 * then ev->globals, then the names of the world.
 *
 * What cannot be computed is reported once, where it happened, and becomes VALUE_WRONG. Whoever
 * meets that value stays silent and hands it on, and the next statement runs: one run shows many
 * mistakes, and none twice.
 *
 * Scripts come from anybody, and the evaluator has to end. Every step, loop and copy is paid for by
 * eval_spend(), in steps and in bytes; depth is bounded, too, as it is our own stack. When a limit
 * is reached, is_stopped makes everything return.
 *
 * A node gets its name from the variable that it is assigned to, which is why an assignment ends
 * with eval_name_value().
 */
#include "topo/eval_priv.h"

#include "topo/builtin.h"
#include "topo/event.h"
#include "topo/expect.h"
#include "topo/settings.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

struct value eval_wrong(struct eval *ev, struct loc loc, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);

	va_end(ap);
	diag_add(ev->diag, loc, "%s", text);
	free(text);
	if (diag_is_full(ev->diag))
		ev->is_stopped = true;
	return value_wrong;
}

const char *eval_where(struct eval *ev, struct loc loc)
{
	int line;
	int column;

	source_position(loc.src, loc.at, &line, &column);
	return arena_printf(ev->arena, "%.200s:%d", loc.src->name, line);
}

bool eval_spend(struct eval *ev, struct loc loc, size_t steps, size_t bytes)
{
	size_t max = ev->opt->max_steps ? ev->opt->max_steps : EVAL_MAX_STEPS;

	ev->steps += steps;
	ev->bytes += bytes;
	if (ev->is_stopped)
		return false;
	if (ev->steps > max)
		eval_wrong(ev, loc, "the script takes more than %zu steps: does it ever end?", max);
	else if (ev->bytes > EVAL_MAX_BYTES)
		eval_wrong(ev, loc, "the script needs more than %d MB of memory",
			   EVAL_MAX_BYTES >> 20);
	else
		return true;
	ev->is_stopped = true;
	return false;
}

/* ---- statements ---- */

/* A pointer into the table: valid until the next variable is made. */
static struct value *get_variable(struct eval *ev, const char *name)
{
	struct names *scope = ev->locals ? ev->locals : &ev->globals;

	if (!names_get(scope, name))
		names_put(scope, ev->arena, name, value_none);
	return names_get(scope, name);
}

/* The place a target stands for, and the name of what is put there; NULL if there is none. */
static struct value *find_place(struct eval *ev, const struct ast *target, const char **name)
{
	if (target->kind == AST_NAME) {
		*name = target->name;
		return get_variable(ev, target->name);
	}
	if (++ev->depth > EVAL_MAX_DEPTH)
		return NULL;
	struct value i = eval_value(ev, target->last);
	struct value *list = find_place(ev, target->first, name);

	ev->depth--;
	if (!list || i.kind == VALUE_WRONG || list->kind == VALUE_WRONG)
		return NULL;
	if (i.kind != VALUE_NUMBER || i.unit != UNIT_COUNT || i.number < 1) {
		eval_wrong(ev, target->last->loc, "an index is a whole number from 1");
		return NULL;
	}
	if (i.number > VALUE_MAX_LIST) {
		eval_wrong(ev, target->last->loc, "a list has at most %d items", VALUE_MAX_LIST);
		return NULL;
	}
	if (list->kind == VALUE_NONE)
		*list = (struct value){.kind = VALUE_LIST, .list = value_list_create(ev->arena)};
	if (list->kind != VALUE_LIST) {
		eval_wrong(ev, target->first->loc, "%s has no [...]; only a list has",
			   value_kind_name(list));
		return NULL;
	}
	size_t before = list->list->n;

	while (list->list->n < (size_t)i.number)
		value_list_push(ev->arena, list->list, value_none);
	eval_spend(ev, target->loc, (list->list->n - before) / 16,
		   (list->list->n - before) * 2 * sizeof(struct value));
	*name = eval_numbered(ev, *name, (size_t)i.number);
	return &list->list->at[i.number - 1];
}

/* A setting is a variable as well, so that a script can read back what it said. */
static void run_setting(struct eval *ev, const struct ast *target, const struct ast *expr)
{
	struct eval_place at = {setting_words(target->name), NULL, target->name};
	struct value v = expr->kind == AST_NAME ? eval_name(ev, expr, &at) : eval_value(ev, expr);

	if (v.kind == VALUE_WRONG)
		return;
	if (setting_assign(ev, target->name, expr->loc, &v))
		names_put(&ev->globals, ev->arena, target->name, v);
}

static void run_assign(struct eval *ev, const struct ast *t)
{
	const struct ast *target = t->first;
	const char *name = NULL;

	if (target->kind == AST_NAME && !ev->locals && setting_words(target->name)) {
		run_setting(ev, target, t->last);
		return;
	}
	struct value v = eval_own_copy(ev, t->loc, eval_value(ev, t->last));

	if (v.kind == VALUE_NONE)
		v = eval_wrong(ev, t->last->loc, "this gives no value");
	struct value *place = find_place(ev, target, &name);

	if (!place)
		return;
	*place = v;
	eval_name_value(ev, place, name, target->loc);
}

static bool eval_condition(struct eval *ev, const struct ast *t, bool *truth)
{
	struct value v = eval_value(ev, t);

	if (v.kind != VALUE_WRONG && v.kind != VALUE_BOOL)
		v = eval_wrong(ev, t->loc, "a condition is true or false, not %s",
			       value_kind_name(&v));
	*truth = v.truth;
	return v.kind == VALUE_BOOL;
}

static void run_if(struct eval *ev, const struct ast *t)
{
	bool truth;

	/* A chain of "else if" is a loop, not a recursion. */
	while (t && t->kind == AST_IF) {
		const struct ast *then = t->first->next;

		if (!eval_condition(ev, t->first, &truth))
			return;
		if (truth) {
			eval_run_block(ev, then);
			return;
		}
		t = then->next;
	}
	if (t)
		eval_run_block(ev, t);
}

/* Over a copy of the list: the body may change the list that it goes over. */
static void run_for(struct eval *ev, const struct ast *t)
{
	struct value over = eval_own_copy(ev, t->loc, eval_value(ev, t->first));
	const struct ast *body = t->last;

	if (over.kind == VALUE_WRONG)
		return;
	if (over.kind == VALUE_LIST) {
		for (size_t i = 0; i < over.list->n && !ev->is_stopped && !ev->is_returning; i++) {
			*get_variable(ev, t->name) = over.list->at[i];
			eval_run_block(ev, body);
		}
		return;
	}
	if (over.kind != VALUE_RANGE) {
		eval_wrong(ev, t->first->loc, "'for' goes over a list or a range, not %s",
			   value_kind_name(&over));
		return;
	}
	for (int64_t i = over.first; i <= over.last && !ev->is_stopped && !ev->is_returning; i++) {
		*get_variable(ev, t->name) = value_number(i);
		eval_run_block(ev, body);
		if (!eval_spend(ev, t->loc, 1, 0) || i == INT64_MAX)
			break;
	}
}

static void run_return(struct eval *ev, const struct ast *t)
{
	if (!ev->locals) {
		eval_wrong(ev, t->loc, "'return' stands inside of a function");
		return;
	}
	struct value v = t->first ? eval_value(ev, t->first) : value_none;

	ev->result = v;
	ev->is_returning = true;
}

static void run_statement(struct eval *ev, const struct ast *t)
{
	switch (t->kind) {
	case AST_ASSIGN:
		run_assign(ev, t);
		break;
	case AST_CALL:
		eval_value(ev, t);
		break;
	case AST_FOR:
		run_for(ev, t);
		break;
	case AST_IF:
		run_if(ev, t);
		break;
	case AST_RETURN:
		run_return(ev, t);
		break;
	case AST_AT:
		event_run_at(ev, t);
		break;
	case AST_EXPECT:
		expect_run_statement(ev, t);
		break;
	case AST_INCLUDE:
		if (t->first)
			eval_run(ev, t->first);
		break;
	default: /* definitions were dealt with before */
		break;
	}
}

void eval_run_block(struct eval *ev, const struct ast *block)
{
	if (++ev->depth > EVAL_MAX_DEPTH) {
		eval_wrong(ev, block->loc, "nested too deeply: does a function call itself?");
		ev->is_stopped = true;
	}
	for (const struct ast *t = block->first; t && !ev->is_stopped && !ev->is_returning;
	     t = t->next)
		if (eval_spend(ev, t->loc, 1, 0))
			run_statement(ev, t);
	ev->depth--;
}

/*
 * All functions of a source are known before its first statement runs, so one may call another that
 * is written further down.
 */
static void define(struct eval *ev, const struct ast *t)
{
	const struct value *other = names_get(&ev->functions, t->name);

	if (builtin_find(t->name)) {
		eval_wrong(ev, t->name_loc, "there is a built-in function '%s'", t->name);
		return;
	}
	if (other) {
		const struct ast *first = (const struct ast *)other->text;
		int line;
		int column;

		source_position(first->loc.src, first->loc.at, &line, &column);
		eval_wrong(ev, t->name_loc, "the function '%s' was defined in %s:%d already",
			   t->name, first->loc.src->name, line);
		return;
	}
	names_put(&ev->functions, ev->arena, t->name,
		  (struct value){.kind = VALUE_NONE, .text = (const char *)t});
}

void eval_run(struct eval *ev, const struct ast *block)
{
	for (const struct ast *t = block->first; t; t = t->next)
		if (t->kind == AST_DEF)
			define(ev, t);
	eval_run_block(ev, block);
}
