/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The standard shapes: line, ring, star, tree, mesh, partial_mesh. A shape makes nodes, or takes
 * those of a list, and joins them; how two are joined depends on what they are: a cable, a
 * substrate link between substrate nodes, a virtual link between virtual ones. Parameters are
 * shared out by their names to links, nodes and the shape itself.
 */
#include "lib/rng.h"
#include "lib/xalloc.h"
#include "topo/builtin.h"

#include <string.h>

/* What every shape has: its nodes, and what is to hold for its links. */
struct shape {
	struct eval *ev;
	const struct call *c;
	struct value nodes; /* a list */
	size_t n_own;       /* how many of the fields are the shape's own */
	const char *own[4];
};

static bool is_own(const struct shape *s, const char *name)
{
	for (size_t i = 0; i < s->n_own; i++)
		if (!strcmp(s->own[i], name))
			return true;
	return false;
}

/* A field is told from those of nodes by its name alone: names of the two never meet. */
static bool is_link_field(const char *name)
{
	return linkspec_has_key(name) || !strcmp(name, "forward") || !strcmp(name, "back") ||
	       !strcmp(name, "up");
}

/* Parameters of virtual links and of substrate links. */
static bool is_other_field(const char *name)
{
	return builtin_is_vlink_field(name) || !strcmp(name, "encapsulation");
}

/*
 * Reports fields that neither the shape, its links nor its nodes know. Those who take their own
 * would each pass over a wrong one as somebody else's.
 */
static bool check_fields(struct shape *s)
{
	static const char *const link_names[] = {
		"*link",          "forward", "back",       "up",        "memory", "root",
		"packages",       "shell",   "vnet",       "on",        "disk",   "disk_size",
		"disk_read_only", "cpu",     "cpu_weight", "processes", "vbet"};
	const char *known[ARRAY_LEN(link_names) + ARRAY_LEN(s->own)];
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(link_names); i++)
		known[n++] = link_names[i];
	for (size_t i = 0; i < s->n_own; i++)
		known[n++] = s->own[i];
	for (size_t i = 0; i < s->c->n_fields; i++) {
		const struct arg *f = &s->c->fields[i];
		bool ok = is_link_field(f->name) || is_other_field(f->name) || is_own(s, f->name);

		for (size_t k = 4; k < ARRAY_LEN(link_names); k++)
			ok = ok || !strcmp(link_names[k], f->name);
		if (!ok) {
			builtin_unknown_field(s->ev, s->c->name, f, known, n);
			return false;
		}
	}
	return true;
}

/*
 * Made as alloc() makes it, with the fields that are a node's. Devices take none of them: memory =
 * 64M of a star with a switch in the middle is meant for the arms.
 */
static struct world_node *make_node(struct shape *s, enum node_kind kind)
{
	struct world_node *n = eval_spend(s->ev, s->c->loc, 1, sizeof(*n))
				       ? builtin_make_node(s->ev, kind, s->c->loc)
				       : NULL;

	for (size_t i = 0; n && i < s->c->n_fields; i++) {
		const struct arg *f = &s->c->fields[i];
		bool known;

		if (is_own(s, f->name) || is_link_field(f->name) || is_other_field(f->name) ||
		    !node_kind_is_station(kind))
			continue;
		if (!builtin_node_field(s->ev, n, f, &known))
			return NULL;
	}
	return n;
}

static bool add_node(struct shape *s, enum node_kind kind)
{
	struct world_node *n = make_node(s, kind);

	return n && value_list_push(s->ev->arena, s->nodes.list,
				    (struct value){.kind = VALUE_NODE, .node = n}) == 0;
}

static bool collect_node(struct eval *ev, const struct arg *item, void *ctx)
{
	struct shape *s = ctx;

	if (item->v.kind != VALUE_NODE) {
		eval_wrong(ev, item->loc, "expected a node, not %s", value_kind_name(&item->v));
		return false;
	}
	return value_list_push(ev->arena, s->nodes.list, item->v) == 0;
}

/*
 * The kind given by an argument or field, or `otherwise`; -1 after an error. Words may be said as
 * arguments or as fields; both come here.
 */
static int want_kind(struct eval *ev, const struct arg *a, enum node_kind otherwise)
{
	int kind = a ? builtin_node_kind(&a->v) : (int)otherwise;

	if (kind < 0)
		eval_wrong(ev, a->loc,
			   "a kind of node is router, host, firewall, server, hub, switch, "
			   "substrate or endsystem");
	return kind;
}

/* Begins a shape: its first argument says how many nodes to make, or which to take. */
static bool begin(struct shape *s, size_t at_least)
{
	const struct arg *a = &s->c->args[0];
	const struct arg *kind_arg =
		s->c->n_args > 1 ? &s->c->args[1] : builtin_find_field(s->c, "kind");
	int64_t n;

	s->nodes = (struct value){.kind = VALUE_LIST, .list = value_list_create(s->ev->arena)};
	s->own[s->n_own++] = "kind";
	if (!check_fields(s))
		return false;
	if (a->v.kind == VALUE_LIST || a->v.kind == VALUE_NODE) {
		if (kind_arg) {
			eval_wrong(s->ev, kind_arg->loc,
				   "no kind with a list: its nodes are what they are");
			return false;
		}
		if (!builtin_each(s->ev, a, collect_node, s))
			return false;
	} else {
		int kind = want_kind(s->ev, kind_arg, NODE_ROUTER);

		if (kind < 0 || !builtin_want_count(s->ev, a, 0, WORLD_MAX_NODES, &n))
			return false;
		for (int64_t i = 0; i < n; i++)
			if (!add_node(s, (enum node_kind)kind))
				return false;
	}
	if (s->nodes.list->n < at_least) {
		eval_wrong(s->ev, a->loc, "a %s has at least %zu nodes", s->c->name, at_least);
		return false;
	}
	return true;
}

static const struct world_node *node_of(const struct arg *end)
{
	return end->v.kind == VALUE_NIC ? end->v.nic->node : end->v.node;
}

/* Joins two nodes, or NICs of them. */
static bool join_ends(struct shape *s, const struct arg *a, const struct arg *b)
{
	struct eval *ev = s->ev;
	const struct world_node *from = node_of(a);
	const struct world_node *to = node_of(b);

	if (from->kind == NODE_SUBSTRATE && to->kind == NODE_SUBSTRATE)
		return builtin_join_substrate(ev, s->c, a, b);
	if (from->n_vnets && to->n_vnets)
		return builtin_join_virtual(ev, s->c, a, b);
	struct world_nic *na = builtin_end(ev, a);
	struct world_nic *nb = na ? (from == to ? na : builtin_end(ev, b)) : NULL;
	struct world_cable *cable = nb ? builtin_join(ev, s->c->loc, na, nb) : NULL;
	bool ok = cable != NULL;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t f = 0; ok && f < s->c->n_fields; f++) {
			const struct arg *field = &s->c->fields[f];
			bool is_direction =
				!strcmp(field->name, "forward") || !strcmp(field->name, "back");
			bool known;

			if (is_link_field(field->name) && is_direction == (pass == 1) &&
			    !is_own(s, field->name))
				ok = builtin_cable_field(ev, cable, field, &known);
		}
	}
	return ok;
}

/*
 * The first free NIC of each, or a new one: so the order in which a shape joins its nodes is the
 * order of their NICs.
 */
static bool join(struct shape *s, size_t i, size_t j)
{
	struct arg a = {.v = s->nodes.list->at[i], .loc = s->c->loc};
	struct arg b = {.v = s->nodes.list->at[j], .loc = s->c->loc};

	return join_ends(s, &a, &b);
}

/* A line of one node is no mistake: a script may have the number as a variable. */
static struct value run_line(struct eval *ev, const struct call *c)
{
	struct shape s = {.ev = ev, .c = c};

	if (!begin(&s, 1))
		return value_wrong;
	for (size_t i = 1; i < s.nodes.list->n; i++)
		if (!join(&s, i - 1, i))
			return value_wrong;
	return s.nodes;
}

/*
 * The NIC of a node for one side of a ring: the first free one, or the one after that. `side` says
 * how many free ones are left for others.
 */
static struct arg ring_end(struct shape *s, size_t i, size_t side)
{
	struct world_node *n = s->nodes.list->at[i].node;
	struct world_nic *nic =
		n->is_removed ? NULL : world_next_free_nic(s->ev->world, n, side, s->c->loc);
	struct arg end = {.v = s->nodes.list->at[i], .loc = s->c->loc};

	if (nic)
		end.v = (struct value){.kind = VALUE_NIC, .nic = nic};
	return end;
}

/*
 * The first NIC of each leads to the node before it, the second to the next one. Nodes get them in
 * that order by themselves, but for the first, whose cable to the last one is laid at the end.
 */
static struct value run_ring(struct eval *ev, const struct call *c)
{
	struct shape s = {.ev = ev, .c = c};

	if (!begin(&s, 3))
		return value_wrong;
	struct arg before = ring_end(&s, 0, 0);
	struct arg after = ring_end(&s, 0, 1);
	size_t n = s.nodes.list->n;

	for (size_t i = 0; i < n; i++) {
		struct arg here = {.v = s.nodes.list->at[i], .loc = c->loc};
		struct arg next = {.v = s.nodes.list->at[(i + 1) % n], .loc = c->loc};

		if (!join_ends(&s, i ? &here : &after, i + 1 < n ? &next : &before))
			return value_wrong;
	}
	return s.nodes;
}

/*
 * The order of the pairs decides which NIC leads where, and is part of the language: a script may
 * say NIC(m[1], 2) and mean a certain neighbour.
 */
static struct value run_mesh(struct eval *ev, const struct call *c)
{
	struct shape s = {.ev = ev, .c = c};

	if (!begin(&s, 2))
		return value_wrong;
	for (size_t i = 0; i < s.nodes.list->n; i++)
		for (size_t j = i + 1; j < s.nodes.list->n; j++)
			if (!join(&s, i, j))
				return value_wrong;
	return s.nodes;
}

/* The center is the first item of what star() returns; the arms follow. */
static struct value run_star(struct eval *ev, const struct call *c)
{
	struct shape s = {.ev = ev, .c = c, .own = {"center"}, .n_own = 1};
	const struct arg *center = builtin_find_field(c, "center");
	struct value first = {.kind = VALUE_NODE};

	if (center && center->v.kind == VALUE_NODE) {
		first = center->v;
	} else {
		int kind = want_kind(ev, center, NODE_SWITCH);

		/* The fields are checked by begin(), but the center is to be the first node. */
		first.node = kind < 0 ? NULL : make_node(&s, (enum node_kind)kind);
		if (!first.node)
			return value_wrong;
	}
	if (!begin(&s, 1))
		return value_wrong;
	struct value arms = s.nodes;

	s.nodes.list = value_list_create(ev->arena);
	value_list_push(ev->arena, s.nodes.list, first);
	for (size_t i = 0; i < arms.list->n; i++)
		if (value_list_push(ev->arena, s.nodes.list, arms.list->at[i]) < 0 ||
		    !join(&s, 0, i + 1))
			return value_wrong;
	return s.nodes;
}

/* tree(depth, fanout): level by level, the root first. Depth counts the levels of links. */
static struct value run_tree(struct eval *ev, const struct call *c)
{
	struct shape s = {.ev = ev, .c = c, .own = {"kind", "leaf"}, .n_own = 2};
	const struct arg *kind_arg = c->n_args > 2 ? &c->args[2] : builtin_find_field(c, "kind");
	int64_t depth;
	int64_t fanout;
	int kind = want_kind(ev, kind_arg, NODE_ROUTER);
	int leaf =
		kind < 0 ? -1 : want_kind(ev, builtin_find_field(c, "leaf"), (enum node_kind)kind);

	if (leaf < 0 || !builtin_want_count(ev, &c->args[0], 0, 20, &depth) ||
	    !builtin_want_count(ev, &c->args[1], 1, 1000, &fanout) || !check_fields(&s))
		return value_wrong;
	s.nodes = (struct value){.kind = VALUE_LIST, .list = value_list_create(ev->arena)};
	if (!add_node(&s, (enum node_kind)(depth ? kind : leaf)))
		return value_wrong;
	size_t from = 0;

	for (int64_t level = 1; level <= depth; level++) {
		size_t to = s.nodes.list->n;

		for (size_t parent = from; parent < to; parent++) {
			for (int64_t i = 0; i < fanout; i++) {
				if (!add_node(&s, (enum node_kind)(level == depth ? leaf : kind)) ||
				    !join(&s, parent, s.nodes.list->n - 1))
					return value_wrong;
			}
		}
		from = to;
	}
	return s.nodes;
}

/*
 * Every node is joined to one before it, which keeps the mesh in one piece; then more pairs, drawn
 * from a stream of the seed: with p each other pair has that chance, with degree there are as many
 * links as give that many per node.
 */
static bool draw_links(struct shape *s, struct rng *rng, uint32_t ppm, size_t n_links)
{
	size_t n = s->nodes.list->n;
	uint8_t *joined = arena_alloc(s->ev->arena, n * n);
	size_t made = 0;

	for (size_t i = 1; i < n; i++) {
		size_t j = rng_below(rng, i);

		joined[j * n + i] = 1;
		made++;
	}
	for (size_t i = 0; i < n && ppm; i++)
		for (size_t j = i + 1; j < n; j++)
			if (rng_chance_ppm(rng, ppm))
				joined[i * n + j] = 1;
	while (made < n_links) {
		size_t i = rng_below(rng, n);
		size_t j = rng_below(rng, n);

		if (i < j && !joined[i * n + j]) {
			joined[i * n + j] = 1;
			made++;
		}
		if (!eval_spend(s->ev, s->c->loc, 1, 0))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		for (size_t j = i + 1; j < n; j++)
			if (joined[i * n + j] && !join(s, i, j))
				return false;
	return true;
}

/*
 * Equal seeds give equal meshes: the stream has a name of its own, so nothing else that is random
 * in a lab draws from it. The lab's seed is the default. The bound of 2000 nodes is that of the
 * table of pairs, one octet for each, whose memory the script has to pay for.
 */
static struct value run_partial_mesh(struct eval *ev, const struct call *c)
{
	struct shape s = {.ev = ev, .c = c, .own = {"degree", "p", "seed"}, .n_own = 3};
	const struct arg *degree_arg = builtin_find_field(c, "degree");
	const struct arg *p_arg = builtin_find_field(c, "p");
	const struct arg *seed_arg = builtin_find_field(c, "seed");
	int64_t degree = p_arg ? 0 : 3;
	int64_t seed = (int64_t)ev->world->seed;
	struct rng rng;

	if (degree_arg && p_arg)
		return eval_wrong(ev, p_arg->name_loc, "give either degree or p");
	if ((degree_arg && !builtin_want_count(ev, degree_arg, 1, 1000, &degree)) ||
	    (seed_arg && !builtin_want_count(ev, seed_arg, 0, INT64_MAX, &seed)))
		return value_wrong;
	if (p_arg && (p_arg->v.kind != VALUE_NUMBER || p_arg->v.number < 0 ||
		      p_arg->v.unit != UNIT_PPM || p_arg->v.number > 1000000))
		return eval_wrong(ev, p_arg->loc, "p is a share such as 20%% or 0.2");
	if (!begin(&s, 2))
		return value_wrong;
	size_t n = s.nodes.list->n;
	size_t most = n * (n - 1) / 2;
	size_t n_links = (n * (size_t)degree + 1) / 2;

	if (n > 2000)
		return eval_wrong(ev, c->args[0].loc, "a partial_mesh has at most 2000 nodes");
	rng_init(&rng, (uint64_t)seed, "partial_mesh", "links");
	if (!eval_spend(ev, c->loc, n * n / 64, n * n) ||
	    !draw_links(&s, &rng, p_arg ? (uint32_t)p_arg->v.number : 0,
			n_links < most ? n_links : most))
		return value_wrong;
	return s.nodes;
}

static const struct builtin functions[] = {
	{.name = "line",
	 .run = run_line,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "line(number or list, KIND)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "ring",
	 .run = run_ring,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "ring(number or list, KIND)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "star",
	 .run = run_star,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "star(number or list, KIND, center = KIND or node)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "tree",
	 .run = run_tree,
	 .min = 2,
	 .max = 3,
	 .has_fields = true,
	 .usage = "tree(depth, fanout, KIND, leaf = KIND)",
	 .words = {NULL, NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "mesh",
	 .run = run_mesh,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "mesh(number or list, KIND)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
	{.name = "partial_mesh",
	 .run = run_partial_mesh,
	 .min = 1,
	 .max = 2,
	 .has_fields = true,
	 .usage = "partial_mesh(number or list, KIND, degree = 3 or p = 20%, seed = number)",
	 .words = {NULL, builtin_node_kinds},
	 .words_name = "kind"},
};

static const struct builtin_words words[] = {
	{"kind", builtin_node_kinds},
	{"leaf", builtin_node_kinds},
	{"center", builtin_node_kinds},
};

const struct builtin_part builtin_shape_part = {
	.functions = functions,
	.n_functions = ARRAY_LEN(functions),
	.words = words,
	.n_words = ARRAY_LEN(words),
};
