/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtual links, places of virtual nodes, and what can be changed of what is virtual: vlink, set.
 * Where things are placed, and whether rates suffice, is not decided here but for all of them
 * together, when the script is through (check_embedding.c).
 */
#include "lib/vec.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <stdlib.h>
#include <string.h>

/* ---- places ---- */

/*
 * Where the script says it, with its place in the text: if the substrate node has no room, that is
 * what the message is about.
 */
static bool set_place(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		      const struct arg *a)
{
	struct world_node *place = builtin_want_substrate(ev, a);

	if (!place)
		return false;
	n->place = place;
	n->place_loc = a->loc;
	return true;
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

	v->loc = v->name_loc = v->min_loc = loc;
	v->number = ev->world->n_vlinks++;
	world_append(&ev->world->vlinks_end, v);
	return v;
}

/* True if all ends that the link has by now are in the vNet. */
static bool is_common(const struct world_vlink *v, const struct world_vnet *vnet)
{
	for (size_t i = 0; i < v->n_ends; i++)
		if (!world_is_in_vnet(v->ends[i]->node, vnet))
			return false;
	return true;
}

static bool has_common(const struct world_vlink *v, const struct world_node *other)
{
	for (size_t i = 0; i < other->n_vnets; i++)
		if (is_common(v, other->vnets[i]))
			return true;
	return false;
}

/*
 * The vNet of a link is the one that all its ends are in. Where that leaves a choice, the script
 * makes it.
 */
static bool choose_vnet(struct eval *ev, const struct call *c, struct world_vlink *v)
{
	const struct arg *said = builtin_find_field(c, "vnet");
	const struct world_node *first = v->ends[0]->node;
	size_t n = 0;

	if (said) {
		v->vnet = builtin_want_vnet(ev, said);
		if (v->vnet && !is_common(v, v->vnet)) {
			eval_wrong(ev, said->loc,
				   "not all ends of the virtual link are in this vNet");
			return false;
		}
		return v->vnet != NULL;
	}
	for (size_t i = first->n_vnets; i-- > 0;) {
		if (!is_common(v, first->vnets[i]))
			continue;
		v->vnet = first->vnets[i];
		n++;
	}
	if (n == 1)
		return true;
	eval_wrong(ev, c->loc,
		   "the ends of the virtual link have %zu vNets in common: say which is meant, as "
		   "in vlink(a, b, vnet = red)",
		   n);
	return false;
}

/* A NIC of a virtual node, in which nothing is plugged. */
static bool add_vlink_end(struct eval *ev, struct world_vlink *v, const struct arg *end)
{
	struct world_nic *nic = builtin_end(ev, end);

	if (!nic)
		return false;
	const struct world_node *node = nic->node;
	const char *name = world_describe_node(ev->world, node);

	if (!node->n_vnets) {
		eval_wrong(ev, end->loc,
			   node->kind == NODE_SUBSTRATE
				   ? "%s is a substrate node: join those by slink()"
				   : "%s belongs to no vNet: write vnet = ... in its alloc()",
			   name);
		return false;
	}
	if (v->n_ends && !has_common(v, node)) {
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
	v->ends[v->n_ends++] = nic;
	nic->vlink = v;
	return true;
}

/*
 * A cable is taken for the substrate link that runs over it: people who laid it themselves, and
 * gave it a name, think of it rather than of the link.
 */
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

/*
 * The stops are only noted. Whether a way leads past all of them, in this order and with room for
 * the minimum, is for the embedding to find out.
 */
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

	if (!builtin_want_rate(ev, name, given, loc, &rate))
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

static bool set_vlink_field(struct eval *ev, struct world_vlink *v, const struct arg *f,
			    bool is_new)
{
	static const char *const known[] = {"min", "max", "via", "forward", "back", "name"};
	struct value value = {.kind = VALUE_VLINK, .vlink = v};
	const char *text;

	if (is_new && !strcmp(f->name, "vnet"))
		return true; /* choose_vnet() */
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
static bool set_vlink_fields(struct eval *ev, struct world_vlink *v, const struct call *c,
			     bool is_new)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i < c->n_fields; i++) {
			const struct arg *f = &c->fields[i];
			bool is_direction = !strcmp(f->name, "forward") || !strcmp(f->name, "back");

			if (is_direction == (pass == 1) && !set_vlink_field(ev, v, f, is_new))
				return false;
			if (is_direction || !strcmp(f->name, "min"))
				v->min_loc = c->loc;
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

/*
 * Two ends make a point-to-point link, which may have minima and a way; a LAN in front makes a
 * multi-access one, which has neither: it is best effort, wherever its members are.
 */
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
	if (!choose_vnet(ev, c, v))
		return value_wrong;
	if (!set_vlink_fields(ev, v, c, true))
		return value_wrong;
	return (struct value){.kind = VALUE_VLINK, .vlink = v};
}

static struct value run_vlink(struct eval *ev, const struct call *c)
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

/*
 * For shapes of virtual nodes. Of the call's fields only those of virtual links are passed on; the
 * rest is of the nodes, or the shape's own.
 */
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

/* The policy of a substrate node for the links that begin there. */
static struct value change_policy(struct eval *ev, const struct call *c, struct world_node *n)
{
	for (size_t i = 0; i < c->n_fields; i++) {
		bool is_field = false;

		for (size_t k = 0; k < GRAPH_POLICY_KEYS; k++)
			is_field |= !strcmp(c->fields[i].name, graph_policy_keys[k]);
		if (!is_field) {
			builtin_unknown_field(ev, "a substrate node that is there", &c->fields[i],
					      graph_policy_keys, GRAPH_POLICY_KEYS);
			return value_wrong;
		}
		if (!builtin_node_field(ev, n, &c->fields[i], &is_field))
			return value_wrong;
	}
	return value_none;
}

/*
 * Moving a virtual node is all that can be changed of one: its vNet decides what it may be joined
 * to, and a node that changed it would have links to strangers.
 */
static struct value change_node(struct eval *ev, const struct call *c, struct world_node *n)
{
	static const char *const known[] = {"on"};

	if (n->is_removed)
		return builtin_is_gone(ev, c->args[0].loc, n);
	if (n->kind == NODE_SUBSTRATE)
		return change_policy(ev, c, n);
	if (!n->n_vnets)
		return eval_wrong(
			ev, c->args[0].loc,
			"%s belongs to no vNet, and set() changes what does: other nodes get "
			"their parameters in alloc()",
			world_describe_node(ev->world, n));
	for (size_t i = 0; i < c->n_fields; i++) {
		if (strcmp(c->fields[i].name, "on") != 0) {
			builtin_unknown_field(ev, "a virtual node", &c->fields[i], known, 1);
			return value_wrong;
		}
		if (!set_place(ev, n, NULL, &c->fields[i]))
			return value_wrong;
	}
	return value_none;
}

static struct value run_set(struct eval *ev, const struct call *c)
{
	const struct value *what = &c->args[0].v;

	if (!c->n_fields)
		return eval_wrong(ev, c->loc, "set() wants to know what: write %s",
				  builtin_find("set")->usage);
	switch (what->kind) {
	case VALUE_NODE:
		return change_node(ev, c, what->node);
	case VALUE_VNET:
		return builtin_change_vnet(ev, c, what->vnet);
	case VALUE_VLINK:
		if (what->vlink->is_removed)
			return eval_wrong(ev, c->args[0].loc, "this virtual link is gone");
		return set_vlink_fields(ev, what->vlink, c, false) ? value_none : value_wrong;
	default:
		return eval_wrong(ev, c->args[0].loc,
				  "expected a virtual link, a vNet, a virtual node or a substrate "
				  "node, not %s",
				  value_kind_name(what));
	}
}

static bool free_virtual(struct eval *ev, const struct arg *a)
{
	if (a->v.kind != VALUE_VLINK)
		return false;
	world_remove_vlink(a->v.vlink);
	return true;
}

static const struct builtin functions[] = {
	{.name = "vlink",
	 .run = run_vlink,
	 .min = 2,
	 .max = -1,
	 .has_fields = true,
	 .usage = "vlink(a, b, min = 10Mbit, max = 50Mbit) or vlink(lan, a, b, ...)"},
	{.name = "set",
	 .run = run_set,
	 .min = 1,
	 .max = 1,
	 .has_fields = true,
	 .usage = "set(virtual link, min = 10Mbit, max = 50Mbit), set(vNet, share = 30%), "
		  "set(virtual node, on = s1) or set(substrate node, idle = 2s)"},
};

static const struct builtin_field fields[] = {
	{.name = "on", .kinds = BUILTIN_VIRTUAL, .set_node = set_place},
};

const struct builtin_part builtin_virtual_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.free = free_virtual,
};
