/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Substrate links: slink, slan.
 *
 * A substrate link is laid over cables. slink(s1, s2) lays one of its own, unless the interfaces
 * named have cables already; slink(..., over = lan) lays none, but uses the interfaces by which the
 * two nodes are members of a LAN; slan(switch, ...) is a LAN, with a cable from each member to the
 * switch.
 *
 * Parameters of a call belong to the link or to the cables that it lays. The former are set first,
 * because the kind of the link decides which of the latter make sense: where no cable is laid, none
 * can be given (refuse_cable_field()).
 */
#include "lib/vec.h"
#include "lib/xalloc.h"
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
		eval_wrong(ev, f->loc, "encapsulation is ethernet, udp, gre or mpls");
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
		l->manager = builtin_want_substrate(ev, f);
		return l->manager != NULL;
	}
	*known = false;
	return true;
}

/* Refuses a parameter of a cable where no cable is laid. */
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

static struct value run_slink(struct eval *ev, const struct call *c)
{
	const struct arg *over = builtin_find_field(c, "over");

	return over ? slink_across(ev, c, over) : slink_between(ev, c, &c->args[0], &c->args[1]);
}

/*
 * A shape's call has parameters for its nodes as well: only those that a substrate link can have
 * are passed on.
 */
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
	if (rate && !builtin_want_rate(ev, "rate", &rate->v, rate->loc, &l->rate_bps[0]))
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

static struct value run_slan(struct eval *ev, const struct call *c)
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

/* Only cables that this link has laid go with it; those that were there before it stay. */
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

/*
 * Takes a substrate node out of all its links; those that then join nothing go. A LAN goes on with
 * the members that are left; if its manager was the node that goes, another member is chosen
 * (check_substrate.c).
 */
static void leave_slinks(struct eval *ev, struct world_node *n)
{
	if (n->kind != NODE_SUBSTRATE)
		return;
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

static bool free_substrate(struct eval *ev, const struct arg *a)
{
	if (a->v.kind != VALUE_SLINK)
		return false;
	free_slink(ev, a->v.slink, a->loc);
	return true;
}

static const char *encap_word(size_t i)
{
	return i < ENCAPS ? graph_encap_name((enum graph_encap)i) : NULL;
}

static const struct builtin functions[] = {
	{.name = "slink",
	 .run = run_slink,
	 .min = 2,
	 .max = 2,
	 .has_fields = true,
	 .usage = "slink(s1, s2, rate = 100Mbit, ...) or slink(s1, s2, over = lan)"},
	{.name = "slan",
	 .run = run_slan,
	 .min = 2,
	 .max = -1,
	 .has_fields = true,
	 .usage = "slan(switch, s1, s2, ..., rate = 100Mbit, vlan = 100)"},
};

static const struct builtin_words words[] = {{"encapsulation", encap_word}};

const struct builtin_part builtin_substrate_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.words = words,
	.n_words = ARRAY_LEN(words),
	.free = free_substrate,
	.node_goes = leave_slinks,
};
