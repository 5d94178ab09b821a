/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * cut, mend: cables that are cut, whole, at one end or in one direction, and mended. down and up
 * are other names for them.
 *
 * A cut is a state of the cable, not a parameter of its direction: the lab keeps it apart from what
 * impair() says, so that mending a cable gives back all its parameters. At a time they are events
 * (event.c).
 */
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <string.h>

/* Which end of the cable a NIC or node is in; -1: none. */
static int end_of(const struct world_cable *cable, const struct value *v)
{
	for (int i = 0; i < 2; i++) {
		const struct world_nic *nic = cable->end[i];

		if (nic && (v->kind == VALUE_NIC    ? v->nic == nic
			    : v->kind == VALUE_NODE ? v->node == nic->node
						    : false))
			return i;
	}
	return -1;
}

static bool read_end(struct eval *ev, const struct arg *f, const struct world_cable *cable,
		     struct graph_side *side)
{
	int end = end_of(cable, &f->v);

	if (end < 0) {
		eval_wrong(ev, f->loc, "end is the node or NIC at one of the ends of the cable");
		return false;
	}
	*side = (struct graph_side){PART_END, (unsigned)end};
	return true;
}

bool builtin_read_side(struct eval *ev, const struct call *c, const struct world_cable *cable,
		       struct graph_side *side)
{
	static const char *const known[] = {"one_way", "end"};
	int from = end_of(cable, &c->args[0].v);

	*side = (struct graph_side){PART_ALL, 0};
	for (size_t i = 0; i < c->n_fields; i++) {
		const struct arg *f = &c->fields[i];

		if (i) {
			eval_wrong(ev, f->name_loc, "either one_way or end");
			return false;
		}
		if (!strcmp(f->name, "end"))
			return read_end(ev, f, cable, side);
		if (strcmp(f->name, "one_way") != 0) {
			builtin_unknown_field(ev, "a cut", f, known, ARRAY_LEN(known));
			return false;
		}
		bool one_way;

		if (!builtin_want_bool(ev, f, &one_way))
			return false;
		/* A cable by itself: from its first end, as with forward. */
		if (one_way)
			*side = (struct graph_side){PART_DIR, from < 0 ? 0 : (unsigned)from};
	}
	return true;
}

static struct value set_up(struct eval *ev, const struct call *c, bool up)
{
	struct world_cable *cable = builtin_find_cable(ev, c);
	struct graph_side side;

	if (!cable || !builtin_read_side(ev, c, cable, &side))
		return value_wrong;
	graph_cut_set(&cable->cut, side, !up);
	cable->said_up++;
	return value_none;
}

static struct value run_up(struct eval *ev, const struct call *c)
{
	return set_up(ev, c, true);
}

static struct value run_down(struct eval *ev, const struct call *c)
{
	return set_up(ev, c, false);
}

static const struct builtin functions[] = {
	{.name = "cut",
	 .run = run_down,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "cut(cable) or cut(a, b)"},
	{.name = "mend",
	 .run = run_up,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "mend(cable) or mend(a, b)"},
	{.name = "up",
	 .run = run_up,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "up(cable) or up(a, b)"},
	{.name = "down",
	 .run = run_down,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "down(cable) or down(a, b)"},
};

const struct builtin_part builtin_cut_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
};
