/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times of a script. Arguments of an action are computed when the statement is read, like those of
 * any function, so an event is a value and cannot fail later for a misspelt name. A table says
 * which actions there are and how each reads its arguments; expect.c has that of checks.
 */
#include "topo/event.h"

#include "lib/addr.h"
#include "lib/nearest.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"
#include "topo/event_priv.h"

#include <stdlib.h>
#include <string.h>

struct action {
	bool (*fill)(struct eval *ev, const struct call *c, struct world_event *to);
	const char *name;
	const char *usage;
	enum graph_action kind;
	int min, max;
	bool has_fields;
};

static struct world_node *want_node(struct eval *ev, const struct arg *a)
{
	if (a->v.kind == VALUE_NODE)
		return a->v.node;
	eval_wrong(ev, a->loc, "expected a node, not %s", value_kind_name(&a->v));
	return NULL;
}

struct world_node *event_want_guest(struct eval *ev, const struct arg *a)
{
	if (!want_node(ev, a))
		return NULL;
	if (!node_kind_is_guest(a->v.node->kind)) {
		eval_wrong(ev, a->loc, "%s %s has no kernel of its own",
			   builtin_article(a->v.node->kind), node_kind_name(a->v.node->kind));
		return NULL;
	}
	return a->v.node;
}

/* ---- actions ---- */

static bool fill_cable(struct eval *ev, const struct call *c, struct world_event *to)
{
	to->cable = builtin_find_cable(ev, c);
	return to->cable && builtin_read_side(ev, c, to->cable, &to->side);
}

static bool fill_guest(struct eval *ev, const struct call *c, struct world_event *to)
{
	to->node = event_want_guest(ev, &c->args[0]);
	return to->node != NULL;
}

static bool fill_node(struct eval *ev, const struct call *c, struct world_event *to)
{
	to->node = want_node(ev, &c->args[0]);
	return to->node != NULL;
}

/* A time that a field gives, more than none. */
bool event_want_time(struct eval *ev, const struct arg *f, int64_t *ns)
{
	if (f->v.kind != VALUE_NUMBER || f->v.unit != UNIT_TIME || f->v.number <= 0) {
		eval_wrong(ev, f->loc, "%s wants a time such as 20s", f->name);
		return false;
	}
	*ns = f->v.number;
	return true;
}

static bool is_one_of(const char *const *names, const char *name)
{
	for (size_t i = 0; names && names[i]; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void unknown_setting(struct eval *ev, const struct arg *f, const char *const *others,
			    bool has_every)
{
	char *own = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&own, &len);

	for (size_t i = 0; others && others[i]; i++)
		fprintf(out, "%s%s", others[i], has_every || others[i + 1] ? ", " : " and ");
	fclose(out);
	eval_wrong(ev, f->name_loc, "unknown setting '%s': there is %stimeout%s", f->name, own,
		   has_every ? " and every" : "");
	free(own);
}

/* timeout = TIME and, of what is tried again, every = TIME (else NULL); `others` are not looked at.
 */
bool event_read_times(struct eval *ev, const struct call *c, int64_t *timeout_ns, int64_t *every_ns,
		      const char *const *others)
{
	for (size_t i = 0; i < c->n_fields; i++) {
		const struct arg *f = &c->fields[i];

		if (is_one_of(others, f->name))
			continue;
		int64_t *ns = !strcmp(f->name, "timeout")             ? timeout_ns
			      : every_ns && !strcmp(f->name, "every") ? every_ns
								      : NULL;

		if (!ns) {
			unknown_setting(ev, f, others, every_ns != NULL);
			return false;
		}
		if (!event_want_time(ev, f, ns))
			return false;
	}
	return true;
}

const char *const event_vnet_fields[] = {"vnet", NULL};

bool event_read_vnet(struct eval *ev, const struct call *c, const struct world_node *n,
		     struct world_vnet **vnet)
{
	const struct arg *f = builtin_find_field(c, "vnet");

	return !f || builtin_read_vnet(ev, f, n, vnet);
}

/* A command at a time has a bound in any case, if not the script's. */
static bool fill_exec(struct eval *ev, const struct call *c, struct world_event *to)
{
	to->timeout_ns = GRAPH_COMMAND_NS;
	return fill_guest(ev, c, to) &&
	       builtin_want_text(ev, &c->args[1], "a command", &to->text) &&
	       event_read_vnet(ev, c, to->node, &to->vnet) &&
	       event_read_times(ev, c, &to->timeout_ns, NULL, event_vnet_fields);
}

/* One "key=value" of a cable, the value as a script would have it. */
static void put_word(struct eval *ev, FILE *out, const char *prefix, const char *key,
		     const struct value *v)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	if (v->kind == VALUE_BOOL)
		fputs(v->truth ? "on" : "off", f);
	else if (v->kind == VALUE_FILE)
		fputs(v->text, f);
	else
		value_print(f, v);
	fclose(f);
	words_put(out, arena_printf(ev->arena, "%s%s=%s", prefix, key, text));
	fputc(' ', out);
	free(text);
}

/*
 * The plain fields in one pass, and each group in a pass of its own; they end up as words with and
 * without a prefix.
 */
static void put_fields(struct eval *ev, FILE *out, const struct call *c, const char *group,
		       const char *prefix)
{
	for (size_t i = 0; i < c->n_fields; i++) {
		const struct arg *f = &c->fields[i];

		if (f->v.kind != VALUE_DICT && !group)
			put_word(ev, out, prefix, f->name, &f->v);
		if (f->v.kind != VALUE_DICT || !group || strcmp(f->name, group) != 0)
			continue;
		for (const struct value_field *d = f->v.dict->first; d; d = d->next)
			put_word(ev, out, prefix, d->name, &d->value);
	}
}

/*
 * The parameters are checked at once by setting them on a copy of the cable, and kept as words in
 * the form of the substrate's protocol: when the time comes nothing can be wrong with them any
 * more.
 */
static bool fill_impair(struct eval *ev, const struct call *c, struct world_event *to)
{
	struct world_cable *cable = builtin_find_cable(ev, c);
	char *text = NULL;
	size_t len = 0;

	if (!cable)
		return false;
	for (size_t i = 0; i < c->n_fields; i++) {
		if (strcmp(c->fields[i].name, "name") != 0 && strcmp(c->fields[i].name, "up") != 0)
			continue;
		eval_wrong(ev, c->fields[i].name_loc, "'%s' is not impaired at a time",
			   c->fields[i].name);
		return false;
	}
	if (!c->n_fields) {
		eval_wrong(ev, c->loc, "impair() wants to know how: write loss = 5%%");
		return false;
	}
	struct world_cable scratch = *cable;

	if (!builtin_cable_fields(ev, &scratch, c))
		return false;
	FILE *f = xmemstream(&text, &len);

	put_fields(ev, f, c, NULL, "");
	put_fields(ev, f, c, "forward", "ab.");
	put_fields(ev, f, c, "back", "ba.");
	fclose(f);
	to->cable = cable;
	to->text = arena_strndup(ev->arena, text, len ? len - 1 : 0);
	free(text);
	return true;
}

/* down and up are other names for cut and mend (builtin_cut.c). */
static const struct action actions[] = {
	{fill_cable, "cut", "cut(a, b)", ACTION_CUT, 1, 2, true},
	{fill_cable, "mend", "mend(a, b)", ACTION_MEND, 1, 2, true},
	{fill_cable, "down", "down(a, b)", ACTION_CUT, 1, 2, true},
	{fill_cable, "up", "up(a, b)", ACTION_MEND, 1, 2, true},
	{fill_impair, "impair", "impair(a, b, loss = 5%, ...)", ACTION_IMPAIR, 1, 2, true},
	{fill_exec, "exec", "exec(node, \"command\")", ACTION_EXEC, 2, 2, true},
	{fill_node, "start", "start(node)", ACTION_START, 1, 1, false},
	{fill_node, "stop", "stop(node)", ACTION_STOP, 1, 1, false},
	{fill_node, "kill", "kill(node)", ACTION_KILL, 1, 1, false},
	{fill_node, "restart", "restart(node)", ACTION_RESTART, 1, 1, false},
};

static const char *action_at(size_t i)
{
	return i < ARRAY_LEN(actions) ? actions[i].name : NULL;
}

bool event_is_action(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (!strcmp(actions[i].name, name))
			return true;
	return false;
}

/* ---- statements ---- */

/* The place of the called name among those that a list has, or -1. */
int event_find_name(struct eval *ev, const struct ast *call, const char *what, event_name_at *list)
{
	struct nearest near;

	nearest_init(&near, call->name);
	for (size_t i = 0; list(i); i++) {
		if (!strcmp(list(i), call->name))
			return (int)i;
		nearest_offer(&near, list(i));
	}
	eval_wrong(ev, call->name_loc, "unknown %s '%s'%s", what, call->name, nearest_hint(&near));
	return -1;
}

/* Computes the arguments and counts them. False after an error. */
bool event_read_call(struct eval *ev, const struct ast *t, const struct builtin *words, int min,
		     int max, bool has_fields, const char *usage, struct call *c)
{
	if (!words)
		words = builtin_find(t->name);
	if (!eval_spend(ev, t->loc, 1, 256) || !eval_call_args(ev, t, words, c))
		return false;
	if ((int)c->n_args < min || (int)c->n_args > max || c->more ||
	    (c->n_fields && !has_fields)) {
		eval_wrong(ev, c->loc, "wrong arguments: write %s", usage);
		return false;
	}
	return true;
}

/* 0 needs no unit: it is the same in all. */
bool event_read_time(struct eval *ev, const struct ast *t, int64_t *ns)
{
	struct value v = eval_value(ev, t);

	if (v.kind == VALUE_WRONG)
		return false;
	if (v.kind == VALUE_NUMBER && v.number < 0) {
		eval_wrong(ev, t->loc, "time begins at 0");
		return false;
	}
	if (v.kind != VALUE_NUMBER || (v.unit != UNIT_TIME && (v.unit != UNIT_COUNT || v.number))) {
		eval_wrong(ev, t->loc, "expected a time such as 90s, not %s", value_kind_name(&v));
		return false;
	}
	*ns = v.number;
	return true;
}

/*
 * Added only when all of it is right: after a mistake the script goes on to be read, and half an
 * event would bring more messages.
 */
void event_run_at(struct eval *ev, const struct ast *t)
{
	struct world_event *event = arena_alloc(ev->arena, sizeof(*event));
	struct call c = {0};
	int i = event_find_name(ev, t->last, "action", action_at);

	event->loc = t->loc;
	if (i < 0 || !event_read_time(ev, t->first, &event->time_ns))
		return;
	event->kind = actions[i].kind;
	if (event_read_call(ev, t->last, NULL, actions[i].min, actions[i].max,
			    actions[i].has_fields, actions[i].usage, &c) &&
	    actions[i].fill(ev, &c, event))
		world_append(&ev->world->events_end, event);
}
