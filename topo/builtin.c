/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/builtin.h"

#include "lib/addr.h"
#include "lib/nearest.h"
#include "lib/xalloc.h"

#include <inttypes.h>
#include <string.h>

static const char *default_word(size_t i)
{
	return i == 0 ? "default" : NULL;
}

static const char *backend_word(size_t i)
{
	return i < NIC_BACKENDS ? nic_backend_name((enum nic_backend)i) : NULL;
}

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

static const char *encap_word(size_t i)
{
	return i < ENCAPS ? graph_encap_name((enum graph_encap)i) : NULL;
}

/* Services that a guest knows how to start: the server has the same table, with their commands. */
static const char *const daemons[] = {
	"zebra", "staticd", "ospfd", "ospf6d",   "ripd",      "ripngd",  "bgpd",  "eigrpd", "isisd",
	"bfdd",  "pimd",    "nft",   "iptables", "ip6tables", "dnsmasq", "httpd", "vtysh",
};

const char *builtin_daemons(size_t i)
{
	return i < ARRAY_LEN(daemons) ? daemons[i] : NULL;
}

static const struct builtin builtins[] = {
	{.name = "alloc",
	 .run = builtin_alloc,
	 .min = 1,
	 .max = 1,
	 .has_fields = true,
	 .usage = "alloc(KIND, name = value, ...)",
	 .words = {builtin_kinds},
	 .words_name = "kind"},
	{.name = "attach",
	 .run = builtin_attach,
	 .min = 1,
	 .max = -1,
	 .has_more = true,
	 .usage = "attach(node, alloc(NIC), ...)"},
	{.name = "plug",
	 .run = builtin_plug,
	 .min = 2,
	 .max = 3,
	 .usage = "plug(cable, NIC(node))"},
	{.name = "unplug",
	 .run = builtin_unplug,
	 .min = 1,
	 .max = -1,
	 .usage = "unplug(NIC or cable, ...)"},
	{.name = "link",
	 .run = builtin_link,
	 .min = 1,
	 .max = -1,
	 .has_fields = true,
	 .usage = "link(a, b) or link(switch, a, b, c, ...)"},
	{.name = "slink",
	 .run = builtin_slink,
	 .min = 2,
	 .max = 2,
	 .has_fields = true,
	 .usage = "slink(s1, s2, rate = 100Mbit, ...) or slink(s1, s2, over = lan)"},
	{.name = "slan",
	 .run = builtin_slan,
	 .min = 2,
	 .max = -1,
	 .has_fields = true,
	 .usage = "slan(switch, s1, s2, ..., rate = 100Mbit, vlan = 100)"},
	{.name = "vnet",
	 .run = builtin_vnet,
	 .min = 0,
	 .max = 0,
	 .has_fields = true,
	 .usage = "vnet(share = 30%)"},
	{.name = "vlink",
	 .run = builtin_vlink,
	 .min = 2,
	 .max = -1,
	 .has_fields = true,
	 .usage = "vlink(a, b, min = 10Mbit, max = 50Mbit) or vlink(lan, a, b, ...)"},
	{.name = "set",
	 .run = builtin_set,
	 .min = 1,
	 .max = 1,
	 .has_fields = true,
	 .usage = "set(virtual link, min = 10Mbit, max = 50Mbit), set(vNet, share = 30%) or "
		  "set(virtual node, on = s1)"},
	{.name = "NIC",
	 .run = builtin_nic,
	 .min = 1,
	 .max = 2,
	 .usage = "NIC(node) or NIC(node, number)"},
	{.name = "node", .run = builtin_node, .min = 1, .max = 1, .usage = "node(\"name\")"},
	{.name = "free",
	 .run = builtin_free,
	 .min = 1,
	 .max = -1,
	 .usage = "free(node or cable, ...)"},
	{.name = "up",
	 .run = builtin_up,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "up(cable) or up(a, b)"},
	{.name = "down",
	 .run = builtin_down,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "down(cable) or down(a, b)"},
	{.name = "impair",
	 .run = builtin_impair,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "impair(cable, delay = 5ms, ...) or impair(a, b, ...)"},
	{.name = "address",
	 .run = builtin_address,
	 .min = 2,
	 .max = -1,
	 .usage = "address(NIC(node, number), 10.0.0.1/24, ...)"},
	{.name = "route",
	 .run = builtin_route,
	 .min = 2,
	 .max = 3,
	 .has_fields = true,
	 .usage = "route(node, network or default, gateway)",
	 .words = {NULL, default_word},
	 .words_name = "network"},
	{.name = "default_route",
	 .run = builtin_default_route,
	 .min = 2,
	 .max = 2,
	 .has_fields = true,
	 .usage = "default_route(node, gateway)"},
	{.name = "config",
	 .run = builtin_config,
	 .min = 3,
	 .max = 3,
	 .usage = "config(node, daemon, text or file(\"path\"))",
	 .words = {NULL, builtin_daemons},
	 .words_name = "daemon"},
	{.name = "service",
	 .run = builtin_service,
	 .min = 2,
	 .max = 2,
	 .usage = "service(node, daemon)",
	 .words = {NULL, builtin_daemons},
	 .words_name = "daemon"},
	{.name = "write",
	 .run = builtin_write,
	 .min = 3,
	 .max = 3,
	 .has_fields = true,
	 .usage = "write(node, \"/path\", text or file(\"path\"), mode = \"0644\")"},
	{.name = "exec",
	 .run = builtin_exec,
	 .min = 2,
	 .max = -1,
	 .usage = "exec(node, \"command\", ...)"},
	{.name = "sysctl",
	 .run = builtin_sysctl,
	 .min = 3,
	 .max = 3,
	 .usage = "sysctl(node, \"net.ipv4.ip_forward\", 1)"},
	{.name = "hostname",
	 .run = builtin_hostname,
	 .min = 2,
	 .max = 2,
	 .usage = "hostname(node, \"name\")"},
	{.name = "file", .run = builtin_file, .min = 1, .max = 1, .usage = "file(\"path\")"},
	{.name = "len", .run = builtin_len, .min = 1, .max = 1, .usage = "len(list)"},
	{.name = "append",
	 .run = builtin_append,
	 .min = 1,
	 .max = -1,
	 .usage = "append(list, item, ...)"},
	{.name = "name", .run = builtin_name, .min = 1, .max = 1, .usage = "name(node or cable)"},
	{.name = "text", .run = builtin_text, .min = 1, .max = 1, .usage = "text(value)"},
	{.name = "ip", .run = builtin_ip, .min = 1, .max = 1, .usage = "ip(address or NIC)"},
	{.name = "subnet",
	 .run = builtin_subnet,
	 .min = 3,
	 .max = 3,
	 .usage = "subnet(network, prefix length, number)"},
	{.name = "min", .run = builtin_min, .min = 1, .max = -1, .usage = "min(a, b, ...)"},
	{.name = "max", .run = builtin_max, .min = 1, .max = -1, .usage = "max(a, b, ...)"},
	{.name = "assert",
	 .run = builtin_assert,
	 .min = 1,
	 .max = 2,
	 .usage = "assert(condition, \"message\")"},
	{.name = "line",
	 .run = builtin_line,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "line(number or list, KIND)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "ring",
	 .run = builtin_ring,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "ring(number or list, KIND)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "star",
	 .run = builtin_star,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "star(number or list, KIND, center = KIND or node)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "tree",
	 .run = builtin_tree,
	 .min = 2,
	 .max = 3,
	 .has_fields = true,
	 .usage = "tree(depth, fanout, KIND, leaf = KIND)",
	 .words = {NULL, NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "mesh",
	 .run = builtin_mesh,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "mesh(number or list, KIND)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "partial_mesh",
	 .run = builtin_partial_mesh,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "partial_mesh(number or list, KIND, degree = 3 or p = 20%, seed = number)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
};

const struct builtin *builtin_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(builtins); i++)
		if (!strcmp(builtins[i].name, name))
			return &builtins[i];
	return NULL;
}

const struct builtin *builtin_at(size_t i)
{
	return i < ARRAY_LEN(builtins) ? &builtins[i] : NULL;
}

static const struct {
	const char *name;
	eval_words *words;
} field_words[] = {
	{"backend", backend_word},    {"encapsulation", encap_word},  {"kind", builtin_node_kinds},
	{"leaf", builtin_node_kinds}, {"center", builtin_node_kinds},
};

eval_words *builtin_field_words(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(field_words); i++)
		if (!strcmp(field_words[i].name, name))
			return field_words[i].words;
	return builtin_port_words(name);
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

bool builtin_want_text(struct eval *ev, const struct arg *a, const char *what, const char **out)
{
	if (a->v.kind != VALUE_STRING && a->v.kind != VALUE_WORD) {
		eval_wrong(ev, a->loc, "%s is a string, not %s", what, value_kind_name(&a->v));
		return false;
	}
	*out = a->v.text;
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
