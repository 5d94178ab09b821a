/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Cables: their parameters, and how they are plugged: plug, unplug, link, impair. What holds for
 * both directions is set before what holds for one, in whatever order it is written: a call's
 * parameters have no order.
 */
#include "lib/vec.h"
#include "topo/builtin.h"

#include <string.h>

/* ---- parameters ---- */

/*
 * The table of parameters (lib/linkspec.c) reads numbers with their units, and text; it does not
 * know values of the language. This is the border between the two.
 */
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
		if (!strcmp(f->name, "framing")) {
			eval_wrong(ev, f->loc,
				   "framing is the same in both directions: "
				   "link(a, b, framing = hdlc)");
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
		bool up;

		if (!builtin_want_bool(ev, field, &up))
			return false;
		graph_cut_set(&c->cut, (struct graph_side){PART_ALL, 0}, !up);
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

/* ---- cables ---- */

/*
 * At the limit the whole evaluation stops: a script that makes too many cables does so in a loop.
 */
struct world_cable *builtin_make_cable(struct eval *ev, struct loc loc)
{
	if (ev->world->n_cables >= WORLD_MAX_CABLES) {
		eval_wrong(ev, loc, "more than %d cables", WORLD_MAX_CABLES);
		ev->is_stopped = true;
		return NULL;
	}
	return world_add_cable(ev->world, loc);
}

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

/*
 * The first end that is free. The order of the ends matters: "forward" is from the first to the
 * second in the order in which they were plugged.
 */
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

static struct value run_plug(struct eval *ev, const struct call *c)
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

static struct value run_unplug(struct eval *ev, const struct call *c)
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

static struct world_cable *link_pair(struct eval *ev, const struct call *c, const struct arg *a,
				     const struct arg *b)
{
	struct world_nic *na = builtin_end(ev, a);
	/* link(a, a) is to be called that, not a lack of a second NIC. */
	bool same = na && b->v.kind == VALUE_NODE && b->v.node == na->node;
	struct world_nic *nb = !na ? NULL : same ? na : builtin_end(ev, b);
	struct world_cable *cable = nb ? builtin_join(ev, b->loc, na, nb) : NULL;

	return cable && builtin_cable_fields(ev, cable, c) ? cable : NULL;
}

/*
 * What comes back depends on what was linked. Two ends give their cable; a switch or hub with any
 * number of ends gives the device itself, for `sw = link(alloc(switch), a, b)`.
 */
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

static struct value run_link(struct eval *ev, const struct call *c)
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

/*
 * said_link and said_up count what the script has said of a cable. Cables can also be changed by
 * hand in a running lab; what the script says anew, even if it is the same, goes before that.
 */
static struct value run_impair(struct eval *ev, const struct call *c)
{
	struct world_cable *cable = builtin_find_cable(ev, c);

	if (!cable || !builtin_cable_fields(ev, cable, c))
		return value_wrong;
	cable->said_link++;
	return value_none;
}

static bool free_cable(struct eval *ev, const struct arg *a)
{
	if (a->v.kind != VALUE_CABLE)
		return false;
	world_unplug(a->v.cable, 0);
	world_unplug(a->v.cable, 1);
	a->v.cable->is_removed = true;
	return true;
}

static const struct builtin functions[] = {
	{.name = "plug", .run = run_plug, .min = 2, .max = 3, .usage = "plug(cable, NIC(node))"},
	{.name = "unplug",
	 .run = run_unplug,
	 .min = 1,
	 .max = -1,
	 .usage = "unplug(NIC or cable, ...)"},
	{.name = "link",
	 .run = run_link,
	 .min = 1,
	 .max = -1,
	 .has_fields = true,
	 .usage = "link(a, b) or link(switch, a, b, c, ...)"},
	{.name = "impair",
	 .run = run_impair,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "impair(cable, delay = 5ms, ...) or impair(a, b, ...)"},
};

const struct builtin_part builtin_cable_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.free = free_cable,
};
