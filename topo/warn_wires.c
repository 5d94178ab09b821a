/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warnings about what is on one wire: addresses, MTUs, routes, loops. A guest may get by its own
 * configuration what the script does not give. Where a text of the script speaks of the NIC, or
 * anything on the wire gives out addresses, nothing is said of addresses that are missing: a
 * warning that is wrong teaches people to ignore all of them.
 */
#include "topo/warn.h"

#include "lib/xalloc.h"
#include "topo/wires.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_PAIRWISE = 1000 }; /* NICs on a wire, up to which each is compared with each */

/* A NIC of a station, which has a cable or a virtual link. */
struct station {
	size_t wire;
	const struct graph_node *node;
	const struct graph_nic *nic;
	size_t part; /* of those that know each other */
};

struct context {
	const struct graph *g;
	const struct wires *wires;
	struct warnings *out;
};

/* ---- addresses ---- */

/* An address whose prefix says who else is on the wire. */
static bool has_network(const struct addr *a, int family)
{
	return a->family == family && !addr_is_link_local(a) && a->prefix < addr_bits(a);
}

static const struct addr *first_address(const struct graph_nic *nic, int family)
{
	for (size_t i = 0; i < nic->n_addrs; i++)
		if (has_network(&nic->addrs[i], family))
			return &nic->addrs[i];
	return NULL;
}

/* Does a take some address of b for one of its own network? */
static bool knows(const struct graph_nic *a, const struct graph_nic *b, int family)
{
	for (size_t i = 0; i < a->n_addrs; i++)
		for (size_t k = 0; k < b->n_addrs; k++)
			if (has_network(&a->addrs[i], family) &&
			    has_network(&b->addrs[k], family) &&
			    addr_in_net(&b->addrs[k], &a->addrs[i]))
				return true;
	return false;
}

static size_t part_of(const struct station *at, size_t i)
{
	while (at[i].part != i)
		i = at[i].part;
	return i;
}

static void warn_prefix(struct context *c, const struct station *a, const struct station *b,
			int family)
{
	char one[64];
	char two[64];

	warn_add(c->out, WARN_PREFIX_LENGTH, a->nic->pos,
		 "%s (%s) takes %s (%s) for a stranger, which takes it for a neighbour",
		 a->node->name, addr_format(first_address(a->nic, family), true, one, sizeof(one)),
		 b->node->name, addr_format(first_address(b->nic, family), true, two, sizeof(two)));
}

/*
 * Joins those that know each other; reports where only one does. NICs are in one part if a chain of
 * neighbours joins them: a second address on one of them may lead from one network to another.
 */
static void find_parts(struct context *c, struct station *at, size_t n, int family)
{
	bool told = false;

	for (size_t i = 0; i < n; i++)
		at[i].part = i;
	for (size_t i = 0; i < n; i++) {
		for (size_t k = i + 1; k < n; k++) {
			bool there = knows(at[i].nic, at[k].nic, family);
			bool back = knows(at[k].nic, at[i].nic, family);

			if (there || back)
				at[part_of(at, k)].part = part_of(at, i);
			if (there == back || told)
				continue;
			told = true;
			warn_prefix(c, there ? &at[k] : &at[i], there ? &at[i] : &at[k], family);
		}
	}
}

static void check_networks(struct context *c, struct station *at, size_t n, int family)
{
	const struct station *first = NULL;
	char one[64];
	char two[64];

	if (n > MAX_PAIRWISE)
		return;
	find_parts(c, at, n, family);
	for (size_t i = 0; i < n; i++) {
		const struct addr *a = first_address(at[i].nic, family);

		if (!a || part_of(at, i) != i)
			continue;
		if (first)
			warn_add(c->out, WARN_TWO_NETWORKS, at[i].nic->pos,
				 "%s (%s) is on one wire with %s (%s), but in another network",
				 at[i].node->name, addr_format(a, true, one, sizeof(one)),
				 first->node->name,
				 addr_format(first_address(first->nic, family), true, two,
					     sizeof(two)));
		else
			first = &at[i];
	}
}

/* ---- what guests may do by themselves ---- */

static bool has_config(const struct graph_node *n, const char *daemon)
{
	for (size_t i = 0; i < n->n_configs; i++)
		if (!strcmp(n->configs[i].daemon, daemon))
			return true;
	return false;
}

/* Gives out addresses or routes, or leads where somebody may. */
static bool gives_addresses(const struct graph_node *n)
{
	static const char *const words[] = {"dhcp",        "nd prefix", "ra-interval",
					    "suppress-ra", "radvd",     NULL};

	return node_kind_is_outside(n->kind) || n->root || has_config(n, "dnsmasq") ||
	       warn_node_speaks_of(n, words);
}

static bool gets_addresses(const struct graph_node *n, const struct graph_nic *nic)
{
	static const char *const words[] = {"dhc", "ifup", "/sys/class/net", NULL};
	const char *const name[] = {nic->name, NULL};

	return n->root || warn_node_speaks_of(n, name) || warn_node_speaks_of(n, words);
}

static bool any_gives_addresses(const struct station *at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (gives_addresses(at[i].node))
			return true;
	return false;
}

/*
 * Where no NIC of a wire has an address, all get one automatically; so one that is missing beside
 * others is likely an oversight.
 */
static void check_missing(struct context *c, const struct station *at, size_t n)
{
	const struct station *has = NULL;
	char text[64];

	for (size_t i = 0; i < n && !has; i++)
		if (at[i].nic->n_addrs)
			has = &at[i];
	if (!has || any_gives_addresses(at, n))
		return;
	for (size_t i = 0; i < n; i++)
		if (!at[i].nic->n_addrs && node_kind_is_guest(at[i].node->kind) &&
		    !gets_addresses(at[i].node, at[i].nic))
			warn_add(
				c->out, WARN_ADDRESS_MISSING, at[i].nic->pos,
				"%s of %s has no address, and %s beside it has one (%s): addresses "
				"are given only where no NIC of a wire has one",
				at[i].nic->name, at[i].node->name, has->node->name,
				addr_format(&has->nic->addrs[0], true, text, sizeof(text)));
}

/* ---- MTUs ---- */

/* One message for a wire: with the first NIC, whichever is the odd one out. */
static void check_mtus(struct context *c, const struct station *at, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		if (at[i].nic->mtu == at[0].nic->mtu)
			continue;
		warn_add(c->out, WARN_MTU, at[i].nic->pos,
			 "%s has an MTU of %u, %s on the same wire %u: frames that are longer than "
			 "the smaller one are lost",
			 at[i].node->name, at[i].nic->mtu, at[0].node->name, at[0].nic->mtu);
		return;
	}
}

/* ---- routes ---- */

static bool is_router(const struct graph_node *n)
{
	return n->kind == NODE_ROUTER || n->kind == NODE_FIREWALL;
}

/* Is it on another wire, too? */
static bool leads_on(const struct context *c, const struct station *s)
{
	size_t node = (size_t)(s->node - c->g->nodes);

	for (size_t i = 0; i < s->node->n_nics; i++) {
		const struct graph_nic *nic = &s->node->nics[i];

		if (nic->n_addrs && (nic->cable >= 0 || nic->vlink >= 0) &&
		    wires_of_nic(c->wires, node, i) != s->wire)
			return true;
	}
	return false;
}

/* A host that runs a routing daemon learns its routes; one with a second NIC may go that way. */
static bool gets_routes(const struct graph_node *n)
{
	static const char *const words[] = {"route", "dhc", NULL};
	size_t addressed = 0;

	for (size_t i = 0; i < n->n_nics; i++)
		addressed += n->nics[i].n_addrs > 0;
	for (size_t i = 0; i < n->n_configs; i++)
		if (strcmp(n->configs[i].daemon, "httpd") != 0)
			return true;
	return n->n_routes || n->root || addressed != 1 || is_router(n) ||
	       warn_node_speaks_of(n, words);
}

/*
 * Only hosts with a single addressed NIC, of which nothing is said: for all others a default route
 * would be a guess.
 */
static void check_routes(struct context *c, const struct station *at, size_t n)
{
	char text[64];

	if (any_gives_addresses(at, n))
		return;
	for (size_t i = 0; i < n; i++) {
		if (!node_kind_is_guest(at[i].node->kind) || gets_routes(at[i].node))
			continue;
		for (size_t k = 0; k < n; k++) {
			if (!is_router(at[k].node) || !leads_on(c, &at[k]) ||
			    !knows(at[i].nic, at[k].nic, AF_INET))
				continue;
			addr_format(first_address(at[k].nic, AF_INET), false, text, sizeof(text));
			warn_add(
				c->out, WARN_ROUTE_MISSING, at[i].node->pos,
				"%s knows nothing beyond its own wire, and %s on it leads further: "
				"default_route(%s, %s)",
				at[i].node->name, at[k].node->name, at[i].node->name, text);
			break;
		}
	}
}

/* ---- loops, LANs over hubs ---- */

static void tell_loop(void *ctx, size_t cable)
{
	struct context *c = ctx;
	const struct graph_cable *k = &c->g->cables[cable];

	warn_add(c->out, WARN_SWITCH_LOOP, k->pos,
		 "the cable %s closes a loop of hubs and switches without rstp: a broadcast would "
		 "circle for ever; rstp = on for one of these switches at least",
		 k->name);
}

static void check_lans(struct context *c)
{
	for (size_t i = 0; i < c->g->n_slinks; i++) {
		const struct graph_slink *l = &c->g->slinks[i];
		size_t wire;

		if (l->kind != SLINK_LAN || !l->n_ends)
			continue;
		wire = wires_of_nic(c->wires, (size_t)l->ends[0].node, (size_t)l->ends[0].nic);
		for (size_t k = 0; k < c->g->n_nodes; k++)
			if (c->g->nodes[k].kind == NODE_HUB && wires_of_device(c->wires, k) == wire)
				warn_add(c->out, WARN_LAN_ON_HUB, l->pos,
					 "the LAN %s runs over the hub %s, where every station "
					 "hears the frames of virtual links and can forge them; a "
					 "switch keeps strangers out",
					 l->name, c->g->nodes[k].name);
	}
}

/* ---- all of it ---- */

static int compare_stations(const void *pa, const void *pb)
{
	const struct station *a = pa;
	const struct station *b = pb;

	if (a->wire != b->wire)
		return a->wire < b->wire ? -1 : 1;
	return a->nic < b->nic ? -1 : a->nic > b->nic;
}

/* All NICs of stations, those of one wire together. */
static struct station *list_stations(const struct graph *g, const struct wires *wires, size_t *n)
{
	VEC(struct station) all = {0};

	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct graph_node *node = &g->nodes[i];

		for (size_t k = 0; k < node->n_nics && node_kind_is_station(node->kind); k++) {
			const struct graph_nic *nic = &node->nics[k];

			if (nic->cable >= 0 || nic->vlink >= 0)
				vec_push(&all, ((struct station){wires_of_nic(wires, i, k), node,
								 nic, 0}));
		}
	}
	if (all.n > 1)
		qsort(all.at, all.n, sizeof(*all.at), compare_stations);
	*n = all.n;
	return all.at;
}

void warn_wires(const struct graph *g, const struct wires *wires, struct warnings *out)
{
	struct context c = {g, wires, out};
	size_t n;
	struct station *at = list_stations(g, wires, &n);

	for (size_t from = 0, to; from < n; from = to) {
		for (to = from + 1; to < n && at[to].wire == at[from].wire; to++)
			;
		check_networks(&c, at + from, to - from, AF_INET);
		check_networks(&c, at + from, to - from, AF_INET6);
		check_missing(&c, at + from, to - from);
		check_mtus(&c, at + from, to - from);
		check_routes(&c, at + from, to - from);
	}
	free(at);
	wires_find_loops(g, tell_loop, &c);
	check_lans(&c);
}
