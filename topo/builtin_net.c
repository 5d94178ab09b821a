/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of a network, and how they are joined: alloc, attach, plug, link, ... */
#include "lib/addr.h"
#include "lib/vec.h"
#include "topo/builtin.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

/* ---- parameters ---- */

enum {
	GUESTS = 1 << NODE_HOST | 1 << NODE_ROUTER | 1 << NODE_FIREWALL | 1 << NODE_SERVER,
	VIRTUAL = GUESTS | 1 << NODE_ENDSYSTEM,
	ALL_KINDS = VIRTUAL | 1 << NODE_HUB | 1 << NODE_SWITCH | 1 << NODE_SUBSTRATE |
		    1 << NODE_OUTSIDE | 1 << NODE_INTERNET,
};

enum param_type {
	PARAM_NUMBER,
	PARAM_TEXT,
	PARAM_PATH,
	PARAM_DEVICE,
	PARAM_DEVICE_WORD,
	PARAM_NAME,
	PARAM_HOSTNAME,
	PARAM_VNET,
	PARAM_PLACE,
	PARAM_ROOM,
};

/* Parameters of nodes. Those of devices go to the substrate as words, unread. */
static const struct node_param {
	const char *name;
	unsigned kinds; /* bits of enum node_kind */
	enum param_type type;
	enum unit_kind unit;
	size_t offset;
	int64_t min, max;
} node_params[] = {
	{"name", ALL_KINDS, PARAM_NAME, UNIT_COUNT, 0, 0, 0},
	{"vnet", VIRTUAL, PARAM_VNET, UNIT_COUNT, 0, 0, 0},
	{"on", VIRTUAL, PARAM_PLACE, UNIT_COUNT, 0, 0, 0},
	{"room", 1 << NODE_SUBSTRATE, PARAM_ROOM, UNIT_COUNT, 0, 0, 0},
	{"memory", GUESTS, PARAM_NUMBER, UNIT_SIZE, offsetof(struct world_node, memory_bytes),
	 INT64_C(16) << 20, INT64_C(64) << 30},
	{"hostname", GUESTS, PARAM_HOSTNAME, UNIT_COUNT, 0, 0, 0},
	{"root", GUESTS, PARAM_PATH, UNIT_COUNT, offsetof(struct world_node, root), 0, 0},
	{"shell", GUESTS, PARAM_TEXT, UNIT_COUNT, offsetof(struct world_node, shell), 0, 0},
	{"ageing", 1 << NODE_SWITCH, PARAM_DEVICE, UNIT_TIME, 0, 1000000, INT64_C(86400000000000)},
	{"wire", 1 << NODE_SWITCH, PARAM_DEVICE_WORD, UNIT_COUNT, 0, 0, 0},
	{"rstp", 1 << NODE_SWITCH, PARAM_DEVICE_WORD, UNIT_COUNT, 0, 0, 0},
	{"priority", 1 << NODE_SWITCH, PARAM_DEVICE, UNIT_COUNT, 0, 0, 61440},
	{"where", 1 << NODE_OUTSIDE, PARAM_DEVICE_WORD, UNIT_COUNT, 0, 0, 0},
	{"loopback", 1 << NODE_INTERNET, PARAM_DEVICE_WORD, UNIT_COUNT, 0, 0, 0},
	{"medium", 1 << NODE_HUB, PARAM_DEVICE_WORD, UNIT_COUNT, 0, 0, 0},
	{"rate", 1 << NODE_HUB, PARAM_DEVICE, UNIT_RATE, 0, 1000, INT64_C(100000000000)},
	{"propagation", 1 << NODE_HUB, PARAM_DEVICE, UNIT_TIME, 0, 1, 1000000000},
	{"queue", 1 << NODE_HUB, PARAM_DEVICE, UNIT_COUNT, 0, 1, 65536},
	{"max_entries", 1 << NODE_SWITCH, PARAM_DEVICE, UNIT_COUNT, 0, 1, 1000000},
};

/* A number with its unit; for a device, as a word for the substrate. */
static bool set_number_param(struct eval *ev, struct world_node *n, const struct node_param *p,
			     const struct arg *field)
{
	const struct value *given = &field->v;
	char low[32];
	char buf[32];

	if (given->kind != VALUE_NUMBER ||
	    (given->unit != p->unit && !(given->unit == UNIT_COUNT && p->unit == UNIT_SIZE))) {
		eval_wrong(ev, field->loc, "%s wants %s, not %s", p->name, unit_example(p->unit),
			   value_kind_name(given));
		return false;
	}
	if (given->number < p->min || given->number > p->max) {
		eval_wrong(ev, field->loc, "%s is between %s and %s", p->name,
			   unit_format(p->unit, p->min, low, sizeof(low)),
			   unit_format(p->unit, p->max, buf, sizeof(buf)));
		return false;
	}
	if (p->type == PARAM_NUMBER) {
		memcpy((char *)n + p->offset, &given->number, sizeof(given->number));
		return true;
	}
	struct world_pair *pair = arena_alloc(ev->arena, sizeof(*pair));

	pair->key = p->name;
	unit_format(p->unit, given->number, buf, sizeof(buf));
	pair->value = arena_strdup(ev->arena, buf);
	world_append(&n->params_end, pair);
	return true;
}

/* on or off, or one of the words of the parameter. */
static bool set_word_param(struct eval *ev, struct world_node *n, const struct node_param *p,
			   const struct arg *field)
{
	eval_words *words = builtin_port_words(p->name);
	const struct value *v = &field->v;
	const char *text = v->kind == VALUE_BOOL ? v->truth ? "on" : "off" : v->text;
	bool ok = !words && v->kind == VALUE_BOOL;

	for (size_t i = 0; words && v->kind != VALUE_BOOL && words(i); i++)
		ok |= (v->kind == VALUE_WORD || v->kind == VALUE_STRING) && !strcmp(words(i), text);
	if (!ok) {
		eval_wrong(ev, field->loc, "%s is %s or %s", p->name, words ? words(0) : "on",
			   words ? words(1) : "off");
		return false;
	}
	struct world_pair *pair = arena_alloc(ev->arena, sizeof(*pair));

	pair->key = p->name;
	pair->value = text;
	world_append(&n->params_end, pair);
	return true;
}

static bool set_node_param(struct eval *ev, struct world_node *n, const struct node_param *p,
			   const struct arg *field)
{
	struct value v = {.kind = VALUE_NODE, .node = n};
	const char *text;
	int64_t number;

	switch (p->type) {
	case PARAM_VNET:
		return builtin_set_vnet(ev, n, field);
	case PARAM_PLACE:
		return builtin_set_place(ev, n, field);
	case PARAM_ROOM:
		if (!builtin_want_count(ev, field, 0, WORLD_MAX_NODES, &number))
			return false;
		n->room = (int)number;
		return true;
	case PARAM_HOSTNAME:
		return builtin_set_hostname(ev, n, field);
	case PARAM_NAME:
		return builtin_want_text(ev, field, "a name", &text) &&
		       eval_set_name(ev, &v, text, field->loc);
	case PARAM_TEXT:
	case PARAM_PATH:
		if (p->type == PARAM_TEXT ? !builtin_want_text(ev, field, p->name, &text)
					  : !builtin_want_path(ev, field, &text))
			return false;
		memcpy((char *)n + p->offset, &text, sizeof(text));
		return true;
	case PARAM_DEVICE_WORD:
		return set_word_param(ev, n, p, field);
	default:
		return set_number_param(ev, n, p, field);
	}
}

bool builtin_node_field(struct eval *ev, struct world_node *n, const struct arg *field, bool *known)
{
	*known = false;
	for (size_t i = 0; i < ARRAY_LEN(node_params); i++) {
		const struct node_param *p = &node_params[i];

		if (strcmp(p->name, field->name) != 0 || !(p->kinds >> n->kind & 1))
			continue;
		*known = true;
		return set_node_param(ev, n, p, field);
	}
	return true;
}

static void unknown_node_field(struct eval *ev, enum node_kind kind, const struct arg *field)
{
	const char *known[ARRAY_LEN(node_params)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(node_params); i++)
		if (node_params[i].kinds >> kind & 1)
			known[n++] = node_params[i].name;
	builtin_unknown_field(
		ev, arena_printf(ev->arena, "%s %s", builtin_article(kind), node_kind_name(kind)),
		field, known, n);
}

static bool set_link_value(struct eval *ev, struct linkspec *s, const char *key,
			   const struct value *v, struct loc loc)
{
	struct err e;
	int rc = -1;

	if (v->kind == VALUE_NUMBER)
		rc = linkspec_set_number(s, key, (int)v->unit, v->number, &e);
	else if (v->kind == VALUE_STRING || v->kind == VALUE_WORD || v->kind == VALUE_FILE)
		rc = linkspec_set(s, key, v->text, &e);
	else if (v->kind == VALUE_BOOL)
		rc = linkspec_set(s, key, v->truth ? "on" : "off", &e);
	else
		err_set(&e, ERR_USAGE, "%s cannot be %s", key, value_kind_name(v));
	if (rc < 0)
		eval_wrong(ev, loc, "%s", e.text);
	return rc == 0;
}

/* forward = {loss = 1%, ...}: parameters of one direction. */
static bool set_direction(struct eval *ev, struct linkspec *s, const struct arg *field)
{
	static const char *const known[] = {"*link"};

	if (field->v.kind != VALUE_DICT) {
		eval_wrong(ev, field->loc, "%s wants a group such as {delay = 5ms, loss = 1%%}",
			   field->name);
		return false;
	}
	for (const struct value_field *f = field->v.dict->first; f; f = f->next) {
		struct arg a = {.name = f->name, .name_loc = f->loc};

		if (!linkspec_has_key(f->name)) {
			builtin_unknown_field(ev, "a cable", &a, known, 1);
			return false;
		}
		if (!set_link_value(ev, s, f->name, &f->value, f->loc))
			return false;
	}
	return true;
}

bool builtin_cable_field(struct eval *ev, struct world_cable *c, const struct arg *field,
			 bool *known)
{
	struct value v = {.kind = VALUE_CABLE, .cable = c};
	const char *text;

	*known = true;
	if (linkspec_has_key(field->name))
		return set_link_value(ev, &c->dir[0], field->name, &field->v, field->loc) &&
		       set_link_value(ev, &c->dir[1], field->name, &field->v, field->loc);
	if (!strcmp(field->name, "forward"))
		return set_direction(ev, &c->dir[0], field);
	if (!strcmp(field->name, "back"))
		return set_direction(ev, &c->dir[1], field);
	if (!strcmp(field->name, "name"))
		return builtin_want_text(ev, field, "a name", &text) &&
		       eval_set_name(ev, &v, text, field->loc);
	if (!strcmp(field->name, "up")) {
		if (field->v.kind != VALUE_BOOL) {
			eval_wrong(ev, field->loc, "up is on or off");
			return false;
		}
		graph_cut_set(&c->cut, (struct graph_side){PART_ALL, 0}, !field->v.truth);
		c->said_up++;
		return true;
	}
	*known = false;
	return true;
}

static const char *const cable_fields[] = {"*link", "forward", "back", "name", "up"};

bool builtin_cable_fields(struct eval *ev, struct world_cable *c, const struct call *call)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < call->n_fields; i++) {
			const struct arg *f = &call->fields[i];
			bool is_direction = !strcmp(f->name, "forward") || !strcmp(f->name, "back");
			bool known = true;

			if (is_direction == (pass == 1) && !builtin_cable_field(ev, c, f, &known))
				return false;
			if (!known) {
				builtin_unknown_field(ev, "a cable", f, cable_fields,
						      ARRAY_LEN(cable_fields));
				return false;
			}
		}
	}
	return true;
}

static bool add_address(struct eval *ev, const struct arg *item, void *ctx)
{
	return builtin_add_address(ev, ctx, item);
}

static bool set_nic_field(struct eval *ev, struct world_nic *nic, const struct arg *f)
{
	static const char *const known[] = {"mac",    "mtu",    "address", "backend",
					    "name",   "path",   "vlan",    "trunk",
					    "native", "mirror", "cost",    "point_to_point"};
	bool is_port_field;
	const char *text;
	struct err e;
	int64_t n;

	if (!strcmp(f->name, "mac")) {
		nic->has_mac = true;
		if (f->v.kind == VALUE_MAC) {
			memcpy(nic->mac, f->v.mac, sizeof(nic->mac));
			return true;
		}
		if (!builtin_want_text(ev, f, "a MAC address", &text))
			return false;
		if (addr_parse_mac(text, f->v.len, nic->mac, &e) == 0 &&
		    addr_check_mac_for_nic(nic->mac, &e) == 0)
			return true;
		eval_wrong(ev, f->loc, "%s", e.text);
		return false;
	}
	if (!strcmp(f->name, "mtu")) {
		struct arg a = *f;

		if (a.v.kind == VALUE_NUMBER && a.v.unit == UNIT_SIZE)
			a.v.unit = UNIT_COUNT;
		if (!builtin_want_count(ev, &a, 68, 65535, &n))
			return false;
		nic->mtu = (unsigned)n;
		nic->has_mtu = true;
		return true;
	}
	if (!strcmp(f->name, "address"))
		return builtin_each(ev, f, add_address, nic);
	bool ok = builtin_port_field(ev, nic, f, &is_port_field);

	if (!is_port_field)
		ok = builtin_outside_field(ev, nic, f, &is_port_field);
	if (!is_port_field)
		builtin_unknown_field(ev, "a NIC", f, known, ARRAY_LEN(known));
	return ok && is_port_field;
}

/* ---- alloc, attach ---- */

struct world_node *builtin_make_node(struct eval *ev, enum node_kind kind, struct loc loc)
{
	if (ev->world->n_nodes >= WORLD_MAX_NODES) {
		eval_wrong(ev, loc, "more than %d nodes", WORLD_MAX_NODES);
		ev->is_stopped = true;
		return NULL;
	}
	if (kind == NODE_SUBSTRATE && ev->world->n_substrate >= WORLD_MAX_SUBSTRATE) {
		eval_wrong(ev, loc, "more than %d substrate nodes", WORLD_MAX_SUBSTRATE);
		ev->is_stopped = true;
		return NULL;
	}
	struct world_node *n = world_add_node(ev->world, kind, loc);

	if (n->number < ev->n_kept_names && ev->kept_names[n->number]) {
		n->name = arena_strdup(ev->arena, ev->kept_names[n->number]);
		names_put(&ev->world->names, ev->arena, n->name,
			  (struct value){.kind = VALUE_NODE, .node = n});
	}
	return n;
}

struct world_cable *builtin_make_cable(struct eval *ev, struct loc loc)
{
	if (ev->world->n_cables >= WORLD_MAX_CABLES) {
		eval_wrong(ev, loc, "more than %d cables", WORLD_MAX_CABLES);
		ev->is_stopped = true;
		return NULL;
	}
	return world_add_cable(ev->world, loc);
}

static struct value alloc_nic(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_NIC, .nic = world_add_nic(ev->world, c->loc)};

	for (size_t i = 0; i < c->n_fields; i++)
		if (!set_nic_field(ev, v.nic, &c->fields[i]))
			return value_wrong;
	return v;
}

static struct value alloc_cable(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_CABLE, .cable = builtin_make_cable(ev, c->loc)};

	if (!v.cable || !builtin_cable_fields(ev, v.cable, c))
		return value_wrong;
	return v;
}

struct value builtin_alloc(struct eval *ev, const struct call *c)
{
	const struct value *what = &c->args[0].v;
	int kind = builtin_node_kind(what);
	struct value v = {.kind = VALUE_NODE};

	if (!eval_spend(ev, c->loc, 1, sizeof(struct world_node)))
		return value_wrong;
	if (what->kind == VALUE_WORD && !strcmp(what->text, "NIC"))
		return alloc_nic(ev, c);
	if (what->kind == VALUE_WORD && !strcmp(what->text, "cable"))
		return alloc_cable(ev, c);
	if (kind < 0)
		return eval_wrong(ev, c->args[0].loc,
				  "a kind is router, host, firewall, server, hub, switch, outside, "
				  "internet, substrate, endsystem, NIC or cable");
	v.node = builtin_make_node(ev, (enum node_kind)kind, c->loc);
	for (size_t i = 0; v.node && i < c->n_fields; i++) {
		bool known;

		if (!builtin_node_field(ev, v.node, &c->fields[i], &known))
			return value_wrong;
		if (!known) {
			unknown_node_field(ev, v.node->kind, &c->fields[i]);
			return value_wrong;
		}
	}
	return v.node ? v : value_wrong;
}

static bool attach_nic(struct eval *ev, const struct arg *item, void *ctx)
{
	struct world_node *node = ctx;
	struct world_nic *nic = item->v.nic;

	if (item->v.kind != VALUE_NIC) {
		eval_wrong(ev, item->loc, "only NICs can be attached, not %s",
			   value_kind_name(&item->v));
		return false;
	}
	if (nic->node) {
		eval_wrong(ev, item->loc, "%s is attached already",
			   world_describe_nic(ev->world, nic));
		return false;
	}
	if (nic->has_backend && !nic_backend_fits(nic->backend, node->kind))
		return builtin_attach_outside(ev, node, nic, item->loc);
	if (node_kind_is_device(node->kind) && (nic->addrs || nic->has_mac)) {
		eval_wrong(ev, item->loc, "a port of a %s has no address",
			   node_kind_name(node->kind));
		return false;
	}
	if (!world_attach(ev->world, node, nic)) {
		eval_wrong(ev, item->loc, "%s has %zu NICs, and can have no more",
			   world_describe_node(ev->world, node), node->n_nics);
		return false;
	}
	node->is_fixed = true;
	return true;
}

struct value builtin_attach(struct eval *ev, const struct call *c)
{
	struct value v = c->args[0].v;

	if (v.kind != VALUE_NODE)
		return eval_wrong(ev, c->args[0].loc, "NICs are attached to a node, not to %s",
				  value_kind_name(&v));
	for (size_t i = 1; i < c->n_args; i++)
		if (!builtin_each(ev, &c->args[i], attach_nic, v.node))
			return value_wrong;
	if (!c->more)
		return v;
	if (c->n_args < 2 || c->args[c->n_args - 1].v.kind != VALUE_NIC)
		return eval_wrong(ev, c->more->loc, "'...' repeats the NIC before it");
	v.node->more = c->args[c->n_args - 1].v.nic;
	return v;
}

/* ---- NICs, cables ---- */

struct value builtin_is_gone(struct eval *ev, struct loc loc, const struct world_node *n)
{
	return eval_wrong(ev, loc, "%s is gone: it was given to free()",
			  world_describe_node(ev->world, n));
}

struct value builtin_nic(struct eval *ev, const struct call *c)
{
	struct value v = {.kind = VALUE_NIC};
	const struct value *of = &c->args[0].v;
	int64_t i = 0;

	if (of->kind != VALUE_NODE)
		return eval_wrong(ev, c->args[0].loc, "%s has no NICs; a node has",
				  value_kind_name(of));
	if (of->node->is_removed)
		return builtin_is_gone(ev, c->args[0].loc, of->node);
	if (c->n_args > 1 && !builtin_want_count(ev, &c->args[1], 1, WORLD_MAX_PORTS, &i))
		return value_wrong;
	v.nic = c->n_args > 1 ? world_get_nic(ev->world, of->node, (size_t)i - 1, c->loc)
			      : world_free_nic(ev->world, of->node, c->loc);
	if (v.nic)
		return v;
	const char *what = world_nic_word(of->node->kind);
	size_t n = of->node->n_nics;

	if (c->n_args > 1)
		return eval_wrong(ev, c->args[1].loc, "%s has %zu %s%s: there is no %s %" PRId64,
				  world_describe_node(ev->world, of->node), n, what,
				  n == 1 ? "" : "s", what, i);
	return eval_wrong(
		ev, c->loc,
		"%s has no free %s: %zu %s plugged; to mean one of them, write its number",
		world_describe_node(ev->world, of->node), what, n, n == 1 ? "is" : "are");
}

struct value builtin_node(struct eval *ev, const struct call *c)
{
	const char *name;
	const struct value *v;

	if (!builtin_want_text(ev, &c->args[0], "a name", &name))
		return value_wrong;
	v = names_get(&ev->world->names, name);
	if (v && v->kind != VALUE_NONE)
		return *v;
	size_t slinks = ev->world->n_slinks;

	if (!eval_spend(ev, c->loc, slinks / 8, slinks * 64))
		return value_wrong;
	struct value link = {.kind = VALUE_SLINK, .slink = world_find_slink(ev->world, name)};

	return link.slink ? link : eval_wrong(ev, c->args[0].loc, "there is no node '%.64s'", name);
}

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
			eval_wrong(ev, end->loc, "%s has no free %s: %zu %s plugged",
				   world_describe_node(ev->world, node), world_nic_word(node->kind),
				   node->n_nics, node->n_nics == 1 ? "is" : "are");
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

static bool plug_end(struct eval *ev, struct world_cable *cable, const struct arg *end)
{
	unsigned free_end = !cable->end[0] ? 0 : !cable->end[1] ? 1 : 2;
	const struct world_nic *other = cable->end[0] ? cable->end[0] : cable->end[1];

	if (free_end > 1) {
		eval_wrong(ev, end->loc, "a cable has two ends; those of this one are in %s and %s",
			   world_describe_nic(ev->world, cable->end[0]),
			   world_describe_nic(ev->world, cable->end[1]));
		return false;
	}
	struct world_nic *nic = builtin_end(ev, end);

	if (nic && other && nic->node == other->node) {
		eval_wrong(ev, end->loc, "both ends of the cable would be in %s",
			   world_describe_node(ev->world, nic->node));
		return false;
	}
	if (nic)
		world_plug(cable, free_end, nic);
	return nic != NULL;
}

struct value builtin_plug(struct eval *ev, const struct call *c)
{
	const struct arg *cable = &c->args[0];

	if (cable->v.kind != VALUE_CABLE)
		return eval_wrong(ev, cable->loc, "expected a cable, not %s",
				  value_kind_name(&cable->v));
	if (cable->v.cable->is_removed)
		return eval_wrong(ev, cable->loc, "this cable is gone");
	for (size_t i = 1; i < c->n_args; i++)
		if (!plug_end(ev, cable->v.cable, &c->args[i]))
			return value_wrong;
	return cable->v;
}

struct value builtin_unplug(struct eval *ev, const struct call *c)
{
	for (size_t i = 0; i < c->n_args; i++) {
		const struct value *v = &c->args[i].v;

		if (v->kind == VALUE_NIC && v->nic->cable) {
			world_unplug(v->nic->cable, v->nic->end);
		} else if (v->kind == VALUE_CABLE) {
			world_unplug(v->cable, 0);
			world_unplug(v->cable, 1);
		} else if (v->kind == VALUE_NIC && v->nic->vlink) {
			world_leave(v->nic);
		} else if (v->kind == VALUE_NIC) {
			return eval_wrong(ev, c->args[i].loc, "%s is not plugged",
					  world_describe_nic(ev->world, v->nic));
		} else {
			return eval_wrong(ev, c->args[i].loc, "expected a NIC or a cable, not %s",
					  value_kind_name(v));
		}
	}
	return value_none;
}

void builtin_remove_node(struct eval *ev, struct world_node *n)
{
	n->is_removed = true;
	eval_spend(ev, n->loc, ev->world->n_slinks / 8, 0);
	if (n->kind == NODE_SUBSTRATE)
		builtin_leave_slinks(ev, n);
	for (size_t i = 0; i < n->n_nics; i++) {
		struct world_cable *cable = n->nics[i]->cable;

		world_leave(n->nics[i]);
		if (cable) {
			world_unplug(cable, 0);
			world_unplug(cable, 1);
			cable->is_removed = true;
		}
	}
}

struct value builtin_free(struct eval *ev, const struct call *c)
{
	for (size_t i = 0; i < c->n_args; i++) {
		const struct value *v = &c->args[i].v;
		const char *name = v->kind == VALUE_NODE    ? v->node->name
				   : v->kind == VALUE_CABLE ? v->cable->name
							    : NULL;

		if (v->kind == VALUE_NODE) {
			builtin_remove_node(ev, v->node);
		} else if (builtin_free_virtual(ev, &c->args[i])) {
			continue;
		} else if (v->kind == VALUE_CABLE) {
			world_unplug(v->cable, 0);
			world_unplug(v->cable, 1);
			v->cable->is_removed = true;
		} else {
			return eval_wrong(ev, c->args[i].loc,
					  "expected a node, a link or a vNet, not %s",
					  value_kind_name(v));
		}
		if (name)
			names_put(&ev->world->names, ev->arena, name, value_none);
	}
	return value_none;
}

/* ---- links ---- */

struct world_cable *builtin_join(struct eval *ev, struct loc loc, struct world_nic *a,
				 struct world_nic *b)
{
	if (a->node == b->node) {
		eval_wrong(ev, loc, "both ends of the link are %s",
			   world_describe_node(ev->world, a->node));
		return NULL;
	}
	if (!eval_spend(ev, loc, 1, sizeof(struct world_cable) + 2 * sizeof(struct world_nic)))
		return NULL;
	struct world_cable *cable = builtin_make_cable(ev, loc);

	if (cable) {
		world_plug(cable, 0, a);
		world_plug(cable, 1, b);
	}
	return cable;
}

static struct world_cable *link_pair(struct eval *ev, const struct call *c, const struct arg *a,
				     const struct arg *b)
{
	struct world_nic *na = builtin_end(ev, a);
	/* A node that is linked to itself must not be found out by its second NIC. */
	bool same = na && b->v.kind == VALUE_NODE && b->v.node == na->node;
	struct world_nic *nb = !na ? NULL : same ? na : builtin_end(ev, b);
	struct world_cable *cable = nb ? builtin_join(ev, b->loc, na, nb) : NULL;

	return cable && builtin_cable_fields(ev, cable, c) ? cable : NULL;
}

static struct value link_ends(struct eval *ev, const struct call *c, const struct arg *ends,
			      size_t n)
{
	const struct value *first = &ends[0].v;
	bool is_star = first->kind == VALUE_NODE && node_kind_is_device(first->node->kind);

	if (n < 2)
		return eval_wrong(ev, c->loc, "a link has two ends at least");
	if (!is_star && n > 2)
		return eval_wrong(ev, ends[2].loc,
				  "a cable has two ends; to join more, put a switch first: "
				  "link(alloc(switch), ...)");
	for (size_t i = 1; i < n; i++) {
		struct world_cable *cable = link_pair(ev, c, &ends[0], &ends[i]);

		if (!cable)
			return value_wrong;
		if (!is_star)
			return (struct value){.kind = VALUE_CABLE, .cable = cable};
	}
	return *first;
}

struct value builtin_link(struct eval *ev, const struct call *c)
{
	struct builtin_args ends = {0};
	struct value v = value_wrong;
	bool ok = true;

	for (size_t i = 0; i < c->n_args && ok; i++)
		ok = builtin_each(ev, &c->args[i], builtin_collect, &ends);
	if (ok && ends.list.n)
		v = link_ends(ev, c, ends.list.at, ends.list.n);
	else if (ok)
		v = eval_wrong(ev, c->loc, "a link has two ends at least");
	vec_free(&ends.list);
	return v;
}

static bool end_is(const struct world_nic *nic, const struct value *v)
{
	return v->kind == VALUE_NIC ? v->nic == nic : v->node == nic->node;
}

/* The cable that is meant by a cable, a NIC, or two ends. NULL after an error. */
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
			eval_wrong(ev, c->args[i].loc, "expected a plugged cable, or two ends");
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

struct value builtin_impair(struct eval *ev, const struct call *c)
{
	struct world_cable *cable = builtin_find_cable(ev, c);

	if (!cable || !builtin_cable_fields(ev, cable, c))
		return value_wrong;
	cable->said_link++;
	return value_none;
}
