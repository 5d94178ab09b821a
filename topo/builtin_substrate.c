/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Substrate links, virtual networks, virtual links: slink, slan, vnet, vlink, set. */
#include "lib/vec.h"
#include "topo/builtin.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
	DEFAULT_RATE = 1000000000, /* of a substrate link of which the script says nothing */
	DEFAULT_MTU = 1600,        /* of its cables: 1500 and any encapsulation */
	DEFAULT_PRIORITY = 5,
	VLAN_MAX = 4094,
	PRIORITY_MAX = 7,
};

/* ---- values ---- */

static bool want_rate(struct eval *ev, const char *name, const struct value *v, struct loc loc,
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

static bool want_share(struct eval *ev, const struct arg *a, int64_t *out)
{
	if (a->v.kind != VALUE_NUMBER || a->v.unit != UNIT_PPM || a->v.number < 1 ||
	    a->v.number > 1000000) {
		eval_wrong(ev, a->loc, "share wants a part of the LAN such as 30%%, up to 100%%");
		return false;
	}
	*out = a->v.number;
	return true;
}

static struct world_node *want_substrate(struct eval *ev, const struct arg *a)
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

bool builtin_set_vnet(struct eval *ev, struct world_node *n, const struct arg *a)
{
	if (a->v.kind != VALUE_VNET || a->v.vnet->is_removed) {
		eval_wrong(ev, a->loc,
			   a->v.kind == VALUE_VNET ? "this vNet is gone"
						   : "vnet wants a virtual network: red = vnet()");
		return false;
	}
	n->vnet = a->v.vnet;
	return true;
}

bool builtin_set_place(struct eval *ev, struct world_node *n, const struct arg *a)
{
	struct world_node *place = want_substrate(ev, a);

	if (!place)
		return false;
	n->place = place;
	n->place_loc = a->loc;
	return true;
}

/* ---- ends ---- */

static struct world_nic **copy_ends(struct eval *ev, struct world_nic *const *ends, size_t n)
{
	struct world_nic **copy = arena_alloc(ev->arena, (n + 1) * sizeof(struct world_nic *));

	memcpy(copy, ends, n * sizeof(struct world_nic *));
	return copy;
}

/* The interface that an end stands for: a free one, or one that has a cable already. */
static struct world_nic *want_interface(struct eval *ev, const struct arg *end)
{
	struct world_nic *nic = end->v.kind == VALUE_NIC ? end->v.nic : NULL;

	if (!nic || !nic->cable || !nic->node || nic->node->is_removed)
		nic = builtin_end(ev, end);
	if (nic && nic->node->kind != NODE_SUBSTRATE) {
		eval_wrong(ev, end->loc, "%s is no substrate node: a substrate link ends at some",
			   world_describe_node(ev->world, nic->node));
		return NULL;
	}
	return nic;
}

/* ---- parameters ---- */

/*
 * One parameter that is not a cable's. False after an error; *known tells if the name was one. The
 * kind of the link is set before.
 */
static bool set_slink_field(struct eval *ev, struct world_slink *l, const struct arg *f,
			    bool *known)
{
	struct value v = {.kind = VALUE_SLINK, .slink = l};
	bool is_lan = l->kind == SLINK_LAN;
	const char *text;
	int64_t n;

	*known = true;
	if (!strcmp(f->name, "name"))
		return builtin_want_text(ev, f, "a name", &text) &&
		       eval_set_name(ev, &v, text, f->loc);
	if (!strcmp(f->name, "encapsulation")) {
		for (int i = 0; i < ENCAPS; i++) {
			if ((f->v.kind != VALUE_WORD && f->v.kind != VALUE_STRING) ||
			    strcmp(f->v.text, graph_encap_name((enum graph_encap)i)) != 0)
				continue;
			l->encap = (enum graph_encap)i;
			if (l->kind == SLINK_CABLE || l->encap == ENCAP_ETHERNET)
				return true;
			eval_wrong(ev, f->loc, "what runs on a LAN is Ethernet");
			return false;
		}
		eval_wrong(ev, f->loc, "encapsulation is ethernet or udp");
		return false;
	}
	if (!strcmp(f->name, "over"))
		return true;
	if (!strcmp(f->name, "vlan") || !strcmp(f->name, "priority")) {
		bool is_vlan = *f->name == 'v';

		if (!is_lan) {
			eval_wrong(
				ev, f->name_loc,
				"a point-to-point link has no %s of its own: on a cable there is "
				"none, over = lan takes that of the LAN",
				f->name);
			return false;
		}
		if (!builtin_want_count(ev, f, 1, is_vlan ? VLAN_MAX : PRIORITY_MAX, &n))
			return false;
		*(is_vlan ? &l->vlan : &l->priority) = (unsigned)n;
		return true;
	}
	if (is_lan && !strcmp(f->name, "manager")) {
		l->manager = want_substrate(ev, f);
		return l->manager != NULL;
	}
	*known = false;
	return true;
}

/* What was said of a link that needs a cable to be said of. */
static bool refuse_cable_field(struct eval *ev, const struct arg *f, const char *why)
{
	eval_wrong(ev, f->name_loc, "'%s' is said of a cable, and %s", f->name, why);
	return false;
}

static bool is_cable_field(const char *name)
{
	return linkspec_has_key(name) || !strcmp(name, "forward") || !strcmp(name, "back") ||
	       !strcmp(name, "up");
}

/* Parameters of the link itself; those of cables are only looked at. */
static bool set_slink_fields(struct eval *ev, struct world_slink *l, const struct call *c,
			     const char *no_cable)
{
	static const char *const fields[] = {"*link",         "forward", "back", "up",
					     "encapsulation", "over",    "name"};
	static const char *const lan_fields[] = {"*link", "forward",  "back",    "up",
						 "vlan",  "priority", "manager", "name"};
	bool is_lan = l->kind == SLINK_LAN;

	for (size_t i = 0; i < c->n_fields; i++) {
		const struct arg *f = &c->fields[i];
		bool known;

		if (!set_slink_field(ev, l, f, &known))
			return false;
		if (known)
			continue;
		if (!is_cable_field(f->name)) {
			builtin_unknown_field(ev, is_lan ? "slan()" : "slink()", f,
					      is_lan ? lan_fields : fields,
					      is_lan ? ARRAY_LEN(lan_fields) : ARRAY_LEN(fields));
			return false;
		}
		if (no_cable && !(is_lan && !strcmp(f->name, "rate")))
			return refuse_cable_field(ev, f, no_cable);
	}
	return true;
}

/* Lays a cable of a substrate link: the parameters for both directions first. */
static struct world_cable *lay_cable(struct eval *ev, const struct call *c, struct world_slink *l,
				     struct world_nic *a, struct world_nic *b, struct loc loc)
{
	struct world_cable *cable = builtin_join(ev, loc, a, b);
	bool known;

	if (!cable)
		return NULL;
	cable->slink = l;
	for (int dir = 0; dir < 2; dir++) {
		cable->dir[dir].rate_bps = DEFAULT_RATE;
		cable->dir[dir].mtu = DEFAULT_MTU;
	}
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < c->n_fields; i++) {
			const struct arg *f = &c->fields[i];
			bool is_direction = !strcmp(f->name, "forward") || !strcmp(f->name, "back");

			if (is_cable_field(f->name) && is_direction == (pass == 1) &&
			    !builtin_cable_field(ev, cable, f, &known))
				return NULL;
		}
	}
	return cable;
}

/* ---- substrate links ---- */

static struct world_slink *make_slink(struct eval *ev, struct loc loc, enum graph_slink_kind kind)
{
	if (ev->world->n_slinks >= WORLD_MAX_SLINKS) {
		eval_wrong(ev, loc, "more than %d substrate links", WORLD_MAX_SLINKS);
		ev->is_stopped = true;
		return NULL;
	}
	if (!eval_spend(ev, loc, 1, sizeof(struct world_slink)))
		return NULL;
	struct world_slink *l = arena_alloc(ev->arena, sizeof(*l));

	l->loc = l->name_loc = loc;
	l->kind = kind;
	l->priority = kind == SLINK_LAN ? DEFAULT_PRIORITY : 0;
	l->number = ev->world->n_slinks++;
	world_append(&ev->world->slinks_end, l);
	return l;
}

/* The interface by which a node is a member of the LAN. */
static struct world_nic *member_interface(struct eval *ev, const struct world_slink *lan,
					  const struct arg *end)
{
	for (size_t i = 0; i < lan->n_ends; i++)
		if (end->v.kind == VALUE_NIC
			    ? lan->ends[i] == end->v.nic
			    : end->v.kind == VALUE_NODE && lan->ends[i]->node == end->v.node)
			return lan->ends[i];
	eval_wrong(ev, end->loc, "%s is no member of the LAN",
		   end->v.kind == VALUE_NODE  ? world_describe_node(ev->world, end->v.node)
		   : end->v.kind == VALUE_NIC ? world_describe_nic(ev->world, end->v.nic)
					      : value_kind_name(&end->v));
	return NULL;
}

static struct value slink_across(struct eval *ev, const struct call *c, const struct arg *over)
{
	if (over->v.kind != VALUE_SLINK || over->v.slink->kind != SLINK_LAN ||
	    over->v.slink->is_removed)
		return eval_wrong(ev, over->loc, "over wants the LAN that slan() gave back");
	struct world_slink *l = make_slink(ev, c->loc, SLINK_ACROSS);

	if (!l)
		return value_wrong;
	struct world_nic *ends[2];

	for (int i = 0; i < 2; i++) {
		ends[i] = member_interface(ev, over->v.slink, &c->args[i]);
		if (!ends[i])
			return value_wrong;
	}
	if (ends[0]->node == ends[1]->node)
		return eval_wrong(ev, c->args[1].loc, "both ends of the link are %s",
				  world_describe_node(ev->world, ends[0]->node));
	l->lan = over->v.slink;
	l->ends = copy_ends(ev, ends, 2);
	l->n_ends = 2;
	if (!set_slink_fields(ev, l, c, "here it is the LAN's"))
		return value_wrong;
	return (struct value){.kind = VALUE_SLINK, .slink = l};
}

/* Both interfaces; a node that would be linked to itself is not given a second one. */
static bool want_interfaces(struct eval *ev, const struct arg *a, const struct arg *b,
			    struct world_nic *ends[2])
{
	ends[0] = want_interface(ev, a);
	if (!ends[0])
		return false;
	if (b->v.kind == VALUE_NODE && b->v.node == ends[0]->node) {
		eval_wrong(ev, b->loc, "both ends of the link are %s",
			   world_describe_node(ev->world, ends[0]->node));
		return false;
	}
	ends[1] = want_interface(ev, b);
	if (!ends[1])
		return false;
	if (!ends[0]->cable != !ends[1]->cable) {
		eval_wrong(ev, ends[0]->cable ? b->loc : a->loc,
			   "the other end is plugged already: name the interface at the far end of "
			   "its cable");
		return false;
	}
	return true;
}

static struct value slink_between(struct eval *ev, const struct call *c, const struct arg *a,
				  const struct arg *b)
{
	struct world_nic *ends[2];

	if (!want_interfaces(ev, a, b, ends))
		return value_wrong;
	struct world_slink *l = make_slink(ev, c->loc, SLINK_CABLE);
	struct value v = {.kind = VALUE_SLINK, .slink = l};

	if (!l)
		return value_wrong;
	l->ends = copy_ends(ev, ends, 2);
	l->n_ends = 2;
	if (!set_slink_fields(ev, l, c, ends[0]->cable ? "this one is there already" : NULL))
		return value_wrong;
	if (!ends[0]->cable && !lay_cable(ev, c, l, ends[0], ends[1], c->loc))
		return value_wrong;
	return v;
}

struct value builtin_slink(struct eval *ev, const struct call *c)
{
	const struct arg *over = builtin_find_field(c, "over");

	return over ? slink_across(ev, c, over) : slink_between(ev, c, &c->args[0], &c->args[1]);
}

bool builtin_join_substrate(struct eval *ev, const struct call *c, const struct arg *a,
			    const struct arg *b)
{
	struct call only = *c;

	only.fields = arena_alloc(ev->arena, (c->n_fields + 1) * sizeof(*only.fields));
	only.n_fields = 0;
	for (size_t i = 0; i < c->n_fields; i++)
		if (is_cable_field(c->fields[i].name) ||
		    !strcmp(c->fields[i].name, "encapsulation"))
			only.fields[only.n_fields++] = c->fields[i];
	return slink_between(ev, &only, a, b).kind == VALUE_SLINK;
}

/* A member: with a cable to the device, unless its interface has one. */
static bool join_lan(struct eval *ev, const struct call *c, struct world_slink *l,
		     const struct arg *device, const struct arg *member, bool *laid)
{
	struct world_nic *nic = want_interface(ev, member);

	if (!nic)
		return false;
	l->ends[l->n_ends++] = nic;
	if (nic->cable)
		return true;
	struct world_nic *port = builtin_end(ev, device);
	struct world_cable *cable = port ? lay_cable(ev, c, l, nic, port, member->loc) : NULL;

	*laid = true;
	return cable != NULL;
}

static struct value slan_members(struct eval *ev, const struct call *c,
				 const struct builtin_args *ends)
{
	const struct arg *device = &c->args[0];
	const struct arg *rate = builtin_find_field(c, "rate");
	struct world_slink *l = make_slink(ev, c->loc, SLINK_LAN);
	bool laid = false;

	if (!l || !set_slink_fields(ev, l, c, NULL))
		return value_wrong;
	if (rate && !want_rate(ev, "rate", &rate->v, rate->loc, &l->rate_bps[0]))
		return value_wrong;
	if (rate)
		l->rate_loc = rate->loc;
	if (!eval_spend(ev, c->loc, 1, ends->list.n * sizeof(struct world_nic *)))
		return value_wrong;
	l->ends = arena_alloc(ev->arena, (ends->list.n + 1) * sizeof(struct world_nic *));
	for (size_t i = 0; i < ends->list.n; i++)
		if (!join_lan(ev, c, l, device, &ends->list.at[i], &laid))
			return value_wrong;
	for (size_t i = 0; i < c->n_fields && !laid; i++)
		if (is_cable_field(c->fields[i].name) && strcmp(c->fields[i].name, "rate") != 0) {
			refuse_cable_field(ev, &c->fields[i], "no cable is laid here");
			return value_wrong;
		}
	return (struct value){.kind = VALUE_SLINK, .slink = l};
}

struct value builtin_slan(struct eval *ev, const struct call *c)
{
	const struct value *device = &c->args[0].v;
	struct value v = value_wrong;
	struct builtin_args ends = {0};
	bool ok = true;

	if (device->kind != VALUE_NODE || !node_kind_is_device(device->node->kind))
		return eval_wrong(
			ev, c->args[0].loc,
			"a LAN begins with its switch or hub: slan(alloc(switch), s1, s2)");
	if (device->node->is_removed)
		return builtin_is_gone(ev, c->args[0].loc, device->node);
	for (size_t i = 1; i < c->n_args && ok; i++)
		ok = builtin_each(ev, &c->args[i], builtin_collect, &ends);
	if (ok)
		v = slan_members(ev, c, &ends);
	vec_free(&ends.list);
	return v;
}

/* ---- virtual networks ---- */

struct value builtin_vnet(struct eval *ev, const struct call *c)
{
	static const char *const fields[] = {"share", "name"};
	const char *text;

	if (ev->world->n_vnets >= WORLD_MAX_VNETS)
		return eval_wrong(ev, c->loc, "more than %d vNets", WORLD_MAX_VNETS);
	if (!eval_spend(ev, c->loc, 1, sizeof(struct world_vnet)))
		return value_wrong;
	struct world_vnet *n = arena_alloc(ev->arena, sizeof(*n));
	struct value v = {.kind = VALUE_VNET, .vnet = n};

	n->loc = n->name_loc = n->share_loc = c->loc;
	n->share_ppm = -1;
	n->number = ev->world->n_vnets++;
	world_append(&ev->world->vnets_end, n);
	for (size_t i = 0; i < c->n_fields; i++) {
		const struct arg *f = &c->fields[i];
		bool ok = false;

		if (!strcmp(f->name, "name"))
			ok = builtin_want_text(ev, f, "a name", &text) &&
			     eval_set_name(ev, &v, text, f->loc);
		else if (!strcmp(f->name, "share"))
			ok = want_share(ev, f, &n->share_ppm);
		else
			builtin_unknown_field(ev, "vnet()", f, fields, ARRAY_LEN(fields));
		if (!ok)
			return value_wrong;
		n->share_loc = f->loc;
	}
	return v;
}

/* ---- virtual links ---- */

static struct world_vlink *make_vlink(struct eval *ev, struct loc loc)
{
	if (ev->world->n_vlinks >= WORLD_MAX_VLINKS) {
		eval_wrong(ev, loc, "more than %d virtual links", WORLD_MAX_VLINKS);
		ev->is_stopped = true;
		return NULL;
	}
	if (!eval_spend(ev, loc, 1, sizeof(struct world_vlink)))
		return NULL;
	struct world_vlink *v = arena_alloc(ev->arena, sizeof(*v));

	v->loc = v->name_loc = loc;
	v->number = ev->world->n_vlinks++;
	world_append(&ev->world->vlinks_end, v);
	return v;
}

/* A NIC of a virtual node, in which nothing is plugged. */
static bool add_vlink_end(struct eval *ev, struct world_vlink *v, const struct arg *end)
{
	struct world_nic *nic = builtin_end(ev, end);

	if (!nic)
		return false;
	const struct world_node *node = nic->node;
	const char *name = world_describe_node(ev->world, node);

	if (!node->vnet) {
		eval_wrong(ev, end->loc,
			   node->kind == NODE_SUBSTRATE
				   ? "%s is a substrate node: join those by slink()"
				   : "%s belongs to no vNet: write vnet = ... in its alloc()",
			   name);
		return false;
	}
	if (v->vnet && v->vnet != node->vnet) {
		eval_wrong(ev, end->loc,
			   "%s belongs to another vNet than %s: vNets are apart, only a node with "
			   "ordinary NICs too can join them",
			   name, world_describe_node(ev->world, v->ends[0]->node));
		return false;
	}
	if (!v->lan && v->n_ends && v->ends[0]->node == node) {
		eval_wrong(ev, end->loc, "both ends of the virtual link are %s", name);
		return false;
	}
	v->vnet = node->vnet;
	v->ends[v->n_ends++] = nic;
	nic->vlink = v;
	return true;
}

static bool read_stop(struct eval *ev, const struct arg *item, struct world_stop *stop)
{
	*stop = (struct world_stop){.loc = item->loc};
	if (item->v.kind == VALUE_NODE && item->v.node->kind == NODE_SUBSTRATE) {
		stop->node = item->v.node;
	} else if (item->v.kind == VALUE_CABLE &&
		   eval_spend(ev, item->loc, ev->world->n_slinks / 16, 0) &&
		   world_slink_over(ev->world, item->v.cable)) {
		stop->slink = world_slink_over(ev->world, item->v.cable);
	} else if (item->v.kind == VALUE_SLINK && item->v.slink->kind != SLINK_LAN) {
		stop->slink = item->v.slink;
	} else {
		eval_wrong(ev, item->loc,
			   item->v.kind == VALUE_SLINK
				   ? "via passes point-to-point links: join two of the LAN's "
				     "nodes by slink(a, b, over = lan)"
				   : "via wants substrate nodes and substrate links");
		return false;
	}
	return true;
}

static bool set_via(struct eval *ev, struct world_vlink *v, const struct arg *f)
{
	struct builtin_args stops = {0};
	bool ok = builtin_each(ev, f, builtin_collect, &stops);

	if (ok && stops.list.n > WORLD_MAX_STOPS) {
		eval_wrong(ev, f->loc, "via has more than %d items", WORLD_MAX_STOPS);
		ok = false;
	}
	v->n_via = ok ? stops.list.n : 0;
	ok = ok && eval_spend(ev, f->loc, v->n_via, v->n_via * sizeof(*v->via));
	v->via = arena_alloc(ev->arena, (v->n_via + 1) * sizeof(*v->via));
	for (size_t i = 0; i < v->n_via && ok; i++)
		ok = read_stop(ev, &stops.list.at[i], &v->via[i]);
	vec_free(&stops.list);
	return ok;
}

/* min or max, of the directions from `first` up to and without `end`. */
static bool set_rates(struct eval *ev, struct world_vlink *v, const char *name,
		      const struct value *given, struct loc loc, int first, int end)
{
	int64_t *rates = !strcmp(name, "min") ? v->min_bps : v->max_bps;
	int64_t rate;

	if (!want_rate(ev, name, given, loc, &rate))
		return false;
	for (int i = first; i < end; i++)
		rates[i] = rate;
	return true;
}

bool builtin_is_vlink_field(const char *name)
{
	return !strcmp(name, "min") || !strcmp(name, "max") || !strcmp(name, "via");
}

static bool set_direction(struct eval *ev, struct world_vlink *v, const struct arg *f, int dir)
{
	static const char *const known[] = {"min", "max"};

	if (f->v.kind != VALUE_DICT) {
		eval_wrong(ev, f->loc, "%s wants a group such as {min = 10Mbit, max = 50Mbit}",
			   f->name);
		return false;
	}
	for (const struct value_field *d = f->v.dict->first; d; d = d->next) {
		struct arg a = {.name = d->name, .name_loc = d->loc};

		if (strcmp(d->name, "min") != 0 && strcmp(d->name, "max") != 0) {
			builtin_unknown_field(ev, "a virtual link", &a, known, ARRAY_LEN(known));
			return false;
		}
		if (!set_rates(ev, v, d->name, &d->value, d->loc, dir, dir + 1))
			return false;
	}
	return true;
}

static bool set_vlink_field(struct eval *ev, struct world_vlink *v, const struct arg *f)
{
	static const char *const known[] = {"min", "max", "via", "forward", "back", "name"};
	struct value value = {.kind = VALUE_VLINK, .vlink = v};
	const char *text;

	if (!strcmp(f->name, "name"))
		return builtin_want_text(ev, f, "a name", &text) &&
		       eval_set_name(ev, &value, text, f->loc);
	for (size_t i = 0; i < ARRAY_LEN(known) && v->lan; i++) {
		if (strcmp(known[i], f->name) != 0)
			continue;
		eval_wrong(ev, f->name_loc,
			   "a multi-access virtual link is best effort: it has no '%s'", f->name);
		return false;
	}
	if (!strcmp(f->name, "min") || !strcmp(f->name, "max"))
		return set_rates(ev, v, f->name, &f->v, f->loc, 0, 2);
	if (!strcmp(f->name, "forward"))
		return set_direction(ev, v, f, 0);
	if (!strcmp(f->name, "back"))
		return set_direction(ev, v, f, 1);
	if (!strcmp(f->name, "via"))
		return set_via(ev, v, f);
	builtin_unknown_field(ev, "a virtual link", f, known, ARRAY_LEN(known));
	return false;
}

/* Those of both directions first, then those of one. */
static bool set_vlink_fields(struct eval *ev, struct world_vlink *v, const struct call *c)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < c->n_fields; i++) {
			const struct arg *f = &c->fields[i];
			bool is_direction = !strcmp(f->name, "forward") || !strcmp(f->name, "back");

			if (is_direction == (pass == 1) && !set_vlink_field(ev, v, f))
				return false;
		}
	}
	for (int i = 0; i < 2; i++) {
		char low[32];
		char high[32];

		if (!v->max_bps[i] || v->min_bps[i] <= v->max_bps[i])
			continue;
		eval_wrong(ev, c->loc, "the minimum, %s, is above the maximum, %s",
			   unit_format(UNIT_RATE, v->min_bps[i], low, sizeof(low)),
			   unit_format(UNIT_RATE, v->max_bps[i], high, sizeof(high)));
		return false;
	}
	return true;
}

static struct value vlink_ends(struct eval *ev, const struct call *c, const struct arg *ends,
			       size_t n)
{
	struct world_slink *lan = ends[0].v.kind == VALUE_SLINK ? ends[0].v.slink : NULL;

	if (lan && (lan->kind != SLINK_LAN || lan->is_removed))
		return eval_wrong(ev, ends[0].loc,
				  lan->is_removed
					  ? "this LAN is gone"
					  : "a multi-access virtual link is on a LAN, which slan() "
					    "gives back; to pass this link, write via = ...");
	if (lan ? n < 2 : n != 2)
		return eval_wrong(ev, c->loc,
				  lan ? "a multi-access virtual link joins one node at least"
				      : "a virtual link has two ends; to join more, name a LAN "
					"first: vlink(lan, ...)");
	struct world_vlink *v = make_vlink(ev, c->loc);

	if (!v || !eval_spend(ev, c->loc, 1, n * sizeof(struct world_nic *)))
		return value_wrong;
	v->lan = lan;
	v->ends = arena_alloc(ev->arena, (n + 1) * sizeof(struct world_nic *));
	for (size_t i = lan ? 1 : 0; i < n; i++)
		if (!add_vlink_end(ev, v, &ends[i]))
			return value_wrong;
	if (!set_vlink_fields(ev, v, c))
		return value_wrong;
	return (struct value){.kind = VALUE_VLINK, .vlink = v};
}

struct value builtin_vlink(struct eval *ev, const struct call *c)
{
	struct value v = value_wrong;
	struct builtin_args ends = {0};
	bool ok = true;

	for (size_t i = 0; i < c->n_args && ok; i++)
		ok = builtin_each(ev, &c->args[i], builtin_collect, &ends);
	if (ok && ends.list.n)
		v = vlink_ends(ev, c, ends.list.at, ends.list.n);
	else if (ok)
		v = eval_wrong(ev, c->loc, "a virtual link has two ends");
	vec_free(&ends.list);
	return v;
}

bool builtin_join_virtual(struct eval *ev, const struct call *c, const struct arg *a,
			  const struct arg *b)
{
	struct call only = *c;
	struct arg ends[2] = {*a, *b};

	only.fields = arena_alloc(ev->arena, (c->n_fields + 1) * sizeof(*only.fields));
	only.n_fields = 0;
	for (size_t i = 0; i < c->n_fields; i++)
		if (builtin_is_vlink_field(c->fields[i].name) ||
		    !strcmp(c->fields[i].name, "forward") || !strcmp(c->fields[i].name, "back"))
			only.fields[only.n_fields++] = c->fields[i];
	return vlink_ends(ev, &only, ends, 2).kind == VALUE_VLINK;
}

/* ---- changes ---- */

static struct value set_node(struct eval *ev, const struct call *c, struct world_node *n)
{
	static const char *const known[] = {"on"};

	if (n->is_removed)
		return builtin_is_gone(ev, c->args[0].loc, n);
	if (!n->vnet)
		return eval_wrong(ev, c->args[0].loc, "%s belongs to no vNet",
				  world_describe_node(ev->world, n));
	for (size_t i = 0; i < c->n_fields; i++) {
		if (strcmp(c->fields[i].name, "on") != 0) {
			builtin_unknown_field(ev, "a virtual node", &c->fields[i], known, 1);
			return value_wrong;
		}
		if (!builtin_set_place(ev, n, &c->fields[i]))
			return value_wrong;
	}
	return value_none;
}

static struct value set_vnet(struct eval *ev, const struct call *c, struct world_vnet *n)
{
	static const char *const known[] = {"share"};

	for (size_t i = 0; i < c->n_fields; i++) {
		if (strcmp(c->fields[i].name, "share") != 0) {
			builtin_unknown_field(ev, "a vNet", &c->fields[i], known, 1);
			return value_wrong;
		}
		if (!want_share(ev, &c->fields[i], &n->share_ppm))
			return value_wrong;
		n->share_loc = c->fields[i].loc;
	}
	return value_none;
}

struct value builtin_set(struct eval *ev, const struct call *c)
{
	const struct value *what = &c->args[0].v;

	if (!c->n_fields)
		return eval_wrong(ev, c->loc, "set() wants to know what: write %s",
				  builtin_find("set")->usage);
	switch (what->kind) {
	case VALUE_NODE:
		return set_node(ev, c, what->node);
	case VALUE_VNET:
		return set_vnet(ev, c, what->vnet);
	case VALUE_VLINK:
		if (what->vlink->is_removed)
			return eval_wrong(ev, c->args[0].loc, "this virtual link is gone");
		return set_vlink_fields(ev, what->vlink, c) ? value_none : value_wrong;
	default:
		return eval_wrong(ev, c->args[0].loc,
				  "expected a virtual link, a vNet or a virtual node, not %s",
				  value_kind_name(what));
	}
}

static void free_name(struct eval *ev, const char *name)
{
	if (name)
		names_put(&ev->world->names, ev->arena, name, value_none);
}

static void free_vnet(struct eval *ev, struct world_vnet *v, struct loc loc)
{
	v->is_removed = true;
	eval_spend(ev, loc, ev->world->n_nodes / 16, 0);
	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		if (n->vnet != v || n->is_removed)
			continue;
		builtin_remove_node(ev, n);
		free_name(ev, n->name);
	}
}

static void free_slink(struct eval *ev, struct world_slink *l, struct loc loc)
{
	l->is_removed = true;
	eval_spend(ev, loc, ev->world->n_cables / 16, 0);
	for (struct world_cable *c = ev->world->cables; c; c = c->next) {
		if (c->slink != l || c->is_removed)
			continue;
		world_unplug(c, 0);
		world_unplug(c, 1);
		c->is_removed = true;
	}
}

void builtin_leave_slinks(struct eval *ev, const struct world_node *n)
{
	for (struct world_slink *l = ev->world->slinks; l; l = l->next) {
		size_t left = 0;

		for (size_t i = 0; i < l->n_ends && !l->is_removed; i++)
			if (l->ends[i]->node != n)
				l->ends[left++] = l->ends[i];
		if (l->is_removed || left == l->n_ends)
			continue;
		if (l->manager == n)
			l->manager = NULL;
		l->n_ends = left;
		l->is_removed = l->kind != SLINK_LAN || !left;
	}
}

bool builtin_free_virtual(struct eval *ev, const struct arg *a)
{
	const struct value *v = &a->v;
	struct world_label label;

	if (v->kind == VALUE_VNET)
		free_vnet(ev, v->vnet, a->loc);
	else if (v->kind == VALUE_SLINK)
		free_slink(ev, v->slink, a->loc);
	else if (v->kind == VALUE_VLINK)
		world_remove_vlink(v->vlink);
	else
		return false;
	if (world_label(v, &label))
		free_name(ev, *label.name);
	return true;
}
