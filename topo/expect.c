/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a script expects. A table says which checks there are, how each reads its arguments, and
 * what its answer can be measured by (expect_want.c).
 */
#include "topo/expect.h"

#include "lib/addr.h"
#include "topo/builtin.h"
#include "topo/event_priv.h"
#include "topo/expect_want.h"

#include <string.h>

enum { POINTS_MAX = 1000000, PINGS_MAX = 1000, PING_SIZE_MAX = 65507 };

struct check {
	bool (*fill)(struct eval *ev, const struct call *c, struct world_expect *to);
	const char *name;
	const char *usage;
	enum graph_check kind;
	int min, max;
	const struct builtin *words; /* what words its arguments may be, or NULL: as the function */
	const char *const *fields;   /* its own, beside timeout and every; ends with NULL */
};

static bool fill_ping(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *whom = &c->args[1];
	struct addr addr;
	char text[64];

	to->node = event_want_guest(ev, &c->args[0]);
	if (!to->node || !event_read_vnet(ev, c, to->node, &to->vnet))
		return false;
	if (whom->v.kind == VALUE_NODE) {
		/* What is outside of the lab answers, too. */
		to->peer = node_kind_is_outside(whom->v.node->kind) ? whom->v.node
								    : event_want_guest(ev, whom);
		return to->peer != NULL;
	}
	if (!builtin_want_addr(ev, whom, &addr))
		return false;
	to->text = arena_strdup(ev->arena, addr_format(&addr, false, text, sizeof(text)));
	return true;
}

static const char *const ping_fields[] = {"count", "size", "loss", "rtt", "vnet", NULL};
static const char *const probe_fields[] = {"count", "size", NULL};
static const char *const throughput_fields[] = {"duration", NULL};

static bool set_quantity(struct eval *ev, const struct call *c, const char *name,
			 enum unit_kind unit, int64_t *to)
{
	const struct arg *a = builtin_find_field(c, name);

	if (!a)
		return true;
	if (a->v.kind == VALUE_NUMBER && a->v.number >= 0 &&
	    (a->v.unit == unit || (a->v.unit == UNIT_COUNT && !a->v.number))) {
		*to = a->v.number;
		return true;
	}
	eval_wrong(ev, a->loc, "%s wants %s", name, unit_example(unit));
	return false;
}

static bool fill_probe(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *a;

	if (!fill_ping(ev, c, to))
		return false;
	if ((a = builtin_find_field(c, "count")) &&
	    !builtin_want_count(ev, a, 1, PINGS_MAX, &to->probe.count))
		return false;
	if ((a = builtin_find_field(c, "size")) &&
	    !builtin_want_count(ev, a, 0, PING_SIZE_MAX, &to->probe.size_bytes))
		return false;
	return set_quantity(ev, c, "loss", UNIT_PPM, &to->probe.loss_ppm) &&
	       set_quantity(ev, c, "rtt", UNIT_TIME, &to->probe.rtt_ns);
}

/* Both ends are nodes: the other one has to take what is sent. */
static bool fill_throughput(struct eval *ev, const struct call *c, struct world_expect *to)
{
	to->node = event_want_guest(ev, &c->args[0]);
	to->peer = to->node ? event_want_guest(ev, &c->args[1]) : NULL;
	if (!to->peer)
		return false;
	if (to->node == to->peer) {
		eval_wrong(ev, c->args[1].loc, "the two are one node");
		return false;
	}
	return set_quantity(ev, c, "duration", UNIT_TIME, &to->probe.duration_ns);
}

static bool fill_nothing(struct eval *ev, const struct call *c, struct world_expect *to)
{
	return true;
}

/* No change for so long is rest. */
static bool fill_converges(struct eval *ev, const struct call *c, struct world_expect *to)
{
	to->stays_ns = to->stays_ns ? to->stays_ns : GRAPH_REST_NS;
	if (to->negated)
		eval_wrong(ev, c->loc, "converges() has no opposite");
	return !to->negated;
}

static const char *const frame_fields[] = {"within", NULL};

/* seen(NIC, "filter"): over a time, which "within" gives before the check or in it. */
static bool fill_frames(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *nic = &c->args[0];
	int64_t within_ns = 0;

	if (nic->v.kind != VALUE_NIC || !nic->v.nic->node) {
		eval_wrong(ev, nic->loc, "expected a NIC of a node, such as NIC(a, 1)");
		return false;
	}
	if (!builtin_want_text(ev, &c->args[1], "a filter", &to->text) ||
	    !set_quantity(ev, c, "within", UNIT_TIME, &within_ns))
		return false;
	if (to->negated && to->kind != CHECK_COUNT) {
		eval_wrong(ev, c->loc, "%s() with 'not' is %s()", c->name,
			   to->kind == CHECK_SEEN ? "never" : "seen");
		return false;
	}
	to->nic = nic->v.nic;
	to->node = nic->v.nic->node;
	if (within_ns && __builtin_add_overflow(to->start_ns, within_ns, &to->deadline_ns))
		to->deadline_ns = INT64_MAX;
	if (to->deadline_ns > to->start_ns)
		return true;
	eval_wrong(ev, c->loc, "for how long? Write within 10s of 30s %s", c->name);
	return false;
}

static bool fill_check_exec(struct eval *ev, const struct call *c, struct world_expect *to)
{
	to->node = event_want_guest(ev, &c->args[0]);
	return to->node && event_read_vnet(ev, c, to->node, &to->vnet) &&
	       builtin_want_text(ev, &c->args[1], "a command", &to->text);
}

/*
 * The destination may be a word, "default". It is kept as text, for the check is a command in the
 * guest ("ip route show").
 */
static bool add_via(struct eval *ev, const struct arg *a, void *ctx)
{
	struct world_expect *to = ctx;
	struct addr addr;
	char text[64];

	if (!builtin_want_addr(ev, a, &addr))
		return false;
	addr_format(&addr, false, text, sizeof(text));
	to->via =
		arena_printf(ev->arena, "%s%s%s", to->via ? to->via : "", to->via ? "," : "", text);
	return true;
}

/* One, or a list: these and no others. */
static bool set_via(struct eval *ev, const struct arg *a, struct world_expect *to)
{
	to->via = NULL;
	return builtin_each(ev, a, add_via, to);
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
	static const char *const names[] = {"kernel", "static", "boot",      "ra",    "dhcp",
					    "ospf",   "bgp",    "isis",      "rip",   "bird",
					    "babel",  "eigrp",  "connected", "ospf6", "ripng"};

	return i < ARRAY_LEN(names) ? names[i] : NULL;
}

/* Whose table, beside the kernel's. */
static const char *route_table(size_t i)
{
	static const char *const names[] = {"rib", "ospf", "ospf6", "bgp"};

	return i < ARRAY_LEN(names) ? names[i] : NULL;
}

static const char *level_word(size_t i)
{
	return i < LEVELS ? graph_level_name((enum graph_level)i) : NULL;
}

static const struct builtin_words word_lists[] = {
	{"proto", route_protocol}, {"table", route_table}, {"level", level_word}};

const struct builtin_part builtin_event_part = {
	.words = word_lists,
	.n_words = ARRAY_LEN(word_lists),
};

static const char *const route_fields[] = {"via", "dev", "proto", "metric", "table", "vnet", NULL};

/* What there is in that table, and can be asked of it. */
static bool set_table(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *a = builtin_find_field(c, "table");
	const struct arg *other;
	bool is_known = false;
	bool is_6 = strchr(to->text, ':') || (to->via && strchr(to->via, ':'));

	if (!a)
		return true;
	if (!builtin_want_text(ev, a, "a table such as ospf", &to->table))
		return false;
	for (size_t i = 0; route_table(i); i++)
		is_known |= !strcmp(route_table(i), to->table);
	if (!is_known)
		eval_wrong(ev, a->loc, "there is no table '%s': there is rib, ospf, ospf6, bgp",
			   to->table);
	else if ((other = builtin_find_field(c, "vnet")))
		eval_wrong(ev, other->name_loc, "a daemon's table is of no vNet");
	else if ((other = builtin_find_field(c, "proto")) && strcmp(to->table, "rib") != 0)
		eval_wrong(ev, other->name_loc, "all routes of the table %s are of one protocol",
			   to->table);
	else if ((other = builtin_find_field(c, "dev")) && !strcmp(to->table, "bgp"))
		eval_wrong(ev, other->name_loc, "BGP's table has no interfaces");
	else if (!strcmp(to->table, "ospf") && is_6)
		eval_wrong(ev, a->loc,
			   "the table ospf has IPv4 routes; those of IPv6 are in ospf6");
	else if (!strcmp(to->table, "ospf6") && strchr(to->text, '.'))
		eval_wrong(ev, a->loc,
			   "the table ospf6 has IPv6 routes; those of IPv4 are in ospf");
	else
		return true;
	return false;
}

static bool fill_route_fields(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *a;

	if (!event_read_vnet(ev, c, to->node, &to->vnet))
		return false;
	if ((a = builtin_find_field(c, "via")) && !set_via(ev, a, to))
		return false;
	if ((a = builtin_find_field(c, "dev")) && !set_dev(ev, a, to))
		return false;
	if ((a = builtin_find_field(c, "metric")) &&
	    !builtin_want_count(ev, a, 0, UINT32_MAX, &to->metric))
		return false;
	if ((a = builtin_find_field(c, "proto")) &&
	    !builtin_want_text(ev, a, "a protocol", &to->proto))
		return false;
	return set_table(ev, c, to);
}

static bool fill_route(struct eval *ev, const struct call *c, struct world_expect *to)
{
	const struct arg *dest = &c->args[1];
	struct addr addr;
	char text[64];

	to->node = event_want_guest(ev, &c->args[0]);
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
	to->node = c->n_args > 0 ? event_want_guest(ev, &c->args[0]) : NULL;
	to->peer = c->n_args > 1 && to->node ? event_want_guest(ev, &c->args[1]) : NULL;
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
	{fill_probe, "ping", "ping(a, b)", CHECK_PING, 2, 2, NULL, ping_fields},
	{fill_check_exec, "exec", "exec(node, \"command\")", CHECK_EXEC, 2, 2, NULL,
	 event_vnet_fields},
	{fill_route, "route", "route(node, network, gateway)", CHECK_ROUTE, 2, 3, NULL,
	 route_fields},
	{fill_neighbor, "neighbor", "neighbor(a, b, ospf)", CHECK_NEIGHBOR, 3, 4, &neighbor_words,
	 NULL},
	{fill_probe, "loss", "loss(a, b) < 1%", CHECK_LOSS, 2, 2, NULL, probe_fields},
	{fill_probe, "rtt", "rtt(a, b) < 10ms", CHECK_RTT, 2, 2, NULL, probe_fields},
	{fill_throughput, "throughput", "throughput(a, b) > 9Mbit", CHECK_THROUGHPUT, 2, 2, NULL,
	 throughput_fields},
	{fill_ping, "path", "path(a, b) == [r1, r2]", CHECK_PATH, 2, 2, NULL, NULL},
	{fill_ping, "reaches", "reaches(a, b)", CHECK_REACHES, 2, 2, NULL, NULL},
	{fill_nothing, "no_loop", "no_loop()", CHECK_NO_LOOP, 0, 0, NULL, NULL},
	{fill_nothing, "no_blackhole", "no_blackhole()", CHECK_NO_BLACKHOLE, 0, 0, NULL, NULL},
	{fill_converges, "converges", "converges()", CHECK_CONVERGES, 0, 0, NULL, NULL},
	{fill_frames, "seen", "seen(NIC(a, 1), \"filter\")", CHECK_SEEN, 2, 2, NULL, frame_fields},
	{fill_frames, "never", "never(NIC(a, 1), \"filter\")", CHECK_NEVER, 2, 2, NULL,
	 frame_fields},
	{fill_frames, "count", "count(NIC(a, 1), \"filter\")", CHECK_COUNT, 2, 2, NULL,
	 frame_fields},
	{fill_nodes, "ospf_full", "ospf_full(a, b)", CHECK_OSPF_FULL, 0, 2, NULL, NULL},
	{fill_nodes, "bgp_established", "bgp_established(a, b)", CHECK_BGP_ESTABLISHED, 0, 2, NULL,
	 NULL},
};

static const char *check_at(size_t i)
{
	return i < ARRAY_LEN(checks) ? checks[i].name : NULL;
}

/* ---- statements ---- */

static bool read_level(struct eval *ev, const struct arg *a, struct world_expect *to)
{
	const char *name;

	if (!builtin_want_text(ev, a, "a level such as bonus", &name))
		return false;
	to->level = graph_find_level(name, strlen(name));
	if (to->level < LEVELS)
		return true;
	eval_wrong(ev, a->loc, "there is no level '%s': there is required, warning, bonus", name);
	return false;
}

/* "points = 2, level = bonus, hint = "..."" */
static bool read_label_field(struct eval *ev, const struct ast *f, struct world_expect *to)
{
	static const char *const names[] = {"points", "level", "hint"};
	bool is_known = false;

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		is_known |= !strcmp(f->name, names[i]);
	if (!is_known) {
		eval_wrong(ev, f->name_loc,
			   "unknown setting '%s': an expectation has points, level and hint",
			   f->name);
		return false;
	}
	struct value v = eval_field(ev, f);
	struct arg a = {.v = v, .loc = f->first->loc, .name = f->name, .name_loc = f->name_loc};

	if (v.kind == VALUE_WRONG)
		return false;
	if (!strcmp(f->name, "points"))
		return builtin_want_count(ev, &a, 1, POINTS_MAX, &to->points);
	if (!strcmp(f->name, "level"))
		return read_level(ev, &a, to);
	return builtin_want_text(ev, &a, "a hint", &to->hint);
}

static bool read_label_fields(struct eval *ev, const struct ast *dict, struct world_expect *to)
{
	for (const struct ast *f = dict->first; f; f = f->next)
		if (!read_label_field(ev, f, to))
			return false;
	return true;
}

static bool read_name(struct eval *ev, const struct ast *f, struct world_expect *to)
{
	struct value v = eval_value(ev, f->first);
	struct arg a = {.v = v, .loc = f->loc};

	return v.kind != VALUE_WRONG && builtin_want_text(ev, &a, "a name", &to->name);
}

/* All that an expectation says around its call. */
struct around {
	int64_t within_ns;
	const struct ast *path, *want; /* json(path), and an operator with its right side */
	struct loc loc;
};

static bool read_around(struct eval *ev, const struct ast *f, struct around *r,
			struct world_expect *to)
{
	if (!strcmp(f->name, "name"))
		return read_name(ev, f, to);
	if (!strcmp(f->name, "of name"))
		return read_label_fields(ev, f->first, to);
	if (!strcmp(f->name, "at"))
		return event_read_time(ev, f->first, &to->start_ns);
	if (!strcmp(f->name, "within"))
		return event_read_time(ev, f->first, &r->within_ns);
	if (!strcmp(f->name, "stays"))
		return event_read_time(ev, f->first, &to->stays_ns);
	if (!strcmp(f->name, "json"))
		r->path = f;
	else
		r->want = f;
	return true;
}

/*
 * "within 10s of 30s": a check that holds at some time from the one to the other. Without "within"
 * it must hold at that very time.
 */
void expect_run_statement(struct eval *ev, const struct ast *t)
{
	struct world_expect *expect = arena_alloc(ev->arena, sizeof(*expect));
	struct around around = {.loc = t->last->loc};
	struct call c = {0};
	int i = event_find_name(ev, t->last, "check", check_at);

	if (i < 0)
		return;
	for (const struct ast *f = t->first; f != t->last; f = f->next)
		if (!read_around(ev, f, &around, expect))
			return;
	if (__builtin_add_overflow(expect->start_ns, around.within_ns, &expect->deadline_ns)) {
		eval_wrong(ev, t->loc, "that is more time than there is");
		return;
	}
	expect->loc = t->loc;
	expect->kind = checks[i].kind;
	expect->negated = t->op == OP_NOT;
	expect->timeout_ns = GRAPH_COMMAND_NS;
	expect->metric = -1;
	expect->probe = (struct graph_probe){-1, -1, -1, -1, -1};
	if (event_read_call(ev, t->last, checks[i].words, checks[i].min, checks[i].max, true,
			    checks[i].usage, &c) &&
	    event_read_times(ev, &c, &expect->timeout_ns, &expect->every_ns, checks[i].fields) &&
	    checks[i].fill(ev, &c, expect) &&
	    expect_read_want(ev, around.loc, around.path, around.want, expect))
		world_append(&ev->world->expects_end, expect);
}
