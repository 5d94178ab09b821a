/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is inside of a guest: routes, services, files, commands. Most of it may be said
 * of one node or of a list, so each function has a part for one node (..._one), which for_nodes()
 * calls for each.
 */
#include "lib/addr.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"
#include "topo/service.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- things said about one guest, or about each of a list ---- */

/*
 * What one function says of each node: the call with its arguments, and which kinds of nodes may be
 * meant. Routes may be given to what stands for the host, too, since it has addresses; commands to
 * end systems, since a program is all they are.
 */
struct about {
	const struct call *call;
	bool on_host; /* may be said of what stands for the host, too */
	bool (*one)(struct eval *ev, const struct call *c, struct world_node *n);
	bool programs; /* it can be said of an end system, too */
};

static bool about_one(struct eval *ev, const struct arg *item, void *ctx)
{
	const struct about *about = ctx;
	bool runs;

	if (item->v.kind != VALUE_NODE) {
		eval_wrong(ev, item->loc, "expected a node, not %s", value_kind_name(&item->v));
		return false;
	}
	enum node_kind kind = item->v.node->kind;

	runs = node_kind_is_guest(kind) || (about->programs && kind == NODE_ENDSYSTEM) ||
	       (about->on_host && kind == NODE_OUTSIDE);
	if (!runs) {
		eval_wrong(ev, item->loc, "%s %s runs no system: it has no %s()",
			   builtin_article(kind), node_kind_name(kind), about->call->name);
		return false;
	}
	if (item->v.node->is_removed) {
		builtin_is_gone(ev, item->loc, item->v.node);
		return false;
	}
	return about->one(ev, about->call, item->v.node);
}

typedef bool one_fn(struct eval *ev, const struct call *c, struct world_node *n);

/*
 * Each call costs the script a step and some bytes, however long its list is; builtin_each() pays
 * for the items.
 */
static struct value for_nodes(struct eval *ev, const struct call *c, one_fn *one, bool on_host)
{
	struct about about = {.call = c, .one = one, .on_host = on_host};

	if (!eval_spend(ev, c->loc, 1, 128))
		return value_wrong;
	return builtin_each(ev, &c->args[0], about_one, &about) ? value_none : value_wrong;
}

static struct value for_guests(struct eval *ev, const struct call *c, one_fn *one)
{
	return for_nodes(ev, c, one, false);
}

/* ---- routes ---- */

static bool set_gateway(struct eval *ev, const struct arg *a, struct world_route *r,
			const struct world_node *n)
{
	char text[64];

	if (a->v.kind == VALUE_NIC) {
		r->dev = a->v.nic;
		if (r->dev->node == n)
			return true;
		eval_wrong(ev, a->loc, "a route of %s leaves by one of its own NICs",
			   world_describe_node(ev->world, n));
		return false;
	}
	if (!builtin_want_addr(ev, a, &r->via))
		return false;
	if (r->via.prefix != ADDR_NO_PREFIX) {
		addr_format(&r->via, false, text, sizeof(text));
		eval_wrong(ev, a->loc, "a gateway is an address without a prefix: %s", text);
		return false;
	}
	r->has_via = true;
	return true;
}

/*
 * A network with bits behind its prefix is refused and not cut off: whoever wrote 10.0.0.1/24 may
 * have meant the network, or /32.
 */
static bool set_destination(struct eval *ev, const struct arg *a, struct world_route *r)
{
	char text[64];
	struct addr net;

	if (a->v.kind == VALUE_WORD && !strcmp(a->v.text, "default")) {
		r->is_default = true;
		return true;
	}
	if (!builtin_want_addr(ev, a, &r->dest))
		return false;
	if (r->dest.prefix == ADDR_NO_PREFIX)
		r->dest.prefix = addr_bits(&r->dest);
	if (addr_has_host_bits(&r->dest)) {
		net = addr_network(&r->dest);
		eval_wrong(ev, a->loc,
			   "bad prefix: the network has bits behind its prefix; did you mean %s?",
			   addr_format(&net, true, text, sizeof(text)));
		return false;
	}
	return true;
}

static bool set_route_field(struct eval *ev, const struct world_node *n, const struct arg *f,
			    struct world_route *r)
{
	if (!strcmp(f->name, "vnet"))
		return builtin_read_vnet(ev, f, n, &r->vnet);
	if (strcmp(f->name, "dev") != 0 || f->v.kind != VALUE_NIC) {
		eval_wrong(ev, f->name_loc,
			   "a route has only dev = NIC(node, number) and vnet = NAME");
		return false;
	}
	return set_gateway(ev, f, r, n);
}

/* In another vNet it is another route. */
static bool has_route(const struct world_node *n, const struct world_route *r)
{
	for (const struct world_route *o = n->routes; o; o = o->next)
		if (o->vnet == r->vnet && o->is_default == r->is_default &&
		    o->dest.family == r->dest.family &&
		    (r->is_default || addr_compare(&o->dest, &r->dest) == 0))
			return true;
	return false;
}

/*
 * A default route by itself has no family: it takes that of its gateway, and IPv4 if it has only a
 * device. It is noted in dest, so that each family can have one.
 */
static bool add_route(struct eval *ev, const struct call *c, struct world_node *n,
		      const struct arg *dest, const struct arg *via)
{
	struct world_route *r = arena_alloc(ev->arena, sizeof(*r));

	r->loc = c->loc;
	if (dest && !set_destination(ev, dest, r))
		return false;
	r->is_default = r->is_default || !dest;
	if (via && !set_gateway(ev, via, r, n))
		return false;
	for (size_t i = 0; i < c->n_fields; i++)
		if (!set_route_field(ev, n, &c->fields[i], r))
			return false;
	if (!r->has_via && !r->dev) {
		eval_wrong(ev, c->loc,
			   "the route leads nowhere: give a gateway, or dev = NIC(...)");
		return false;
	}
	if (!r->is_default && r->has_via && r->via.family != r->dest.family) {
		eval_wrong(ev, via ? via->loc : c->loc,
			   "the network and its gateway are not of the same family");
		return false;
	}
	if (r->is_default)
		r->dest.family = r->has_via ? r->via.family : AF_INET;
	if (has_route(n, r)) {
		eval_wrong(ev, dest ? dest->loc : c->loc, "%s has a route to that already",
			   world_describe_node(ev->world, n));
		return false;
	}
	world_append(&n->routes_end, r);
	return true;
}

static bool route_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	return add_route(ev, c, n, &c->args[1], c->n_args > 2 ? &c->args[2] : NULL);
}

static struct value run_route(struct eval *ev, const struct call *c)
{
	return for_nodes(ev, c, route_one, true);
}

static bool default_route_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	return add_route(ev, c, n, NULL, &c->args[1]);
}

static struct value run_default_route(struct eval *ev, const struct call *c)
{
	return for_nodes(ev, c, default_route_one, true);
}

/* ---- files and configurations ---- */

static struct value run_file(struct eval *ev, const struct call *c)
{
	const char *path;

	if (!builtin_want_path(ev, &c->args[0], &path))
		return value_wrong;
	return (struct value){.kind = VALUE_FILE, .text = path, .len = strlen(path)};
}

static bool set_text(struct eval *ev, const struct arg *a, struct world_text *t)
{
	if (a->v.kind == VALUE_FILE) {
		t->source = a->v.text;
		return true;
	}
	if (a->v.kind == VALUE_STRING) {
		t->text = a->v.text;
		t->len = a->v.len;
		return true;
	}
	eval_wrong(ev, a->loc, "expected text (\"...\", <<END) or file(\"path\"), not %s",
		   value_kind_name(&a->v));
	return false;
}

static struct world_text *find_text(struct world_text *list, const char *key)
{
	while (list && strcmp(list->key, key) != 0)
		list = list->next;
	return list;
}

/* may_fail = on and vnet = NAME, the fields of what is done at the start of a guest. */
static bool read_start_fields(struct eval *ev, const struct call *c, const struct world_node *n,
			      bool *may_fail, struct world_vnet **vnet)
{
	*may_fail = false;
	for (size_t i = 0; i < c->n_fields; i++) {
		const struct arg *f = &c->fields[i];

		if (!strcmp(f->name, "vnet")) {
			if (!builtin_read_vnet(ev, f, n, vnet))
				return false;
			continue;
		}
		if (strcmp(f->name, "may_fail") != 0) {
			eval_wrong(ev, f->name_loc, "%s() has no '%s', only may_fail and vnet",
				   c->name, f->name);
			return false;
		}
		if (!builtin_want_bool(ev, f, may_fail))
			return false;
	}
	return true;
}

/*
 * config() gives a daemon its text, service() only starts it, and changes nothing for one that has
 * a text. A second config() is refused, since one of the two would silently win.
 */
static bool add_config(struct eval *ev, const struct call *c, struct world_node *n,
		       const struct arg *text)
{
	struct world_text *t = arena_alloc(ev->arena, sizeof(*t));
	const struct arg *daemon = &c->args[1];

	if (!builtin_want_text(ev, daemon, "a daemon", &t->key))
		return false;
	const struct service *s = service_find(t->key);

	if (!s || s->is_implied) {
		eval_wrong(ev, daemon->loc, "unknown daemon '%.64s'", t->key);
		return false;
	}
	if (find_text(n->configs, t->key)) {
		if (!text)
			return true;
		eval_wrong(ev, daemon->loc, "%s has a configuration of %s already",
			   world_describe_node(ev->world, n), t->key);
		return false;
	}
	t->loc = c->loc;
	if (!read_start_fields(ev, c, n, &t->may_fail, &t->vnet) ||
	    (text && !set_text(ev, text, t)))
		return false;
	world_append(&n->configs_end, t);
	return true;
}

static bool config_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	return add_config(ev, c, n, &c->args[2]);
}

static struct value run_config(struct eval *ev, const struct call *c)
{
	return for_guests(ev, c, config_one);
}

static bool service_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	return add_config(ev, c, n, NULL);
}

static struct value run_service(struct eval *ev, const struct call *c)
{
	return for_guests(ev, c, service_one);
}

/* A path with ".." would be followed in the guest, and means something else than it says. */
static bool is_guest_path(const char *path)
{
	size_t len = strlen(path);

	return *path == '/' && len > 1 && len < 1024 && path[len - 1] != '/' &&
	       !strstr(path, "/../") && (len < 3 || strcmp(path + len - 3, "/..") != 0);
}

static bool set_mode(struct eval *ev, const struct arg *f, unsigned *mode)
{
	char *end = NULL;
	const char *text = f->v.kind == VALUE_STRING ? f->v.text : "";
	unsigned long v = strtoul(text, &end, 8);

	if (!isdigit((unsigned char)*text) || *end || v > 07777) {
		eval_wrong(ev, f->loc, "a mode is a string of octal digits, such as \"0755\"");
		return false;
	}
	*mode = (unsigned)v;
	return true;
}

static bool write_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	struct world_text *t = arena_alloc(ev->arena, sizeof(*t));

	t->mode = 0644;
	t->loc = c->loc;
	if (!builtin_want_text(ev, &c->args[1], "a path", &t->key))
		return false;
	if (!is_guest_path(t->key)) {
		eval_wrong(ev, c->args[1].loc,
			   "the path of a file in a guest begins with '/' and has no '..'");
		return false;
	}
	if (find_text(n->files, t->key)) {
		eval_wrong(ev, c->args[1].loc, "%s has a file '%.200s' already",
			   world_describe_node(ev->world, n), t->key);
		return false;
	}
	if (!set_text(ev, &c->args[2], t))
		return false;
	for (size_t i = 0; i < c->n_fields; i++) {
		if (strcmp(c->fields[i].name, "mode") != 0) {
			eval_wrong(ev, c->fields[i].name_loc, "write() has no '%s', only mode",
				   c->fields[i].name);
			return false;
		}
		if (!set_mode(ev, &c->fields[i], &t->mode))
			return false;
	}
	world_append(&n->files_end, t);
	return true;
}

static struct value run_write(struct eval *ev, const struct call *c)
{
	return for_guests(ev, c, write_one);
}

/* ---- commands, sysctls, host names ---- */

struct new_commands {
	struct world_node *node;
	bool may_fail;
	struct world_vnet *vnet;
};

static bool add_command(struct eval *ev, const struct arg *item, void *ctx)
{
	const struct new_commands *new = ctx;
	struct world_command *p = arena_alloc(ev->arena, sizeof(*p));

	if (!builtin_want_text(ev, item, "a command", &p->text))
		return false;
	p->may_fail = new->may_fail;
	p->vnet = new->vnet;
	world_append(&new->node->commands_end, p);
	return true;
}

static bool exec_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	struct new_commands new = {.node = n};

	if (!read_start_fields(ev, c, n, &new.may_fail, &new.vnet))
		return false;
	if (new.may_fail && n->kind == NODE_ENDSYSTEM) {
		eval_wrong(ev, c->loc,
			   "programs of an end system may fail always: %s needs no "
			   "may_fail",
			   world_describe_node(ev->world, n));
		return false;
	}
	for (size_t i = 1; i < c->n_args; i++)
		if (!builtin_each(ev, &c->args[i], add_command, &new))
			return false;
	return true;
}

static struct value run_exec(struct eval *ev, const struct call *c)
{
	struct about about = {.call = c, .one = exec_one, .programs = true};

	if (!eval_spend(ev, c->loc, 1, 128))
		return value_wrong;
	return builtin_each(ev, &c->args[0], about_one, &about) ? value_none : value_wrong;
}

static bool is_sysctl_key(const char *key)
{
	size_t dots = 0;

	for (const char *p = key; *p; p++) {
		if (!isalnum((unsigned char)*p) && !strchr("._-/", *p))
			return false;
		dots += *p == '.' || *p == '/';
	}
	return dots && isalpha((unsigned char)*key) && !strstr(key, "..");
}

static bool sysctl_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	struct world_pair *p = arena_alloc(ev->arena, sizeof(*p));
	const struct arg *value = &c->args[2];

	if (!builtin_want_text(ev, &c->args[1], "a sysctl", &p->key))
		return false;
	if (!is_sysctl_key(p->key)) {
		eval_wrong(ev, c->args[1].loc, "'%.100s' is no sysctl, such as net.ipv4.ip_forward",
			   p->key);
		return false;
	}
	if (value->v.kind == VALUE_NUMBER && value->v.unit == UNIT_COUNT)
		p->value = arena_printf(ev->arena, "%lld", (long long)value->v.number);
	else if (value->v.kind == VALUE_BOOL)
		p->value = value->v.truth ? "1" : "0";
	else if (!builtin_want_text(ev, value, "the value of a sysctl", &p->value))
		return false;
	world_append(&n->sysctls_end, p);
	return true;
}

static struct value run_sysctl(struct eval *ev, const struct call *c)
{
	return for_guests(ev, c, sysctl_one);
}

/*
 * Wider than the names that vbet gives: "_" is common in labs, and Linux takes it. At most 64
 * letters is the kernel's bound (__NEW_UTS_LEN).
 */
static bool set_hostname(struct eval *ev, struct world_node *n, const struct builtin_field *f,
			 const struct arg *a)
{
	const char *name;

	if (!builtin_want_text(ev, a, "a host name", &name))
		return false;
	bool ok = a->v.len >= 1 && a->v.len <= 64 && isalnum((unsigned char)*name);

	for (const char *p = name; *p; p++)
		ok = ok && (isalnum((unsigned char)*p) || strchr("-._", *p));
	if (!ok) {
		eval_wrong(ev, a->loc, "'%.64s' is not a host name", name);
		return false;
	}
	n->hostname = name;
	return true;
}

static bool hostname_one(struct eval *ev, const struct call *c, struct world_node *n)
{
	return set_hostname(ev, n, NULL, &c->args[1]);
}

static struct value run_hostname(struct eval *ev, const struct call *c)
{
	return for_guests(ev, c, hostname_one);
}

static const char *default_word(size_t i)
{
	return i == 0 ? "default" : NULL;
}

static const struct builtin functions[] = {
	{.name = "route",
	 .run = run_route,
	 .min = 2,
	 .max = 3,
	 .has_fields = true,
	 .usage = "route(node, network or default, gateway)",
	 .words = {NULL, default_word},
	 .words_name = "network"},
	{.name = "default_route",
	 .run = run_default_route,
	 .min = 2,
	 .max = 2,
	 .has_fields = true,
	 .usage = "default_route(node, gateway)"},
	{.name = "config",
	 .run = run_config,
	 .min = 3,
	 .max = 3,
	 .has_fields = true,
	 .usage = "config(node, daemon, text or file(\"path\"), may_fail = on)",
	 .words = {NULL, service_word},
	 .words_name = "daemon"},
	{.name = "service",
	 .run = run_service,
	 .min = 2,
	 .max = 2,
	 .has_fields = true,
	 .usage = "service(node, daemon, may_fail = on)",
	 .words = {NULL, service_word},
	 .words_name = "daemon"},
	{.name = "write",
	 .run = run_write,
	 .min = 3,
	 .max = 3,
	 .has_fields = true,
	 .usage = "write(node, \"/path\", text or file(\"path\"), mode = \"0644\")"},
	{.name = "exec",
	 .run = run_exec,
	 .min = 2,
	 .max = -1,
	 .has_fields = true,
	 .usage = "exec(node, \"command\", ..., may_fail = on)"},
	{.name = "sysctl",
	 .run = run_sysctl,
	 .min = 3,
	 .max = 3,
	 .usage = "sysctl(node, \"net.ipv4.ip_forward\", 1)"},
	{.name = "hostname",
	 .run = run_hostname,
	 .min = 2,
	 .max = 2,
	 .usage = "hostname(node, \"name\")"},
	{.name = "file", .run = run_file, .min = 1, .max = 1, .usage = "file(\"path\")"},
};

static const struct builtin_field fields[] = {
	{.name = "hostname", .kinds = BUILTIN_GUESTS, .set_node = set_hostname},
};

const struct builtin_part builtin_guest_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
};
