/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/eval.h"

#include "lib/nearest.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"
#include "topo/event.h"
#include "topo/settings.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void run_block(struct eval *ev, const struct ast *block);

struct value eval_wrong(struct eval *ev, struct loc loc, const char *fmt, ...)
{
	va_list ap;
	char *text = NULL;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	diag_add(ev->diag, loc, "%s", text ? text : "out of memory");
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

/* ---- names ---- */

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

static void offer_names(struct nearest *near, const struct names *t)
{
	for (size_t i = 0; t && i < t->cap; i++)
		if (t->at[i].name)
			nearest_offer(near, t->at[i].name);
}

/* Where a value stands, as far as that gives words a meaning. */
struct place {
	eval_words *words; /* or NULL */
	const char *field; /* name of the parameter that the value is for, or NULL */
	const char *what;  /* "kind", "daemon" */
};

/* The i-th word that has a meaning at a place, or NULL past the end. */
static const char *place_word(const struct place *at, size_t i)
{
	if (!at)
		return NULL;
	if (at->words)
		return at->words(i);
	return at->field ? linkspec_key_word(at->field, i) : NULL; /* distribution = normal */
}

static bool is_word(const struct place *at, const char *name)
{
	for (size_t i = 0; place_word(at, i); i++)
		if (!strcmp(place_word(at, i), name))
			return true;
	return false;
}

/* "a, b or c". False if that is nothing, or too much to read. */
static bool list_words(const struct place *at, char *text, size_t size)
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

static struct value unknown_name(struct eval *ev, const struct ast *t, const struct place *at)
{
	static const struct place kinds = {.words = builtin_kinds};
	bool has_words = place_word(at, 0) != NULL;
	struct nearest near;
	char text[200];

	nearest_init(&near, t->name);
	for (size_t i = 0; place_word(at, i); i++)
		nearest_offer(&near, place_word(at, i));
	offer_names(&near, ev->locals);
	offer_names(&near, &ev->globals);
	offer_names(&near, &ev->world->names);
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

/* `at` may be NULL: nothing special. */
static struct value eval_name(struct eval *ev, const struct ast *t, const struct place *at)
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

static bool is_good_name(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_-", *name))
			return false;
	return true;
}

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
			   "first a letter",
			   name);
		return false;
	}
	if (world_label(v, &label)) {
		*label.name = name;
		*label.name_loc = loc;
	}
	names_put(&ev->world->names, ev->arena, name, *v);
	return true;
}

/* "fw", 3 -> "fw3"; "h1", 2 -> "h1_2": a digit would run into the number. */
static const char *numbered(struct eval *ev, const char *name, size_t number)
{
	size_t len = strlen(name);

	return arena_printf(ev->arena, "%s%s%zu", name,
			    len && isdigit((unsigned char)name[len - 1]) ? "_" : "", number);
}

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
				eval_name_value(ev, item, numbered(ev, name, i + 1), loc);
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

/* ---- calls ---- */

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
	run_block(ev, def->first->next);
	ev->is_returning = false;
	ev->locals = outer;
	return ev->result;
}

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

/* What words mean in an argument. */
static struct place place_of(const struct ast *a, const struct builtin *b, size_t n_args)
{
	if (a->kind == AST_FIELD)
		return (struct place){builtin_field_words(a->name), a->name, a->name};
	if (b && n_args < ARRAY_LEN(b->words))
		return (struct place){b->words[n_args], NULL, b->words_name};
	return (struct place){0};
}

/* Computes one argument. False if it is wrong. */
static bool eval_arg(struct eval *ev, const struct ast *a, const struct place *at, struct arg *arg)
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
		struct place at = place_of(a, b, c->n_args);

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

	nearest_init(&near, t->name);
	for (size_t i = 0; builtin_at(i); i++)
		nearest_offer(&near, builtin_at(i)->name);
	offer_names(&near, &ev->functions);
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

/* A list is copied when it gets a second name: a change to one does not change the other. */
static struct value own_copy(struct eval *ev, struct loc loc, struct value v)
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

static struct value eval_dict(struct eval *ev, const struct ast *t)
{
	struct value v = {.kind = VALUE_DICT,
			  .dict = arena_alloc(ev->arena, sizeof(struct value_dict))};
	struct value_field **end = &v.dict->first;

	for (const struct ast *f = t->first; f; f = f->next) {
		struct value_field *field = arena_alloc(ev->arena, sizeof(*field));
		struct place at = {NULL, f->name, f->name};

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
	FILE *f = open_memstream(&text, &len);
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

/* ---- statements ---- */

/* The variable, made if it is new. */
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
	*name = numbered(ev, *name, (size_t)i.number);
	return &list->list->at[i.number - 1];
}

static void run_setting(struct eval *ev, const struct ast *target, const struct ast *expr)
{
	struct place at = {setting_words(target->name), NULL, target->name};
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
	struct value v = own_copy(ev, t->loc, eval_value(ev, t->last));

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
			run_block(ev, then);
			return;
		}
		t = then->next;
	}
	if (t)
		run_block(ev, t);
}

static void run_for(struct eval *ev, const struct ast *t)
{
	struct value over = own_copy(ev, t->loc, eval_value(ev, t->first));
	const struct ast *body = t->last;

	if (over.kind == VALUE_WRONG)
		return;
	if (over.kind == VALUE_LIST) {
		for (size_t i = 0; i < over.list->n && !ev->is_stopped && !ev->is_returning; i++) {
			*get_variable(ev, t->name) = over.list->at[i];
			run_block(ev, body);
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
		run_block(ev, body);
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
		event_run_expect(ev, t);
		break;
	case AST_INCLUDE:
		if (t->first)
			eval_run(ev, t->first);
		break;
	default: /* definitions were dealt with before */
		break;
	}
}

static void run_block(struct eval *ev, const struct ast *block)
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
	run_block(ev, block);
}
