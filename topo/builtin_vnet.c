/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Virtual networks, and which nodes are in them: vnet(), and vnet = ... of what belongs to one. */
#include "lib/vec.h"
#include "topo/builtin.h"

#include <string.h>

/* ---- who is in a vNet ---- */

struct world_vnet *builtin_want_vnet(struct eval *ev, const struct arg *a)
{
	if (a->v.kind == VALUE_VNET && !a->v.vnet->is_removed)
		return a->v.vnet;
	eval_wrong(ev, a->loc,
		   a->v.kind == VALUE_VNET ? "this vNet is gone"
					   : "vnet wants a virtual network: red = vnet()");
	return NULL;
}

bool builtin_read_vnet(struct eval *ev, const struct arg *f, const struct world_node *n,
		       struct world_vnet **to)
{
	struct world_vnet *v = builtin_want_vnet(ev, f);

	if (v && !world_is_in_vnet(n, v)) {
		eval_wrong(ev, f->loc, "%s is not in this vNet", world_describe_node(ev->world, n));
		return false;
	}
	*to = v;
	return v != NULL;
}

static bool add_vnet(struct eval *ev, struct world_node *n, const struct arg *a)
{
	struct world_vnet *v = builtin_want_vnet(ev, a);

	if (v && world_is_in_vnet(n, v)) {
		eval_wrong(ev, a->loc, "the node is in this vNet already");
		return false;
	}
	if (v)
		n->vnets[n->n_vnets++] = v;
	return v != NULL;
}

/* One, or a list of those that a node is in. */
static bool set_vnet(struct eval *ev, struct world_node *n, const struct builtin_field *p,
		     const struct arg *a)
{
	struct builtin_args list = {0};
	bool ok = builtin_each(ev, a, builtin_collect, &list);

	if (ok && list.list.n > WORLD_MAX_VNETS_OF_NODE) {
		eval_wrong(ev, a->loc, "a node is in %d vNets at most", WORLD_MAX_VNETS_OF_NODE);
		ok = false;
	}
	n->n_vnets = 0;
	n->vnets = arena_alloc(ev->arena, (ok ? list.list.n + 1 : 1) * sizeof(*n->vnets));
	for (size_t i = 0; ok && i < list.list.n; i++)
		ok = add_vnet(ev, n, &list.list.at[i]);
	vec_free(&list.list);
	return ok;
}

/* ---- vNets ---- */

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

static struct value run_vnet(struct eval *ev, const struct call *c)
{
	static const char *const known[] = {"share", "name"};
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
			builtin_unknown_field(ev, "vnet()", f, known, ARRAY_LEN(known));
		if (!ok)
			return value_wrong;
		n->share_loc = f->loc;
	}
	return v;
}

struct value builtin_change_vnet(struct eval *ev, const struct call *c, struct world_vnet *n)
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

/* A guest keeps the vNets that it was booted with, so one that is in others, too, goes first. */
static const struct world_node *find_shared(const struct world *w, const struct world_vnet *v)
{
	for (const struct world_node *n = w->nodes; n; n = n->next)
		if (!n->is_removed && n->n_vnets > 1 && world_is_in_vnet(n, v))
			return n;
	return NULL;
}

/* All its nodes go with it, and their virtual links with them. */
static void free_vnet(struct eval *ev, struct world_vnet *v, struct loc loc)
{
	const struct world_node *shared = find_shared(ev->world, v);

	if (shared) {
		eval_wrong(ev, loc, "%s is in other vNets, too: free that node first",
			   world_describe_node(ev->world, shared));
		return;
	}
	v->is_removed = true;
	eval_spend(ev, loc, ev->world->n_nodes / 16, 0);
	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		if (n->is_removed || !world_is_in_vnet(n, v))
			continue;
		builtin_remove_node(ev, n);
		if (n->name)
			names_put(&ev->world->names, ev->arena, n->name, value_none);
	}
}

static bool free_one(struct eval *ev, const struct arg *a)
{
	if (a->v.kind != VALUE_VNET)
		return false;
	free_vnet(ev, a->v.vnet, a->loc);
	return true;
}

static const struct builtin functions[] = {
	{.name = "vnet",
	 .run = run_vnet,
	 .min = 0,
	 .max = 0,
	 .has_fields = true,
	 .usage = "vnet(share = 30%)"},
};

static const struct builtin_field fields[] = {
	{.name = "vnet", .kinds = BUILTIN_VIRTUAL, .set_node = set_vnet},
};

const struct builtin_part builtin_vnet_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.fields = fields,
	.n_fields = ARRAY_LEN(fields),
	.free = free_one,
};
