/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the script leaves open of the substrate is measured on its cables: a substrate link is as
 * fast as the slowest of them, and has room for packets that fit into the narrowest with the
 * encapsulation around them.
 *
 * A link between two interfaces must be recognised by what arrives there, so two that could not be
 * told apart (both untagged, or both IP/UDP) are refused here, when the script is checked, rather
 * than in a lab that loses frames.
 */
#include "topo/check_substrate.h"

#include "lib/addr.h"
#include "lib/units.h"
#include "topo/check_embedding.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
	ETHERNET_HEAD = 18, /* of the virtual link's frame, with a VLAN tag */
	NO_MTU = 65535,
	LEAST_MTU = 68, /* of IPv4 */
};

/* ---- cables ---- */

static void check_cables(struct eval *ev)
{
	for (const struct world_cable *c = ev->world->cables; c; c = c->next) {
		if (c->is_removed || !c->end[0] || !c->end[1])
			continue;
		for (int i = 0; i < 2; i++) {
			const struct world_node *n = c->end[i]->node;
			const struct world_node *o = c->end[!i]->node;

			if (i == 0 && n->n_vnets && o->n_vnets)
				eval_wrong(ev, c->loc,
					   "%s and %s are virtual nodes: they are joined by "
					   "vlink(), not by cables",
					   n->name, o->name);
			else if (n->kind == NODE_SUBSTRATE && node_kind_is_station(o->kind))
				eval_wrong(ev, c->loc,
					   "%s is no substrate node, and cannot be cabled to %s: "
					   "to be held by it, write on = %s; to be beside it on a "
					   "LAN, put a switch between",
					   o->name, n->name, n->name);
			else if (n->kind == NODE_ENDSYSTEM)
				eval_wrong(ev, c->loc,
					   "%s is an end system: it has virtual links, no cables",
					   n->name);
		}
	}
}

/* ---- substrate links ---- */

/* Of rates where 0 means that there is no limit. */
static int64_t least_rate(int64_t a, int64_t b)
{
	return !a ? b : !b || a < b ? a : b;
}

static unsigned least_mtu(unsigned mtu, const struct world_cable *c)
{
	for (int dir = 0; dir < 2; dir++)
		if (c->dir[dir].mtu && c->dir[dir].mtu < mtu)
			mtu = (unsigned)c->dir[dir].mtu;
	return mtu;
}

/*
 * What is left of a wire's MTU for the packets of a virtual link. A wire that is narrower than the
 * encapsulation carries nothing, and is found out by fill_vlink().
 */
static unsigned virtual_mtu(const struct world_slink *l, unsigned mtu)
{
	unsigned overhead = graph_encap_overhead(l->encap) + ETHERNET_HEAD;

	return mtu > overhead ? mtu - overhead : 0;
}

/* Cables between substrate nodes, hubs and switches of a segment: what is the slowest of them? */
struct wires {
	int64_t rate_bps; /* 0: without limit */
	unsigned mtu;
	const struct world_cable *slowest;
};

/* Cables of guests do not count: they are no part of the way from one substrate node to another. */
static struct wires measure_segment(struct eval *ev, const struct world_nic *segment)
{
	struct wires w = {.mtu = NO_MTU};

	for (const struct world_cable *c = ev->world->cables; c; c = c->next) {
		if (c->is_removed || !c->end[0] || !c->end[1] || c->end[0]->segment != segment ||
		    node_kind_is_station(c->end[0]->node->kind) ||
		    node_kind_is_station(c->end[1]->node->kind))
			continue;
		w.mtu = least_mtu(w.mtu, c);
		for (int dir = 0; dir < 2; dir++) {
			if (least_rate(w.rate_bps, c->dir[dir].rate_bps) == w.rate_bps)
				continue;
			w.rate_bps = c->dir[dir].rate_bps;
			w.slowest = c;
		}
	}
	return w;
}

/* One message for a link is enough: what else is wrong with it likely has the same cause. */
static bool check_members(struct eval *ev, const struct world_slink *l)
{
	for (size_t i = 0; i < l->n_ends; i++) {
		const struct world_nic *nic = l->ends[i];

		if (nic->node->is_removed)
			eval_wrong(ev, l->loc, "%s, at which %s ends, is gone",
				   world_describe_node(ev->world, nic->node), l->name);
		else if (!nic->cable || !nic->cable->end[0] || !nic->cable->end[1])
			eval_wrong(ev, l->loc, "%s, at which %s ends, has no cable",
				   world_describe_nic(ev->world, nic), l->name);
		else if (nic->segment != l->ends[0]->segment)
			eval_wrong(ev, l->loc, "no cables, hubs and switches join %s and %s",
				   world_describe_nic(ev->world, l->ends[0]),
				   world_describe_nic(ev->world, nic));
		else
			continue;
		return false;
	}
	return true;
}

/*
 * The rates of a point-to-point link: from ends[0], from ends[1]. Between the two there may be
 * several cables, with a switch between: the narrower of the first and the last counts.
 */
static void fill_rates(struct world_slink *l)
{
	for (int i = 0; i < 2; i++) {
		const struct world_nic *from = l->ends[i];
		const struct world_nic *to = l->ends[!i];

		l->rate_bps[i] = least_rate(from->cable->dir[from->end].rate_bps,
					    to->cable->dir[!to->end].rate_bps);
	}
}

static void fill_point_to_point(struct eval *ev, struct world_slink *l)
{
	const struct world_cable *c = world_slink_cable(l);

	if (!c && !graph_encap_has_ip(l->encap)) {
		eval_wrong(ev, l->loc,
			   "no single cable joins %s and %s: across a LAN write over = lan, or "
			   "encapsulation = udp",
			   world_describe_nic(ev->world, l->ends[0]),
			   world_describe_nic(ev->world, l->ends[1]));
		return;
	}
	unsigned mtu = c ? least_mtu(NO_MTU, c) : measure_segment(ev, l->ends[0]->segment).mtu;

	l->mtu = virtual_mtu(l, mtu);
	fill_rates(l);
}

static void fill_across(struct eval *ev, struct world_slink *l)
{
	if (l->lan->is_removed) {
		eval_wrong(ev, l->loc, "the LAN that %s crosses is gone", l->name);
		return;
	}
	if (!l->lan->vlan)
		eval_wrong(
			ev, l->loc,
			"a point-to-point link across a LAN needs a VLAN: write it in slan(), as "
			"in vlan = 100");
	l->mtu = virtual_mtu(l, measure_segment(ev, l->ends[0]->segment).mtu);
	fill_rates(l);
}

/* An access port would take the tag off, or drop the frame. */
static void check_vlan_ports(struct eval *ev, const struct world_slink *l)
{
	for (size_t i = 0; i < l->n_ends && l->vlan; i++) {
		const struct world_nic *nic = l->ends[i];
		const struct world_nic *port = nic->cable->end[!nic->end];

		for (const struct world_pair *p = port->params; p; p = p->next)
			if (!strcmp(p->key, "vlan"))
				eval_wrong(ev, port->loc,
					   "%s takes no tagged frames, and those of VLAN %u are: "
					   "make it a trunk",
					   world_describe_nic(ev->world, port), l->vlan);
	}
}

/*
 * A rate of the whole LAN may be less than its slowest cable, as a share that the substrate is to
 * have, but not more.
 */
static void fill_lan(struct eval *ev, struct world_slink *l)
{
	struct wires w = measure_segment(ev, l->ends[0]->segment);
	char said[32];
	char slow[32];

	l->mtu = virtual_mtu(l, w.mtu);
	if (!l->rate_bps[0])
		l->rate_bps[0] = w.rate_bps;
	else if (w.rate_bps && l->rate_bps[0] > w.rate_bps)
		eval_wrong(
			ev, l->rate_loc,
			"a LAN counts as one segment as fast as its slowest cable, and %s has %s, "
			"not %s",
			w.slowest->name, unit_format(UNIT_RATE, w.rate_bps, slow, sizeof(slow)),
			unit_format(UNIT_RATE, l->rate_bps[0], said, sizeof(said)));
	if (!l->rate_bps[0])
		eval_wrong(ev, l->loc,
			   "the cables of %s have no rate: write one, as in rate = "
			   "100Mbit",
			   l->name);
	if (!l->manager)
		l->manager = l->ends[0]->node;
	bool is_member = false;

	for (size_t i = 0; i < l->n_ends; i++)
		is_member |= l->ends[i]->node == l->manager;
	if (!is_member)
		eval_wrong(ev, l->loc, "the manager of %s, %s, is no member of it", l->name,
			   l->manager->name);
	check_vlan_ports(ev, l);
}

static void fill_slinks(struct eval *ev)
{
	for (struct world_slink *l = ev->world->slinks; l; l = l->next) {
		if (l->is_removed || !check_members(ev, l))
			continue;
		if (l->kind == SLINK_LAN)
			fill_lan(ev, l);
		else if (l->kind == SLINK_ACROSS)
			fill_across(ev, l);
		else
			fill_point_to_point(ev, l);
	}
}

/* ---- several links at one interface ---- */

/* What was seen of an interface: the first link of each sort. */
struct seen {
	const struct world_slink *first;    /* of any encapsulation */
	const struct world_slink *untagged; /* Ethernet or MPLS without a VLAN */
};

static void check_encapsulations(struct eval *ev, struct seen *seen)
{
	for (const struct world_slink *l = ev->world->slinks; l; l = l->next) {
		for (size_t i = 0; i < l->n_ends && !l->is_removed; i++) {
			struct seen *s = &seen[l->ends[i]->number];
			bool untagged = !graph_encap_has_ip(l->encap) && l->kind != SLINK_ACROSS;

			if (s->first && s->first->encap != l->encap)
				eval_wrong(ev, l->loc,
					   "%s has links of one encapsulation only, and %s (%s) is "
					   "%s",
					   world_describe_nic(ev->world, l->ends[i]),
					   s->first->name, eval_where(ev, s->first->loc),
					   graph_encap_name(s->first->encap));
			else if (untagged && s->untagged)
				eval_wrong(
					ev, l->loc,
					"%s carries %s (%s) already: frames of the two could not "
					"be told apart",
					world_describe_nic(ev->world, l->ends[i]),
					s->untagged->name, eval_where(ev, s->untagged->loc));
			if (!s->first)
				s->first = l;
			if (untagged && !s->untagged)
				s->untagged = l;
		}
	}
}

/* Two links between the same two interfaces, both tagged or both IP/UDP, would be one. */
static void check_pairs(struct eval *ev)
{
	struct names pairs = {0};

	for (struct world_slink *l = ev->world->slinks; l; l = l->next) {
		if (l->is_removed || l->kind == SLINK_LAN)
			continue;
		size_t a = l->ends[0]->number;
		size_t b = l->ends[1]->number;
		const char *key = arena_printf(ev->arena, "%zu-%zu", a < b ? a : b, a < b ? b : a);
		const struct value *other = names_get(&pairs, key);

		if (other)
			eval_wrong(ev, l->loc, "%s joins the same interfaces already (%s)",
				   other->slink->name, eval_where(ev, other->slink->loc));
		names_put(&pairs, ev->arena, key, (struct value){.kind = VALUE_SLINK, .slink = l});
	}
}

/* The i-th address of 198.18.0.0/15, which RFC 2544 sets aside for test networks. */
static void give_udp_address(struct eval *ev, struct world_nic *nic, size_t i)
{
	struct world_addr *a = arena_alloc(ev->arena, sizeof(*a));

	a->addr = (struct addr){.family = AF_INET, .prefix = 15};
	a->addr.bytes[0] = 198;
	a->addr.bytes[1] = (uint8_t)(18 + (i >> 16 & 1));
	a->addr.bytes[2] = (uint8_t)(i >> 8);
	a->addr.bytes[3] = (uint8_t)i;
	a->loc = nic->loc;
	a->is_auto = true;
	world_append(&nic->addrs_end, a);
}

static bool has_ipv4(const struct world_nic *nic)
{
	for (const struct world_addr *a = nic->addrs; a; a = a->next)
		if (a->addr.family == AF_INET)
			return true;
	return false;
}

/* Interfaces of links over IP get an address by their place in the order of all NICs. */
static void give_udp_addresses(struct eval *ev)
{
	for (struct world_slink *l = ev->world->slinks; l; l = l->next)
		for (size_t i = 0; i < l->n_ends && !l->is_removed && graph_encap_has_ip(l->encap);
		     i++)
			if (!has_ipv4(l->ends[i]))
				give_udp_address(ev, l->ends[i], l->ends[i]->number + 1);
}

/* ---- virtual nodes, shares ---- */

/* In a guest in several of them, a vNet is an interface (docs/substrate.md): it needs a free name.
 */
static void check_vnet_names(struct eval *ev, const struct world_node *n)
{
	enum { NAME_MAX_LEN = 15 }; /* IFNAMSIZ - 1 */

	for (size_t i = 0; i < n->n_vnets && n->n_vnets > 1 && node_kind_is_guest(n->kind); i++) {
		const char *name = n->vnets[i]->name;
		bool is_taken = !strcmp(name, "lo") || !strcmp(name, "all") ||
				!strcmp(name, "default") || !strcmp(name, "main") ||
				!strcmp(name, "local");

		for (size_t k = 0; k < n->n_nics; k++)
			is_taken |= !strcmp(world_nic_name(ev->arena, n->nics[k]), name);
		if (is_taken || strlen(name) > NAME_MAX_LEN || strpbrk(name, "/: ."))
			eval_wrong(
				ev, n->vnets[i]->name_loc,
				"%s is in several vNets, which are interfaces in it: '%s' cannot "
				"be the name of one%s",
				n->name, name,
				strlen(name) > NAME_MAX_LEN ? " (15 letters at most)" : "");
	}
}

static void check_virtual_nodes(struct eval *ev)
{
	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		if (n->is_removed)
			continue;
		check_vnet_names(ev, n);
		if (n->kind == NODE_ENDSYSTEM && n->n_vnets > 1)
			eval_wrong(ev, n->loc,
				   "%s is an end system: it is in one vNet; a program that uses "
				   "several attaches to an end system in each",
				   n->name);
		else if (n->kind == NODE_ENDSYSTEM && !n->n_vnets)
			eval_wrong(ev, n->loc, "%s is an end system: it belongs to a vNet",
				   n->name);
		else if (n->kind == NODE_ENDSYSTEM && ev->world->clock == CLOCK_VIRTUAL)
			eval_wrong(ev, n->loc,
				   "%s is an end system: its program lives by the real clock",
				   n->name);
		else if (n->place && !n->n_vnets)
			eval_wrong(ev, n->place_loc,
				   "%s belongs to no vNet: only virtual nodes have a place on a "
				   "substrate node",
				   n->name);
		else if (n->place && n->place->is_removed)
			eval_wrong(ev, n->place_loc, "%s, which holds %s, is gone",
				   world_describe_node(ev->world, n->place), n->name);
		else if (n->n_vnets && !ev->world->n_substrate)
			eval_wrong(ev, n->loc,
				   "there is no substrate node to hold %s: write s1 = "
				   "alloc(substrate)",
				   n->name);
	}
}

/* vNets of which the script says no share have equal parts of what the others leave. */
static void fill_shares(struct eval *ev)
{
	int64_t left = 1000000;
	int64_t open = 0;

	for (const struct world_vnet *v = ev->world->vnets; v; v = v->next) {
		if (!v->is_removed && v->share_ppm < 0)
			open++;
		else if (!v->is_removed)
			left -= v->share_ppm;
	}
	for (struct world_vnet *v = ev->world->vnets; v; v = v->next)
		if (!v->is_removed && v->share_ppm < 0)
			v->share_ppm = left > 0 ? left / open : 0;
}

/* A vNet uses a LAN if one of its virtual links crosses it point to point. */
static void check_shares(struct eval *ev, const struct world_slink *lan)
{
	uint8_t *uses = arena_alloc(ev->arena, ev->world->n_vnets + 1);
	int64_t sum = 0;

	for (const struct world_vlink *v = ev->world->vlinks; v; v = v->next)
		for (size_t i = 0; i < v->n_path && !v->is_removed; i++)
			if (v->path[i]->lan == lan)
				uses[v->vnet->number] = 1;
	for (const struct world_vnet *v = ev->world->vnets; v; v = v->next) {
		char text[32];

		if (v->is_removed || !uses[v->number])
			continue;
		sum += v->share_ppm;
		if (sum <= 1000000 || sum - v->share_ppm > 1000000)
			continue;
		eval_wrong(ev, v->share_loc,
			   "from %s on the vNets that use %s have more than 100%% of it together: "
			   "%s",
			   v->name, lan->name, unit_format(UNIT_PPM, sum, text, sizeof(text)));
	}
}

/* ---- MTUs, maxima ---- */

/*
 * An MTU that the script gives is a wish that must be possible; one that it leaves open becomes
 * what fits.
 */
static void fill_vlink(struct eval *ev, struct world_vlink *v)
{
	unsigned mtu = v->lan ? v->lan->mtu : NO_MTU;

	for (size_t i = 0; i < v->n_path; i++)
		if (v->path[i]->mtu < mtu)
			mtu = v->path[i]->mtu;
	if (mtu < LEAST_MTU)
		eval_wrong(ev, v->loc, "the wires under %s are too narrow for any packet", v->name);
	for (size_t i = 0; i < v->n_ends; i++) {
		struct world_nic *nic = v->ends[i];

		if (nic->has_mtu && nic->mtu > mtu)
			eval_wrong(ev, nic->loc,
				   "%s has an mtu of %u, but the wires under %s have room for %u: "
				   "give those a larger mtu",
				   world_describe_nic(ev->world, nic), nic->mtu, v->name, mtu);
		else if (nic->mtu > mtu)
			nic->mtu = mtu;
	}
}

/* Without a maximum a virtual link may have all that its narrowest substrate link has. */
static void fill_maxima(struct world_vlink *v)
{
	for (int dir = 0; dir < 2; dir++) {
		const struct world_node *at = v->n_ends ? v->ends[0]->node->place : NULL;

		if (v->max_bps[dir])
			continue;
		for (size_t i = 0; i < v->n_path; i++) {
			const struct world_slink *l = v->path[i];
			int side = l->ends[0]->node != at;

			v->max_bps[dir] =
				least_rate(v->max_bps[dir], l->rate_bps[dir == 0 ? side : !side]);
			at = l->ends[!side]->node;
		}
	}
}

void check_substrate(struct eval *ev, const struct kept *kept)
{
	struct world *w = ev->world;

	check_cables(ev);
	check_virtual_nodes(ev);
	if (w->slinks) {
		fill_slinks(ev);
		check_encapsulations(ev,
				     arena_alloc(ev->arena, (w->n_nics + 1) * sizeof(struct seen)));
		check_pairs(ev);
		give_udp_addresses(ev);
	}
	fill_shares(ev);
	if (ev->diag->items.n || !check_embedding(ev, kept))
		return;
	for (struct world_slink *l = w->slinks; l; l = l->next)
		if (!l->is_removed && l->kind == SLINK_LAN)
			check_shares(ev, l);
	for (struct world_vlink *v = w->vlinks; v; v = v->next) {
		if (v->is_removed)
			continue;
		fill_maxima(v);
		fill_vlink(ev, v);
	}
}
