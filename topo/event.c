/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Times of a script. Arguments of an action are computed when the statement is read, like those of
 * any function, so an event is a value and cannot fail later for a misspelt name. Two tables say
 * which actions and checks there are and how each reads its arguments.
 */
#include "topo/event.h"

#include "lib/addr.h"
#include "lib/nearest.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <stdlib.h>
#include <string.h>

/* The names of a list, for messages about one that is not in it. */
typedef const char *name_at(size_t i);

struct action {
	bool (*fill)(struct eval *ev, const struct call *c, struct world_event *to);
	const char *name;
	const char *usage;
	enum graph_action kind;
	int min, max;
	bool has_fields;
};

struct check {
	bool (*fill)(struct eval *ev, const struct call *c, struct world_expect *to);
	const char *name;
	const char *usage;
	enum graph_check kind;
	int min, max;
	const struct builtin *words; /* what words its arguments may be, or NULL: as the function */
	const char *const *fields;   /* its own, beside timeout and every; ends with NULL */
};

static struct world_node *want_guest(struct eval *ev, const struct arg *a)
{
	if (a->v.kind != VALUE_NODE) {
		eval_wrong(ev, a->loc, "expected a node, not %s", value_kind_name(&a->v));
		return NULL;
	}
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

static bool fill_node(struct eval *ev, const struct call *c, struct world_event *to)
{
	to->node = want_guest(ev, &c->args[0]);
	return to->node != NULL;
}

/* A time that a field gives, more than none. */
static bool want_time(struct eval *ev, const struct arg *f, int64_t *ns)
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

/* timeout = TIME and, of what is tried again, every = TIME (else NULL); `others` are not looked at.
 */
static bool read_times(struct eval *ev, const struct call *c, int64_t *timeout_ns,
		       int64_t *every_ns, const char *const *others)
{
	for (size_t i = 0; i < c->n_fields; i++) {
		const struct arg *f = &c->fields[i];

		if (is_one_of(others, f->name))
			continue;
		int64_t *ns = !strcmp(f->name, "timeout")             ? timeout_ns
			      : every_ns && !strcmp(f->name, "every") ? every_ns
								      : NULL;

		if (!ns) {
			eval_wrong(ev, f->name_loc, "unknown setting '%s': there is timeout%s",
				   f->name, every_ns ? " and every" : "");
			return false;
		}
		if (!want_time(ev, f, ns))
			return false;
	}
	return true;
}

/* A command at a time has a bound in any case, if not the script's. */
static bool fill_exec(struct eval *ev, const struct call *c, struct world_event *to)
{
	to->timeout_ns = GRAPH_COMMAND_NS;
	return fill_node(ev, c, to) && builtin_want_text(ev, &c->args[1], "a command", &to->text) &&
	       read_times(ev, c, &to->timeout_ns, NULL, NULL);
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

/*
 * down and up are the words that a script knows, cut and mend those that read well at a time; both
 * pairs mean the same.
 */
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
};

static const char *action_at(size_t i)
{
	return i < ARRAY_LEN(actions) ? actions[i].name : NULL;
}

/* ---- checks ---- */

static bool fill_ping(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *whom = &c->args[1];
	struct addr addr;
	char text[64];

	to->node = want_guest(ev, &c->args[0]);
	if (!to->node)
		return false;
	if (whom->v.kind == VALUE_NODE) {
		/* What is outside of the lab answers, too. */
		to->peer = node_kind_is_outside(whom->v.node->kind) ? whom->v.node
								    : want_guest(ev, whom);
		return to->peer != NULL;
	}
	if (!builtin_want_addr(ev, whom, &addr))
		return false;
	to->text = arena_strdup(ev->arena, addr_format(&addr, false, text, sizeof(text)));
	return true;
}

static bool fill_check_exec(struct eval *ev, const struct call *c, struct world_expect *to)
{
	to->node = want_guest(ev, &c->args[0]);
	return to->node && builtin_want_text(ev, &c->args[1], "a command", &to->text);
}

/*
 * The destination may be a word, "default". It is kept as text, for the check is a command in the
 * guest ("ip route show").
 */
static bool set_via(struct eval *ev, const struct arg *a, struct world_expect *to)
{
	struct addr addr;
	char text[64];

	if (!builtin_want_addr(ev, a, &addr))
		return false;
	to->via = arena_strdup(ev->arena, addr_format(&addr, false, text, sizeof(text)));
	return true;
}

/* A NIC of the node, or the name of any interface. */
static bool set_dev(struct eval *ev, const struct arg *a, struct world_expect *to)
{
	if (a->v.kind != VALUE_NIC)
		return builtin_want_text(ev, a, "an interface", &to->dev);
	to->nic = a->v.nic;
	if (to->nic->node == to->node)
		return true;
	eval_wrong(ev, a->loc, "a route of %s leaves by one of its own NICs",
		   world_describe_node(ev->world, to->node));
	return false;
}

/* Who lays a route. */
static const char *route_protocol(size_t i)
{
	static const char *const names[] = {"kernel", "static", "boot", "ra",   "dhcp",  "ospf",
					    "bgp",    "isis",   "rip",  "bird", "babel", "eigrp"};

	return i < ARRAY_LEN(names) ? names[i] : NULL;
}

static const struct builtin_words word_lists[] = {{"proto", route_protocol}};

const struct builtin_part builtin_event_part = {
	.words = word_lists,
	.n_words = ARRAY_LEN(word_lists),
};

static const char *const route_fields[] = {"via", "dev", "proto", "metric", NULL};

static bool fill_route_fields(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *a;

	if ((a = builtin_find_field(c, "via")) && !set_via(ev, a, to))
		return false;
	if ((a = builtin_find_field(c, "dev")) && !set_dev(ev, a, to))
		return false;
	if ((a = builtin_find_field(c, "metric")) &&
	    !builtin_want_count(ev, a, 0, UINT32_MAX, &to->metric))
		return false;
	return !(a = builtin_find_field(c, "proto")) ||
	       builtin_want_text(ev, a, "a protocol", &to->proto);
}

static bool fill_route(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *dest = &c->args[1];
	struct addr addr;
	char text[64];

	to->node = want_guest(ev, &c->args[0]);
	if (!to->node)
		return false;
	if (dest->v.kind == VALUE_WORD) {
		to->text = dest->v.text;
	} else {
		if (!builtin_want_addr(ev, dest, &addr))
			return false;
		to->text = arena_strdup(ev->arena, addr_format(&addr, addr.prefix != ADDR_NO_PREFIX,
							       text, sizeof(text)));
	}
	return (c->n_args < 3 || set_via(ev, &c->args[2], to)) && fill_route_fields(ev, c, to);
}

/* (), (a) or (a, b): nodes */
static bool fill_nodes(struct eval *ev, const struct call *c, struct world_expect *to)
{
	to->node = c->n_args > 0 ? want_guest(ev, &c->args[0]) : NULL;
	to->peer = c->n_args > 1 && to->node ? want_guest(ev, &c->args[1]) : NULL;
	if (to->node && to->node == to->peer) {
		eval_wrong(ev, c->args[1].loc, "no node is its own neighbour");
		return false;
	}
	return (c->n_args < 1 || to->node) && (c->n_args < 2 || to->peer);
}

static const char *const neighbor_protocols[] = {"ospf", "ospf6", "bgp", "isis", "rip", "bfd"};

static const char *neighbor_protocol(size_t i)
{
	return i < ARRAY_LEN(neighbor_protocols) ? neighbor_protocols[i] : NULL;
}

/* Others ("2-Way") are strings. */
static const char *neighbor_state(size_t i)
{
	static const char *const states[] = {"full",     "established", "up",          "down",
					     "init",     "attempt",     "exstart",     "exchange",
					     "loading",  "idle",        "connect",     "active",
					     "opensent", "openconfirm", "initializing"};

	return i < ARRAY_LEN(states) ? states[i] : NULL;
}

/* neighbor(a, b, protocol, state) */
static bool fill_neighbor(struct eval *ev, const struct call *c, struct world_expect *to)
{
	struct call nodes = *c;
	bool is_known = false;

	nodes.n_args = 2;
	if (!fill_nodes(ev, &nodes, to) ||
	    !builtin_want_text(ev, &c->args[2], "a protocol", &to->proto))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(neighbor_protocols); i++)
		is_known |= !strcmp(neighbor_protocols[i], to->proto);
	if (!is_known) {
		eval_wrong(ev, c->args[2].loc,
			   "'%s' is no protocol with neighbours: there is ospf, ospf6, bgp, isis, "
			   "rip, bfd",
			   to->proto);
		return false;
	}
	return c->n_args < 4 || builtin_want_text(ev, &c->args[3], "a state", &to->state);
}

static const struct builtin neighbor_words = {
	.words = {NULL, NULL, neighbor_protocol, neighbor_state},
	.words_name = "protocol or state"};

static const struct check checks[] = {
	{fill_ping, "ping", "ping(a, b)", CHECK_PING, 2, 2, NULL, NULL},
	{fill_check_exec, "exec", "exec(node, \"command\")", CHECK_EXEC, 2, 2, NULL, NULL},
	{fill_route, "route", "route(node, network, gateway)", CHECK_ROUTE, 2, 3, NULL,
	 route_fields},
	{fill_neighbor, "neighbor", "neighbor(a, b, ospf)", CHECK_NEIGHBOR, 3, 4, &neighbor_words,
	 NULL},
	{fill_nodes, "ospf_full", "ospf_full(a, b)", CHECK_OSPF_FULL, 0, 2, NULL, NULL},
	{fill_nodes, "bgp_established", "bgp_established(a, b)", CHECK_BGP_ESTABLISHED, 0, 2, NULL,
	 NULL},
};

static const char *check_at(size_t i)
{
	return i < ARRAY_LEN(checks) ? checks[i].name : NULL;
}

/* ---- statements ---- */

/* The place of the called name among those that a list has, or -1. */
static int find_name(struct eval *ev, const struct ast *call, const char *what, name_at *list)
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
static bool read_call(struct eval *ev, const struct ast *t, const struct builtin *words, int min,
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
static bool read_time(struct eval *ev, const struct ast *t, int64_t *ns)
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
	int i = find_name(ev, t->last, "action", action_at);

	event->loc = t->loc;
	if (i < 0 || !read_time(ev, t->first, &event->time_ns))
		return;
	event->kind = actions[i].kind;
	if (read_call(ev, t->last, NULL, actions[i].min, actions[i].max, actions[i].has_fields,
		      actions[i].usage, &c) &&
	    actions[i].fill(ev, &c, event))
		world_append(&ev->world->events_end, event);
}

/*
 * "within 10s of 30s": a check that holds at some time from the one to the other. Without "within"
 * it must hold at that very time.
 */
void event_run_expect(struct eval *ev, const struct ast *t)
{
	struct world_expect *expect = arena_alloc(ev->arena, sizeof(*expect));
	struct call c = {0};
	int64_t within_ns = 0;
	int i = find_name(ev, t->last, "check", check_at);

	if (i < 0)
		return;
	for (const struct ast *f = t->first; f != t->last; f = f->next)
		if (!read_time(ev, f->first,
			       strcmp(f->name, "at") ? &within_ns : &expect->start_ns))
			return;
	if (__builtin_add_overflow(expect->start_ns, within_ns, &expect->deadline_ns)) {
		eval_wrong(ev, t->loc, "that is more time than there is");
		return;
	}
	expect->loc = t->loc;
	expect->kind = checks[i].kind;
	expect->negated = t->op == OP_NOT;
	expect->timeout_ns = GRAPH_COMMAND_NS;
	expect->metric = -1;
	if (read_call(ev, t->last, checks[i].words, checks[i].min, checks[i].max, true,
		      checks[i].usage, &c) &&
	    read_times(ev, &c, &expect->timeout_ns, &expect->every_ns, checks[i].fields) &&
	    checks[i].fill(ev, &c, expect))
		world_append(&ev->world->expects_end, expect);
}

/* ---- when the script is through ---- */

static bool is_there(const struct world_node *n)
{
	return !n || !n->is_removed;
}

static bool is_whole(const struct world_cable *c)
{
	return !c || (!c->is_removed && c->end[0] && c->end[1]);
}

/*
 * At the console a node may be freed of which an event speaks: the event goes with it. In a script
 * that is a mistake.
 */
void event_check(struct eval *ev, bool is_live)
{
	struct world_event **event = &ev->world->events;
	struct world_expect **expect = &ev->world->expects;

	while (*event) {
		struct world_event *e = *event;

		if (is_there(e->node) && is_whole(e->cable)) {
			event = &e->next;
			continue;
		}
		if (!is_live)
			eval_wrong(ev, e->loc, "%s",
				   e->cable ? "the cable has a loose end, or is gone"
					    : "the node is gone");
		*event = e->next;
	}
	while (*expect) {
		struct world_expect *e = *expect;

		if (is_there(e->node) && is_there(e->peer)) {
			expect = &e->next;
			continue;
		}
		if (!is_live)
			eval_wrong(ev, e->loc, "the node is gone");
		*expect = e->next;
	}
	ev->world->events_end = event;
	ev->world->expects_end = expect;
}
