/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A name is a promise: files, MAC addresses and commands are made of it. So names depend on the
 * script alone, never on the order in which something runs: kinds and variables with numbers, in
 * the order of the script.
 */
#include "topo/naming.h"

#include <ctype.h>
#include <string.h>

/* ---- nodes, cables ---- */

/* A variable that holds nothing any more (its node was freed) leaves its name free. */
static bool is_taken(const struct eval *ev, const char *name)
{
	const struct value *v = names_get(&ev->world->names, name);

	return v && v->kind != VALUE_NONE;
}

/*
 * The first free one of NAME1, NAME2, ...; `next` remembers how far it got for each NAME. A digit
 * at the end gets "_" before the number: r1 and 2 would make r12.
 */
static const char *free_name(struct eval *ev, struct names *next, const char *base)
{
	struct value *v = names_get(next, base);
	int64_t i = v ? v->number : 1;
	size_t len = strlen(base);
	const char *name;

	do {
		name = arena_printf(ev->arena, "%s%s%lld", base,
				    isdigit((unsigned char)base[len - 1]) ? "_" : "",
				    (long long)i++);
	} while (is_taken(ev, name));
	names_put(next, ev->arena, base, value_number(i));
	return name;
}

/*
 * Nodes that nobody named: after the variable of the function that made them, or their kind.
 *
 * They are counted by their hint first. One that is alone with it gets the hint as it is, of
 * several each has a number.
 */
void naming_nodes(struct eval *ev)
{
	struct names next = {0};
	struct names hints = {0};

	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		const struct value *seen = n->hint ? names_get(&hints, n->hint) : NULL;

		if (!n->name && !n->is_removed && n->hint)
			names_put(&hints, ev->arena, n->hint,
				  value_number(seen ? seen->number + 1 : 1));
	}
	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		if (n->name || n->is_removed)
			continue;
		const char *base = n->hint ? n->hint : node_kind_name(n->kind);
		const struct value *alike = n->hint ? names_get(&hints, n->hint) : NULL;

		n->name = alike && alike->number == 1 && !is_taken(ev, base)
				  ? base
				  : free_name(ev, &next, base);
		names_put(&ev->world->names, ev->arena, n->name,
			  (struct value){.kind = VALUE_NODE, .node = n});
	}
}

/*
 * After both ends, with dots, which no name of a script may have: such a name cannot collide, and
 * cables that are laid in another order keep theirs.
 */
void naming_cables(struct eval *ev)
{
	for (struct world_cable *c = ev->world->cables; c; c = c->next)
		if (!c->name && c->end[0] && c->end[1])
			c->name = arena_printf(ev->arena, "%s.%s-%s.%s", c->end[0]->node->name,
					       world_nic_name(ev->arena, c->end[0]),
					       c->end[1]->node->name,
					       world_nic_name(ev->arena, c->end[1]));
}

/* ---- what is virtual, and what it runs over ---- */

/* The first free one of NAME1, NAME2, ... from `number` on. */
static const char *free_number(struct eval *ev, const char *base, size_t number)
{
	const char *name;

	do {
		name = arena_printf(ev->arena, "%s%zu", base, number++);
	} while (is_taken(ev, name));
	return name;
}

static const char *nic_name(struct eval *ev, const struct world_nic *nic)
{
	return arena_printf(ev->arena, "%s.%s", nic->node->name, world_nic_name(ev->arena, nic));
}

/* is_named: the name was said, and not taken over from the cable, so graph_print must print it. */
static void name_slink(struct eval *ev, struct world_slink *l)
{
	const struct world_cable *c = world_slink_cable(l);

	l->is_named = l->name && !(c && !strcmp(c->name, l->name));
	if (!l->name)
		l->name = world_slink_name(ev->world, l);
}

static void name_vlink(struct eval *ev, struct world_vlink *v)
{
	if (v->name || v->is_removed)
		return;
	v->name = arena_printf(ev->arena, "%s%s%s", nic_name(ev, v->ends[0]), v->lan ? "@" : "-",
			       v->lan ? v->lan->name : nic_name(ev, v->ends[1]));
}

/*
 * A substrate link that has a name and runs over a cable without one: the two are one thing to
 * people.
 */
void naming_slink_cables(struct eval *ev)
{
	for (struct world_slink *l = ev->world->slinks; l; l = l->next) {
		struct world_cable *c = world_slink_cable(l);

		if (l->name && !l->is_removed && c && c->slink == l && !c->name)
			c->name = l->name;
	}
}

void naming_virtual(struct eval *ev)
{
	struct world *w = ev->world;

	for (struct world_vnet *v = w->vnets; v; v = v->next) {
		if (v->name || v->is_removed)
			continue;
		const struct value *taken = v->hint ? names_get(&w->names, v->hint) : NULL;

		v->name = v->hint && (!taken || taken->kind == VALUE_NONE)
				  ? v->hint
				  : free_number(ev, v->hint ? v->hint : "vnet", v->number + 1);
		names_put(&w->names, ev->arena, v->name,
			  (struct value){.kind = VALUE_VNET, .vnet = v});
	}
	/* LANs first: others are called after them. */
	for (int lans = 1; lans >= 0; lans--)
		for (struct world_slink *l = w->slinks; l; l = l->next)
			if (!l->is_removed && (l->kind == SLINK_LAN) == (lans == 1))
				name_slink(ev, l);
	for (struct world_vlink *v = w->vlinks; v; v = v->next)
		name_vlink(ev, v);
}
