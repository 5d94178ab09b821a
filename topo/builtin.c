/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The list of parts, and what nodes and NICs need of all of them. A part is a file builtin_NAME.c
 * with functions, and with parameters that it adds to the nodes and NICs that alloc() makes; no
 * part needs to know another for that.
 */
#include "topo/builtin.h"

#include "lib/xalloc.h"

#include <string.h>

static const struct builtin_part *const parts[] = {
	&builtin_net_part,     &builtin_cable_part, &builtin_substrate_part, &builtin_vnet_part,
	&builtin_virtual_part, &builtin_cut_part,   &builtin_guest_part,     &builtin_address_part,
	&builtin_value_part,   &builtin_shape_part, &builtin_event_part,     &builtin_port_part,
	&builtin_disk_part,    &builtin_bound_part, &builtin_outside_part,
};

/* ---- functions, words ---- */

const struct builtin *builtin_at(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(parts); i -= parts[k++]->n_functions)
		if (i < parts[k]->n_functions)
			return &parts[k]->functions[i];
	return NULL;
}

const struct builtin *builtin_find(const char *name)
{
	const struct builtin *b;

	for (size_t i = 0; (b = builtin_at(i)); i++)
		if (!strcmp(b->name, name))
			return b;
	return NULL;
}

const char *topo_function_name(size_t i)
{
	const struct builtin *b = builtin_at(i);

	return b ? b->name : NULL;
}

/* The i-th parameter of nodes and NICs, or NULL past the end. */
static const struct builtin_field *field_at(size_t i)
{
	for (size_t k = 0; k < ARRAY_LEN(parts); i -= parts[k++]->n_fields)
		if (i < parts[k]->n_fields)
			return &parts[k]->fields[i];
	return NULL;
}

/*
 * The evaluator asks before it computes an argument: in `backend = tap` the name tap is not a
 * variable. A part may say so of any function's parameter (words), or of a parameter that it adds.
 */
eval_words *builtin_field_words(const char *name)
{
	const struct builtin_field *f;

	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		for (size_t i = 0; i < parts[k]->n_words; i++)
			if (!strcmp(parts[k]->words[i].field, name))
				return parts[k]->words[i].words;
	for (size_t i = 0; (f = field_at(i)); i++)
		if (f->words && !strcmp(f->name, name))
			return f->words;
	return NULL;
}

/* ---- parameters of nodes and NICs ---- */

enum { OF_NICS = -1 }; /* instead of a kind of node */

static bool is_of(const struct builtin_field *f, int kind)
{
	return kind == OF_NICS ? f->set_nic != NULL : f->set_node && f->kinds >> kind & 1;
}

/*
 * The same name may be a parameter of different kinds (name, priority, rate), each with a row of
 * its own: the kind is part of the search.
 */
static const struct builtin_field *find_field(const char *name, int kind)
{
	const struct builtin_field *f;

	for (size_t i = 0; (f = field_at(i)); i++)
		if (is_of(f, kind) && !strcmp(f->name, name))
			return f;
	return NULL;
}

static void unknown_field(struct eval *ev, const char *what, const struct arg *a, int kind)
{
	const struct builtin_field *f;
	const char *known[64];
	size_t n = 0;

	for (size_t i = 0; (f = field_at(i)); i++)
		if (is_of(f, kind) && n < ARRAY_LEN(known))
			known[n++] = f->name;
	builtin_unknown_field(ev, what, a, known, n);
}

bool builtin_node_field(struct eval *ev, struct world_node *n, const struct arg *a, bool *known)
{
	const struct builtin_field *f = find_field(a->name, (int)n->kind);

	*known = f != NULL;
	return !f || f->set_node(ev, n, f, a);
}

void builtin_unknown_node_field(struct eval *ev, enum node_kind kind, const struct arg *a)
{
	const char *what =
		arena_printf(ev->arena, "%s %s", builtin_article(kind), node_kind_name(kind));

	unknown_field(ev, what, a, (int)kind);
}

bool builtin_nic_field(struct eval *ev, struct world_nic *nic, const struct arg *a)
{
	const struct builtin_field *f = find_field(a->name, OF_NICS);

	if (!f)
		unknown_field(ev, "a NIC", a, OF_NICS);
	return f && f->set_nic(ev, nic, f, a);
}

/* ---- what becomes of them ---- */

bool builtin_attach_elsewhere(struct eval *ev, struct world_node *node, struct world_nic *nic,
			      struct loc loc)
{
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		if (parts[k]->attach)
			return parts[k]->attach(ev, node, nic, loc);
	return false;
}

bool builtin_free_thing(struct eval *ev, const struct arg *a)
{
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		if (parts[k]->free && parts[k]->free(ev, a))
			return true;
	return false;
}

void builtin_node_goes(struct eval *ev, struct world_node *n)
{
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		if (parts[k]->node_goes)
			parts[k]->node_goes(ev, n);
}
