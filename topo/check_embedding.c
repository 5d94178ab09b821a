/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Between the world and the embedding. The embedding knows numbers from 0 for nodes, links and
 * vNets, so everything is numbered here, and what is removed gets no number. What an earlier run
 * chose is given to it as if the script had said so, if it is still possible; if the whole cannot
 * be embedded like that, the lab's change is refused rather than something that runs moved away.
 *
 * Most of the rest are messages: a user must learn which link is too narrow for what, and by how
 * much.
 */
#include "topo/check_embedding.h"

#include "lib/reserve.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "topo/embed.h"

#include <stdlib.h>
#include <string.h>

/* Numbers of the embedding for things of the world, and back. */
struct mapping {
	struct eval *ev;
	const struct kept *kept;
	struct embed_input in;
	struct embed_node *nodes;
	struct embed_port *ports;
	struct embed_link *links;
	struct embed_lan *lans;
	struct embed_vnet *vnets;
	struct embed_vnode *vnodes;
	struct embed_vlink *vlinks;
	int *of_node, *of_nic, *of_slink; /* by number in the world; substrate and virtual nodes */
	struct world_node **substrate, **virtual;
	struct world_slink **slinks, **lan_slinks;
	struct world_vlink **virtual_links;
};

static void *array(struct mapping *m, size_t n, size_t size)
{
	return arena_alloc(m->ev->arena, (n + 1) * size);
}

/* Substrate nodes first: places of virtual nodes refer to them by number. */
static void map_nodes(struct mapping *m)
{
	struct world *w = m->ev->world;

	m->of_node = array(m, w->n_nodes, sizeof(int));
	m->nodes = array(m, w->n_substrate, sizeof(*m->nodes));
	m->substrate = array(m, w->n_substrate, sizeof(*m->substrate));
	m->vnodes = array(m, w->n_nodes, sizeof(*m->vnodes));
	m->virtual = array(m, w->n_nodes, sizeof(*m->virtual));
	for (struct world_node *n = w->nodes; n; n = n->next) {
		if (n->is_removed || n->kind != NODE_SUBSTRATE)
			continue;
		m->of_node[n->number] = (int)m->in.n_nodes;
		m->substrate[m->in.n_nodes] = n;
		m->nodes[m->in.n_nodes++].room = n->room;
	}
	for (struct world_node *n = w->nodes; n; n = n->next) {
		if (n->is_removed || !n->n_vnets)
			continue;
		m->of_node[n->number] = (int)m->in.n_vnodes;
		m->virtual[m->in.n_vnodes] = n;
		m->vnodes[m->in.n_vnodes++] = (struct embed_vnode){
			.vnet = (int)n->vnets[0]->number,
			.place = n->place ? m->of_node[n->place->number] : -1,
			.is_router = n->kind == NODE_ROUTER || n->kind == NODE_FIREWALL,
		};
	}
}

/* What minima may take of a wire or LAN: the nodes keep some for control (docs/substrate.md). */
static int64_t usable_bps(int64_t rate_bps)
{
	int64_t control = reserve_bps(rate_bps);

	return rate_bps > control ? rate_bps - control : rate_bps ? 1 : 0;
}

/*
 * Two links over one interface share its rate, so the interface is a port of its own, numbered when
 * the first link that uses it is met. 0 in the table means that it has no number yet.
 */
static int map_port(struct mapping *m, const struct world_nic *nic)
{
	int *port = &m->of_nic[nic->number]; /* plus 1 */

	if (!*port) {
		m->ports[m->in.n_ports] = (struct embed_port){
			.out_bps = usable_bps(nic->cable->dir[nic->end].rate_bps),
			.in_bps = usable_bps(nic->cable->dir[!nic->end].rate_bps),
		};
		*port = (int)++m->in.n_ports;
	}
	return *port - 1;
}

static void map_slinks(struct mapping *m)
{
	struct world *w = m->ev->world;

	m->of_nic = array(m, w->n_nics, sizeof(int));
	m->of_slink = array(m, w->n_slinks, sizeof(int));
	m->ports = array(m, w->n_nics, sizeof(*m->ports));
	m->links = array(m, w->n_slinks, sizeof(*m->links));
	m->lans = array(m, w->n_slinks, sizeof(*m->lans));
	m->slinks = array(m, w->n_slinks, sizeof(*m->slinks));
	m->lan_slinks = array(m, w->n_slinks, sizeof(*m->lan_slinks));
	for (struct world_slink *l = w->slinks; l; l = l->next) {
		if (l->is_removed || l->kind != SLINK_LAN)
			continue;
		m->of_slink[l->number] = (int)m->in.n_lans;
		m->lan_slinks[m->in.n_lans] = l;
		m->lans[m->in.n_lans++].rate_bps = usable_bps(l->rate_bps[0]);
	}
	for (struct world_slink *l = w->slinks; l; l = l->next) {
		if (l->is_removed || l->kind == SLINK_LAN)
			continue;
		struct embed_link *to = &m->links[m->in.n_links];

		m->of_slink[l->number] = (int)m->in.n_links;
		m->slinks[m->in.n_links++] = l;
		for (int i = 0; i < 2; i++) {
			to->node[i] = m->of_node[l->ends[i]->node->number];
			to->port[i] = map_port(m, l->ends[i]);
		}
		to->lan = l->lan ? m->of_slink[l->lan->number] : -1;
	}
}

/* Places of the members of a LAN, for the nodes of a multi-access virtual link. */
static void bind_to_lan(struct mapping *m, const struct world_vlink *v)
{
	for (size_t i = 0; i < v->n_ends; i++) {
		struct embed_vnode *n = &m->vnodes[m->of_node[v->ends[i]->node->number]];
		uint8_t *may = array(m, m->in.n_nodes, 1);

		for (size_t k = 0; k < v->lan->n_ends; k++) {
			int place = m->of_node[v->lan->ends[k]->node->number];

			may[place] = !n->may || n->may[place];
		}
		n->may = may;
	}
}

static bool map_via(struct mapping *m, const struct world_vlink *v, struct embed_vlink *to)
{
	struct embed_stop *stops = array(m, v->n_via, sizeof(*stops));

	to->via = stops;
	to->n_via = v->n_via;
	for (size_t i = 0; i < v->n_via; i++) {
		const struct world_stop *s = &v->via[i];

		if (s->node ? s->node->is_removed : s->slink->is_removed) {
			eval_wrong(m->ev, s->loc, "%s, which %s shall pass, is gone",
				   s->node ? world_describe_node(m->ev->world, s->node)
					   : s->slink->name,
				   v->name);
			return false;
		}
		stops[i] = s->node ? (struct embed_stop){false, m->of_node[s->node->number]}
				   : (struct embed_stop){true, m->of_slink[s->slink->number]};
	}
	return true;
}

/* Multi-access links are not embedded: they only say where their nodes may be (bind_to_lan()). */
static bool map_vlinks(struct mapping *m)
{
	struct world *w = m->ev->world;

	m->vnets = array(m, w->n_vnets, sizeof(*m->vnets));
	for (const struct world_vnet *v = w->vnets; v; v = v->next)
		m->vnets[m->in.n_vnets++].share_ppm = v->is_removed ? 0 : v->share_ppm;
	m->vlinks = array(m, w->n_vlinks, sizeof(*m->vlinks));
	m->virtual_links = array(m, w->n_vlinks, sizeof(*m->virtual_links));
	for (struct world_vlink *v = w->vlinks; v; v = v->next) {
		struct embed_vlink *to = &m->vlinks[m->in.n_vlinks];

		if (v->is_removed)
			continue;
		if (v->lan && v->lan->is_removed) {
			eval_wrong(m->ev, v->loc, "the LAN of %s is gone", v->name);
			return false;
		}
		if (v->lan) {
			bind_to_lan(m, v);
			continue;
		}
		to->vnet = (int)v->vnet->number;
		for (int i = 0; i < 2; i++) {
			to->end[i] = m->of_node[v->ends[i]->node->number];
			to->min_bps[i] = v->min_bps[i];
		}
		if (!map_via(m, v, to))
			return false;
		m->virtual_links[m->in.n_vlinks++] = v;
	}
	return true;
}

/* ---- what was chosen before ---- */

/*
 * Given to the embedding like places that the script says. Only what is new, or whose place is
 * gone, is open.
 */
static void keep_places(struct mapping *m)
{
	struct world_node **by_number = array(m, m->ev->world->n_nodes, sizeof(*by_number));

	for (struct world_node *n = m->ev->world->nodes; n; n = n->next)
		by_number[n->number] = n;
	for (size_t i = 0; i < m->in.n_vnodes; i++) {
		size_t number = m->virtual[i] -> number;
		size_t place = number < m->kept->n_places ? m->kept->places[number] : SIZE_MAX;

		if (m->vnodes[i].place < 0 && place != SIZE_MAX && !by_number[place]->is_removed)
			m->vnodes[i].place = m->of_node[place];
	}
}

/* The way that a virtual link had, if it still leads from end to end. */
static void keep_way(struct mapping *m, size_t i)
{
	const struct world *w = m->ev->world;
	struct embed_vlink *v = &m->vlinks[i];
	size_t number = m->virtual_links[i]->number;
	const struct kept_way *way = number < m->kept->n_ways ? &m->kept->ways[number] : NULL;
	int at = m->vnodes[v->end[0]].place;

	if (!way || !way->is_set)
		return;
	struct embed_stop *stops = array(m, way->n, sizeof(*stops));

	for (size_t k = 0; k < way->n; k++) {
		const struct world_slink *l = w->slinks;

		while (l->number != way->slinks[k])
			l = l->next;
		if (l->is_removed)
			return;
		stops[k] = (struct embed_stop){true, m->of_slink[l->number]};
		const struct embed_link *link = &m->links[stops[k].index];

		if (link->node[0] != at && link->node[1] != at)
			return;
		at = link->node[link->node[0] == at];
	}
	if (at != m->vnodes[v->end[1]].place)
		return;
	v->via = stops;
	v->n_via = way->n;
}

/* ---- messages ---- */

static const char *rate_text(struct mapping *m, int64_t bps)
{
	char text[32];

	if (bps < 0)
		bps = 0;
	return arena_strdup(m->ev->arena, unit_format(UNIT_RATE, bps, text, sizeof(text)));
}

static const char *spare(struct mapping *m, const struct embed_failure *f)
{
	return arena_printf(m->ev->arena, "needs %s, and %s of %s are left",
			    rate_text(m, f->want_bps), rate_text(m, f->left_bps),
			    rate_text(m, f->total_bps));
}

/* A LAN carries both directions of a virtual link one after the other. */
static const char *spare_of_lan(struct mapping *m, const struct embed_failure *f)
{
	return arena_printf(
		m->ev->arena, "needs %s, both directions together, and %s of %s are left",
		rate_text(m, f->want_bps), rate_text(m, f->left_bps), rate_text(m, f->total_bps));
}

/* Why a virtual link found no way. */
static const char *link_reason(struct mapping *m, const struct embed_failure *f)
{
	struct arena *a = m->ev->arena;
	const struct world_vlink *v = m->virtual_links[f->vlink];
	const char *ends = arena_printf(a, "from %s to %s", m->substrate[f->from]->name,
					m->substrate[f->to]->name);

	if (f->why == EMBED_NO_WAY)
		return arena_printf(a, "no way over substrate links leads %s for %s%s", ends,
				    v->name,
				    m->vlinks[f->vlink].n_via ? " by what it shall pass" : "");
	const char *short_of = arena_printf(a, "%s the virtual link %s is short of rate on %s",
					    ends, v->name, m->slinks[f->link]->name);

	if (f->why == EMBED_SHORT_LAN)
		return arena_printf(a, "%s: it %s on the whole LAN %s", short_of,
				    spare_of_lan(m, f), m->lan_slinks[f->lan]->name);
	if (f->why == EMBED_SHORT_SHARE)
		return arena_printf(a, "%s: it %s in the share that %s has of %s", short_of,
				    spare_of_lan(m, f), v->vnet->name, m->lan_slinks[f->lan]->name);
	return arena_printf(a, "%s: from %s on it %s", short_of, m->substrate[f->node]->name,
			    spare(m, f));
}

static bool is_later(struct loc a, struct loc b)
{
	return a.src->order != b.src->order ? a.src->order > b.src->order : a.at > b.at;
}

/*
 * The last minimum that set() changed, if all could be embedded without it: then that is what asks
 * too much, whichever link it is that finds no room. NULL: no such.
 */
static const struct world_vlink *find_last_straw(struct mapping *m)
{
	struct embed_failure why;
	struct embed_result result;
	size_t last = m->in.n_vlinks;

	for (size_t i = 0; i < m->in.n_vlinks; i++) {
		const struct world_vlink *v = m->virtual_links[i];
		bool is_changed = v->min_loc.src != v->loc.src || v->min_loc.at != v->loc.at;

		if (is_changed && (last == m->in.n_vlinks ||
				   is_later(v->min_loc, m->virtual_links[last]->min_loc)))
			last = i;
	}
	if (last == m->in.n_vlinks)
		return NULL;
	m->vlinks[last].min_bps[0] = 0;
	m->vlinks[last].min_bps[1] = 0;
	return embed_run(m->ev->arena, &m->in, &result, &why) == 0 ? m->virtual_links[last] : NULL;
}

static void report_straw(struct mapping *m, const struct embed_failure *f,
			 const struct world_vlink *straw)
{
	int64_t min = straw->min_bps[straw->min_bps[1] > straw->min_bps[0]];

	eval_wrong(m->ev, straw->min_loc, "with min = %s of %s there is not enough for all: %s",
		   rate_text(m, min), straw->name, link_reason(m, f));
}

static void report(struct mapping *m, const struct embed_failure *f)
{
	const struct world_vlink *straw =
		f->vlink >= 0 && f->why != EMBED_NO_WAY && !f->gave_up ? find_last_straw(m) : NULL;

	if (straw) {
		report_straw(m, f, straw);
		return;
	}
	const char *why =
		f->vlink >= 0 ? link_reason(m, f)
			      : arena_printf(m->ev->arena,
					     "no substrate node may hold %s, or has room for it",
					     m->virtual[f->vnode] -> name);
	struct loc loc = f->vlink >= 0 ? m->virtual_links[f->vlink]->min_loc
				       : m->virtual[f->vnode] -> loc;

	if (f->gave_up)
		eval_wrong(m->ev, loc,
			   "no embedding was found in %d steps; it helps to place some nodes (on = "
			   "...). The best try failed here: %s",
			   EMBED_MAX_STEPS, why);
	else
		eval_wrong(m->ev, loc, "%s", why);
}

/* Nodes that the script puts where there is no room, or where their LAN is not. */
static bool check_places(struct mapping *m)
{
	int *held = array(m, m->in.n_nodes, sizeof(*held));

	for (size_t i = 0; i < m->in.n_vnodes; i++) {
		const struct world_node *n = m->virtual[i];
		int place = m->vnodes[i].place;

		if (place < 0)
			continue;
		if (m->vnodes[i].may && !m->vnodes[i].may[place]) {
			eval_wrong(m->ev, n->loc,
				   "%s has a virtual link on a LAN of which %s, where it is, is no "
				   "member",
				   n->name, m->substrate[place]->name);
			return false;
		}
		if (m->nodes[place].room >= 0 && ++held[place] > m->nodes[place].room) {
			eval_wrong(m->ev, n->loc, "%s has no room for %s: it holds %d already",
				   m->substrate[place]->name, n->name, m->nodes[place].room);
			return false;
		}
	}
	return true;
}

/* ---- the answer ---- */

/*
 * The answer goes back into the world as if the script had said it: whatever reads places and paths
 * from here on need not know who chose them.
 */
static void take(struct mapping *m, const struct embed_result *r)
{
	for (size_t i = 0; i < m->in.n_vnodes; i++)
		m->virtual[i] -> place = m->substrate[r->places[i]];
	for (size_t i = 0; i < m->in.n_vlinks; i++) {
		struct world_vlink *v = m->virtual_links[i];

		v->n_path = r->ways[i].n_links;
		v->path = array(m, v->n_path, sizeof(struct world_slink *));
		for (size_t k = 0; k < v->n_path; k++)
			v->path[k] = m->slinks[r->ways[i].links[k]];
	}
}

bool check_embedding(struct eval *ev, const struct kept *kept)
{
	struct mapping m = {.ev = ev, .kept = kept};
	struct embed_failure why;
	struct embed_result result;

	map_nodes(&m);
	map_slinks(&m);
	if (!map_vlinks(&m))
		return false;
	keep_places(&m);
	for (size_t i = 0; i < m.in.n_vlinks; i++)
		keep_way(&m, i);
	if (!check_places(&m))
		return false;
	m.in.nodes = m.nodes;
	m.in.ports = m.ports;
	m.in.links = m.links;
	m.in.lans = m.lans;
	m.in.vnets = m.vnets;
	m.in.vnodes = m.vnodes;
	m.in.vlinks = m.vlinks;
	if (embed_run(ev->arena, &m.in, &result, &why) == 0) {
		take(&m, &result);
		return true;
	}
	report(&m, &why);
	return false;
}
