/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Copies the checked world into a graph: pointers become indices into the graph's arrays, lists
 * become arrays, and what was removed is left out. The graph shares no memory with the world, which
 * dies with the script.
 */
#include "topo/build.h"

#include "lib/addr.h"
#include "lib/xalloc.h"
#include "topo/graph_print.h"
#include "topo/packages.h"

#include <stdlib.h>
#include <string.h>

/*
 * Where things of the world are in the graph. Tables by number rather than a field in each thing:
 * the world stays as it is, since at the console a script goes on and graphs are made of it again
 * and again.
 */
struct builder {
	struct graph *g;
	int *of_node; /* number of a node in the world -> index in the graph */
	int *of_cable;
	int *of_vnet, *of_slink, *of_vlink;
	const struct source *last_source;
	const char *last_file;
	const struct world_pair *packages; /* of all nodes */
};

static const char *copy(struct builder *b, const char *s)
{
	return s ? arena_strdup(&b->g->arena, s) : NULL;
}

static void *copies(struct builder *b, size_t n, size_t size)
{
	return n ? arena_alloc(&b->g->arena, n * size) : NULL;
}

/* Most places of a graph are in one file: its name is copied once for each run of them. */
static struct graph_pos position(struct builder *b, struct loc loc)
{
	struct graph_pos pos;

	if (b->last_source != loc.src) {
		b->last_source = loc.src;
		b->last_file = copy(b, loc.src->name);
	}
	pos.file = b->last_file;
	source_position(loc.src, loc.at, &pos.line, &pos.column);
	return pos;
}

#define COUNT(type, list, n)                                     \
	do {                                                     \
		(n) = 0;                                         \
		for (const type *i_ = (list); i_; i_ = i_->next) \
			(n)++;                                   \
	} while (0)

static void build_pairs(struct builder *b, const struct world_pair *list, struct graph_pair **out,
			size_t *n)
{
	COUNT(struct world_pair, list, *n);
	*out = copies(b, *n, sizeof(**out));
	for (size_t i = 0; list; list = list->next, i++)
		(*out)[i] = (struct graph_pair){copy(b, list->key), copy(b, list->value)};
}

static int vnet_of(const struct builder *b, const struct world_vnet *v)
{
	return v ? b->of_vnet[v->number] : -1;
}

/*
 * The cable is filled in later, by the cable (build_cable()): nodes come first, and what is in a
 * NIC is known only when all cables are numbered.
 */
static void build_nic(struct builder *b, const struct world_nic *nic, struct graph_nic *out)
{
	const struct world_addr *a = nic->addrs;

	out->name = world_nic_name(&b->g->arena, nic);
	memcpy(out->mac, nic->mac, sizeof(out->mac));
	out->mtu = nic->mtu;
	out->speed_bps = nic->speed_bps;
	out->duplex = nic->duplex;
	out->backend = nic->backend;
	out->path = copy(b, nic->path);
	out->cable = -1;
	out->vlink = nic->vlink ? b->of_vlink[nic->vlink->number] : -1;
	out->vnet = vnet_of(b, nic->vlink ? nic->vlink->vnet : NULL);
	out->pos = position(b, nic->loc);
	build_pairs(b, nic->params, &out->params, &out->n_params);
	out->addrs_are_auto = a && a->is_auto;
	COUNT(struct world_addr, a, out->n_addrs);
	out->addrs = copies(b, out->n_addrs, sizeof(*out->addrs));
	for (size_t i = 0; a; a = a->next, i++)
		out->addrs[i] = a->addr;
}

/*
 * Routes become text, as the guest's init and the host's process are told them. Two forms of one
 * address would be two routes to whoever compares plans, so they are always written by
 * addr_format().
 */
static void build_routes(struct builder *b, const struct world_node *n, struct graph_node *out)
{
	const struct world_route *r = n->routes;
	char text[64];

	COUNT(struct world_route, r, out->n_routes);
	out->routes = copies(b, out->n_routes, sizeof(*out->routes));
	for (size_t i = 0; r; r = r->next, i++) {
		struct graph_route *to = &out->routes[i];

		to->dest = copy(b, r->is_default ? "default"
						 : addr_format(&r->dest, true, text, sizeof(text)));
		if (r->has_via)
			to->via = copy(b, addr_format(&r->via, false, text, sizeof(text)));
		if (r->dev)
			to->dev = world_nic_name(&b->g->arena, r->dev);
		to->vnet = vnet_of(b, r->vnet);
	}
}

/*
 * A text may hold anything but NUL, and its length is kept beside it: a file of a guest need not be
 * a string for us.
 */
static char *copy_text(struct builder *b, const struct world_text *t)
{
	char *text = t->text ? arena_alloc(&b->g->arena, t->len + 1) : NULL;

	if (text)
		memcpy(text, t->text, t->len);
	return text;
}

static void build_texts(struct builder *b, const struct world_node *n, struct graph_node *out)
{
	const struct world_text *t = n->configs;

	COUNT(struct world_text, t, out->n_configs);
	out->configs = copies(b, out->n_configs, sizeof(*out->configs));
	for (size_t i = 0; t; t = t->next, i++)
		out->configs[i] = (struct graph_config){
			copy(b, t->key),     copy_text(b, t), t->text ? t->len : 0,
			copy(b, t->source),  t->may_fail,     vnet_of(b, t->vnet),
			position(b, t->loc),
		};
	t = n->files;
	COUNT(struct world_text, t, out->n_files);
	out->files = copies(b, out->n_files, sizeof(*out->files));
	for (size_t i = 0; t; t = t->next, i++)
		out->files[i] = (struct graph_file){
			copy(b, t->key),    copy_text(b, t), t->text ? t->len : 0,
			copy(b, t->source), t->mode,         position(b, t->loc),
		};
}

/*
 * Those of the script as a whole go into the file system of vbet; a node with a root of its own has
 * no part in that. Both lists are sorted, so joining them is a merge (packages.c).
 */
static void build_packages(struct builder *b, const struct world_node *n, struct graph_node *out)
{
	const struct world_pair *own = n->packages;
	const struct world_pair *all = n->root ? NULL : b->packages;
	size_t n_own;
	size_t n_all;

	COUNT(struct world_pair, own, n_own);
	COUNT(struct world_pair, all, n_all);
	out->packages = copies(b, n_own + n_all, sizeof(*out->packages));
	out->n_packages = packages_join(own, all, out->packages);
	for (size_t i = 0; i < out->n_packages; i++)
		out->packages[i] = copy(b, out->packages[i]);
}

/* What only guests have stays zero for the rest: whoever reads a graph asks for the kind first. */
static void build_node(struct builder *b, const struct world_node *n, struct graph_node *out)
{
	const struct world_command *command = n->commands;

	out->name = copy(b, n->name);
	out->label = copy(b, n->label);
	out->kind = n->kind;
	out->pos = position(b, n->loc);
	out->n_nics = n->n_nics;
	out->nics = copies(b, n->n_nics, sizeof(*out->nics));
	for (size_t i = 0; i < n->n_nics; i++)
		build_nic(b, n->nics[i], &out->nics[i]);
	build_pairs(b, n->params, &out->params, &out->n_params);
	out->n_vnets = n->n_vnets;
	out->vnets = copies(b, n->n_vnets, sizeof(*out->vnets));
	for (size_t i = 0; i < n->n_vnets; i++)
		out->vnets[i] = vnet_of(b, n->vnets[i]);
	out->place = n->n_vnets && n->place ? b->of_node[n->place->number] : -1;
	out->room = n->room;
	COUNT(struct world_command, command, out->n_commands);
	out->commands = copies(b, out->n_commands, sizeof(*out->commands));
	for (size_t i = 0; command; command = command->next, i++)
		out->commands[i] = (struct graph_command){copy(b, command->text), command->may_fail,
							  vnet_of(b, command->vnet)};
	build_routes(b, n, out);
	if (!node_kind_is_guest(n->kind))
		return;
	out->memory_bytes = n->memory_bytes;
	out->cpu_ppm = n->cpu_ppm;
	out->cpu_weight = n->cpu_weight;
	out->processes = n->processes;
	out->hostname = copy(b, n->hostname ? n->hostname : n->name);
	out->root = copy(b, n->root);
	build_packages(b, n, out);
	out->vbet = n->vbet;
	out->shell = copy(b, n->shell);
	out->disk = copy(b, n->disk);
	out->disk_bytes = n->disk_bytes;
	out->disk_read_only = n->disk_read_only;
	build_pairs(b, n->sysctls, &out->sysctls, &out->n_sysctls);
	build_texts(b, n, out);
}

static void build_cable(struct builder *b, const struct world_cable *c, size_t index)
{
	struct graph_cable *out = &b->g->cables[index];

	out->name = copy(b, c->name);
	out->cut = c->cut;
	out->said_up = c->said_up;
	out->said_link = c->said_link;
	out->pos = position(b, c->loc);
	for (unsigned end = 0; end < 2; end++) {
		int node = b->of_node[c->end[end]->node->number];
		struct graph_nic *nic = &b->g->nodes[node].nics[c->end[end]->index];

		out->end[end] = (struct graph_end){node, (int)c->end[end]->index};
		out->dir[end] = c->dir[end];
		nic->cable = (int)index;
		nic->cable_end = end;
	}
}

/*
 * While a script is being typed a cable may wait for its second end. It is no part of the graph
 * until then, and keeps its number in the world.
 */
static bool is_whole(const struct world_cable *c)
{
	return !c->is_removed && c->end[0] && c->end[1];
}

static struct graph_end *build_ends(struct builder *b, struct world_nic *const *ends, size_t n)
{
	struct graph_end *out = copies(b, n, sizeof(*out));

	for (size_t i = 0; i < n; i++)
		out[i] = (struct graph_end){b->of_node[ends[i]->node->number], (int)ends[i]->index};
	return out;
}

/* At the index that number_virtual() gave: those that were removed leave no holes. */
static void build_slinks(struct builder *b, const struct world *w)
{
	b->g->slinks = copies(b, b->g->n_slinks, sizeof(*b->g->slinks));
	for (const struct world_slink *l = w->slinks; l; l = l->next) {
		if (l->is_removed)
			continue;
		b->g->slinks[b->of_slink[l->number]] = (struct graph_slink){
			.name = copy(b, l->name),
			.kind = l->kind,
			.encap = l->encap,
			.ends = build_ends(b, l->ends, l->n_ends),
			.n_ends = l->n_ends,
			.lan = l->lan ? b->of_slink[l->lan->number] : -1,
			.rate_bps = {l->rate_bps[0], l->rate_bps[1]},
			.vlan = l->vlan,
			.priority = l->priority,
			.manager = l->manager ? b->of_node[l->manager->number] : -1,
			.mtu = l->mtu,
			.is_named = l->is_named,
			.pos = position(b, l->loc),
		};
	}
}

static void build_vlinks(struct builder *b, const struct world *w)
{
	b->g->vlinks = copies(b, b->g->n_vlinks, sizeof(*b->g->vlinks));
	for (const struct world_vlink *v = w->vlinks; v; v = v->next) {
		if (v->is_removed)
			continue;
		struct graph_vlink *out = &b->g->vlinks[b->of_vlink[v->number]];

		*out = (struct graph_vlink){
			.name = copy(b, v->name),
			.vnet = b->of_vnet[v->vnet->number],
			.lan = v->lan ? b->of_slink[v->lan->number] : -1,
			.ends = build_ends(b, v->ends, v->n_ends),
			.n_ends = v->n_ends,
			.n_path = v->n_path,
			.min_bps = {v->min_bps[0], v->min_bps[1]},
			.max_bps = {v->max_bps[0], v->max_bps[1]},
			.pos = position(b, v->loc),
		};
		out->path = copies(b, v->n_path, sizeof(*out->path));
		for (size_t i = 0; i < v->n_path; i++)
			out->path[i] = b->of_slink[v->path[i]->number];
	}
}

/* Which index each vNet, substrate link and virtual link will have. */
static void number_virtual(struct builder *b, const struct world *w)
{
	b->of_vnet = xcalloc(w->n_vnets + 1, sizeof(int));
	b->of_slink = xcalloc(w->n_slinks + 1, sizeof(int));
	b->of_vlink = xcalloc(w->n_vlinks + 1, sizeof(int));
	for (const struct world_vnet *v = w->vnets; v; v = v->next)
		b->of_vnet[v->number] = v->is_removed ? -1 : (int)b->g->n_vnets++;
	for (const struct world_slink *l = w->slinks; l; l = l->next)
		b->of_slink[l->number] = l->is_removed ? -1 : (int)b->g->n_slinks++;
	for (const struct world_vlink *v = w->vlinks; v; v = v->next)
		b->of_vlink[v->number] = v->is_removed ? -1 : (int)b->g->n_vlinks++;
}

static void build_virtual(struct builder *b, const struct world *w)
{
	size_t i = 0;

	b->g->vnets = copies(b, b->g->n_vnets, sizeof(*b->g->vnets));
	for (const struct world_vnet *v = w->vnets; v; v = v->next)
		if (!v->is_removed)
			b->g->vnets[i++] = (struct graph_vnet){copy(b, v->name), v->share_ppm,
							       position(b, v->loc)};
	build_slinks(b, w);
	build_vlinks(b, w);
}

static void build_events(struct builder *b, const struct world *w)
{
	const struct world_event *e = w->events;

	COUNT(struct world_event, e, b->g->n_events);
	b->g->events = copies(b, b->g->n_events, sizeof(*b->g->events));
	for (size_t i = 0; e; e = e->next, i++)
		b->g->events[i] = (struct graph_event){
			.time_ns = e->time_ns,
			.timeout_ns = e->timeout_ns,
			.kind = e->kind,
			.node = e->node ? b->of_node[e->node->number] : -1,
			.cable = e->cable ? b->of_cable[e->cable->number] : -1,
			.text = copy(b, e->text),
			.side = e->side,
			.vnet = vnet_of(b, e->vnet),
			.pos = position(b, e->loc),
		};
}

/* "r1 r3", and as a script has it: only now all nodes have their names. */
static struct graph_want want_of_hops(struct builder *b, enum graph_want_op op,
				      const struct value_list *hops)
{
	struct graph_want want = {.op = op};
	char *text[2];
	size_t len[2];
	FILE *names = xmemstream(&text[0], &len[0]);
	FILE *shown = xmemstream(&text[1], &len[1]);

	fputc('[', shown);
	for (size_t i = 0; i < hops->n; i++) {
		fprintf(names, "%s%s", i ? " " : "", hops->at[i].node->name);
		fputs(i ? ", " : "", shown);
		graph_put_name(shown, hops->at[i].node->name);
	}
	fputc(']', shown);
	fclose(names);
	fclose(shown);
	want.text = copy(b, text[0]);
	want.shown = copy(b, text[1]);
	free(text[0]);
	free(text[1]);
	return want;
}

static void build_expects(struct builder *b, const struct world *w)
{
	const struct world_expect *e = w->expects;

	COUNT(struct world_expect, e, b->g->n_expects);
	b->g->expects = copies(b, b->g->n_expects, sizeof(*b->g->expects));
	for (size_t i = 0; e; e = e->next, i++)
		b->g->expects[i] = (struct graph_expect){
			.name = copy(b, e->name),
			.hint = copy(b, e->hint),
			.points = e->points,
			.level = e->level,
			.probe = e->probe,
			.stays_ns = e->stays_ns,
			.want = {.op = e->want.op,
				 .path = copy(b, e->want.path),
				 .text = copy(b, e->want.text),
				 .shown = copy(b, e->want.shown),
				 .number = e->want.number},
			.start_ns = e->start_ns,
			.deadline_ns = e->deadline_ns,
			.timeout_ns = e->timeout_ns,
			.every_ns = e->every_ns,
			.negated = e->negated,
			.kind = e->kind,
			.node = e->node ? b->of_node[e->node->number] : -1,
			.peer = e->peer ? b->of_node[e->peer->number] : -1,
			.text = copy(b, e->text),
			.via = copy(b, e->via),
			.dev = e->nic ? world_nic_name(&b->g->arena, e->nic) : copy(b, e->dev),
			.proto = copy(b, e->proto),
			.metric = e->metric,
			.table = copy(b, e->table),
			.state = copy(b, e->state),
			.vnet = vnet_of(b, e->vnet),
			.pos = position(b, e->loc),
		};
	e = w->expects;
	for (size_t i = 0; e; e = e->next, i++)
		if (e->hops)
			b->g->expects[i].want = want_of_hops(b, e->want.op, e->hops);
}

/*
 * Numbers first, then contents. Nodes get their indices before any is filled in, since they refer
 * to each other: a virtual node to the place that holds it, which may come later. What was removed
 * has the index -1, and the check has made sure that nothing which is left refers to it.
 */
struct graph *build_graph(const struct world *w)
{
	struct builder b = {.g = xcalloc(1, sizeof(struct graph))};
	size_t i = 0;

	b.of_node = xcalloc(w->n_nodes + 1, sizeof(int));
	b.of_cable = xcalloc(w->n_cables + 1, sizeof(int));
	b.packages = w->packages;
	b.g->lab = copy(&b, w->lab);
	b.g->clock = w->clock;
	b.g->spin = w->spin;
	b.g->seed = w->seed;
	b.g->allow_duplicates = w->allow_duplicates;
	for (const struct world_node *n = w->nodes; n; n = n->next)
		b.of_node[n->number] = n->is_removed ? -1 : (int)b.g->n_nodes++;
	number_virtual(&b, w);
	b.g->nodes = copies(&b, b.g->n_nodes, sizeof(*b.g->nodes));
	for (const struct world_node *n = w->nodes; n; n = n->next)
		if (!n->is_removed)
			build_node(&b, n, &b.g->nodes[b.of_node[n->number]]);
	for (const struct world_cable *c = w->cables; c; c = c->next)
		b.g->n_cables += is_whole(c);
	b.g->cables = copies(&b, b.g->n_cables, sizeof(*b.g->cables));
	for (const struct world_cable *c = w->cables; c; c = c->next) {
		b.of_cable[c->number] = is_whole(c) ? (int)i : -1;
		if (is_whole(c))
			build_cable(&b, c, i++);
	}
	build_virtual(&b, w);
	build_events(&b, w);
	build_expects(&b, w);
	free(b.of_vnet);
	free(b.of_slink);
	free(b.of_vlink);
	free(b.of_node);
	free(b.of_cable);
	return b.g;
}
