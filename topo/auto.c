/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses for segments on which the script gives none.
 *
 * Each segment of guests gets a network of 10.0.0.0/8: 10.0.0.0/24 first, then 10.0.1.0/24, and so
 * on, in the order in which the script makes the NICs, around everything that the script itself
 * uses; a /16 for many guests. A vNet counts for itself, as its addresses may repeat those of
 * others, unless a gateway joins it to the ordinary network. Beside a router that leads outside,
 * the network is the router's.
 *
 * In a lab that runs, an address that was given once stays, also when nodes come and go around it.
 */
#include "topo/auto.h"

#include "lib/addr.h"
#include "topo/outside.h"

#include <string.h>
#include <sys/socket.h>

enum {
	NETS = 65536,
	PER_NET = 254,
	DHCP_BITS = 5, /* the first 2^5 addresses beside a router are given by its DHCP server */
};

struct segment {
	struct world_nic *first; /* identifies it */
	size_t n_guests;
	bool has_address;               /* from the script */
	struct addr network;            /* family 0: none yet */
	struct addr next;               /* address to give next */
	const struct world_nic *router; /* leads outside, and says which network this is; or NULL */
};

/* A network that has 10.0.0.0/8 for itself. */
struct realm {
	uint8_t *used;      /* one bit for each 10.x.y.0/24; NULL: not yet needed */
	struct names taken; /* single addresses, as text */
	unsigned next_net;
};

struct giver {
	struct eval *ev;
	const struct kept *kept;
	struct segment *segments;
	size_t n_segments;
	size_t *of_nic;       /* NIC number -> segment */
	struct realm *realms; /* the ordinary network, then the vNets, by their number */
	uint8_t *is_joined;   /* vNets that a gateway joins to the ordinary network */
};

static bool wants_address(const struct world_nic *nic)
{
	return nic->node && !nic->node->is_removed &&
	       (node_kind_is_guest(nic->node->kind) || nic->backend == NIC_TAP) &&
	       (nic->vlink || (nic->cable && nic->cable->end[0] && nic->cable->end[1]));
}

static struct realm *realm_of(struct giver *g, const struct world_nic *nic)
{
	const struct world_vnet *v = world_realm(nic);
	struct realm *r = &g->realms[v && !g->is_joined[v->number] ? v->number + 1 : 0];

	if (!r->used)
		r->used = arena_alloc(g->ev->arena, NETS / 8);
	return r;
}

static const struct addr *kept_of(const struct giver *g, const struct world_nic *nic)
{
	if (nic->number >= g->kept->n_addrs || !g->kept->addrs[nic->number].family)
		return NULL;
	return &g->kept->addrs[nic->number];
}

static void mark_used(struct realm *r, const struct addr *a)
{
	if (a->family != AF_INET || (a->bytes[0] != 10 && a->prefix >= 8))
		return;
	struct addr net = addr_network(a);
	unsigned first = a->prefix <= 8 ? 0 : (unsigned)net.bytes[1] << 8 | net.bytes[2];
	unsigned count = a->prefix <= 8 ? NETS : a->prefix >= 24 ? 1 : 1u << (24 - a->prefix);

	if (a->prefix < 8 && (net.bytes[0] ^ 10) >> (8 - a->prefix))
		return;
	for (unsigned i = first; i < first + count && i < NETS; i++)
		r->used[i / 8] |= (uint8_t)(1u << i % 8);
}

static bool is_used(const struct realm *r, unsigned first, unsigned count)
{
	for (unsigned i = first; i < first + count; i++)
		if (r->used[i / 8] >> i % 8 & 1)
			return true;
	return false;
}

/* Finds a network for n guests: a /24, or a /16 for many. False if 10.0.0.0/8 is full. */
static bool find_network(struct realm *r, size_t n, struct addr *net)
{
	unsigned step = n > PER_NET ? 256 : 1;
	unsigned i = n > PER_NET ? 0 : r->next_net;

	while (i + step <= NETS && is_used(r, i, step))
		i += step;
	if (i + step > NETS)
		return false;
	memset(net, 0, sizeof(*net));
	net->family = AF_INET;
	net->prefix = n > PER_NET ? 16 : 24;
	net->bytes[0] = 10;
	net->bytes[1] = (uint8_t)(i >> 8);
	net->bytes[2] = (uint8_t)i;
	mark_used(r, net);
	if (step == 1)
		r->next_net = i + 1;
	return true;
}

static const char *text_of(struct giver *g, const struct addr *a)
{
	char text[64];

	return arena_strdup(g->ev->arena, addr_format(a, false, text, sizeof(text)));
}

static void take(struct giver *g, const struct world_nic *nic, const struct addr *a)
{
	names_put(&realm_of(g, nic)->taken, g->ev->arena, text_of(g, a), value_none);
}

/* Its network is that of all on the segment, less its own address and that of its name server. */
static void take_router(struct giver *g, struct segment *s, const struct world_nic *router)
{
	const struct addr *v4 = outside_address(router, AF_INET);

	s->router = router;
	if (!v4)
		return;
	struct addr server = *v4;

	mark_used(realm_of(g, router), v4);
	s->network = addr_network(v4);
	take(g, router, v4);
	if (addr_add(&server, 1) == 0)
		take(g, router, &server);
}

static void collect_segments(struct giver *g)
{
	struct world *w = g->ev->world;
	size_t *by_first = arena_alloc(g->ev->arena, (w->n_nics + 1) * sizeof(size_t));

	g->of_nic = arena_alloc(g->ev->arena, (w->n_nics + 1) * sizeof(size_t));
	g->segments = arena_alloc(g->ev->arena, (w->n_nics + 1) * sizeof(struct segment));
	for (struct world_nic *nic = w->nics; nic; nic = nic->next) {
		size_t *index = &by_first[nic->segment->number]; /* plus 1 */

		if (!*index) {
			*index = ++g->n_segments;
			g->segments[*index - 1].first = nic->segment;
		}
		struct segment *s = &g->segments[*index - 1];
		const struct addr *kept = kept_of(g, nic);

		g->of_nic[nic->number] = *index - 1;
		if (!nic->node || nic->node->is_removed || nic->node->kind == NODE_SUBSTRATE)
			continue;
		if (nic->node->kind == NODE_INTERNET) {
			take_router(g, s, nic);
			continue;
		}
		for (const struct world_addr *a = nic->addrs; a; a = a->next) {
			s->has_address = true;
			mark_used(realm_of(g, nic), &a->addr);
		}
		if (!wants_address(nic))
			continue;
		s->n_guests++;
		if (kept) {
			mark_used(realm_of(g, nic), kept);
			if (!s->network.family)
				s->network = addr_network(kept);
		}
	}
}

static void give_one(struct giver *g, struct world_nic *nic, const struct addr *a)
{
	struct world_addr *item = arena_alloc(g->ev->arena, sizeof(*item));

	item->addr = *a;
	item->loc = nic->loc;
	item->is_auto = true;
	world_append(&nic->addrs_end, item);
	take(g, nic, a);
}

static uint32_t number_of(const struct addr *v4)
{
	return (uint32_t)v4->bytes[0] << 24 | (uint32_t)v4->bytes[1] << 16 |
	       (uint32_t)v4->bytes[2] << 8 | v4->bytes[3];
}

/* The address; and where a router leads outside with IPv6, the one of the same number there. */
static void give(struct giver *g, struct world_nic *nic, const struct addr *a)
{
	const struct segment *s = &g->segments[g->of_nic[nic->number]];
	const struct addr *v6 = s->router ? outside_address(s->router, AF_INET6) : NULL;
	struct addr net = addr_network(a);

	give_one(g, nic, a);
	if (!v6)
		return;
	struct addr six = addr_network(v6);

	if (addr_add(&six, number_of(a) - number_of(&net)) == 0)
		give_one(g, nic, &six);
}

/* The next address of the segment that nobody has. False if there is none. */
static bool next_address(struct giver *g, struct realm *r, struct segment *s, struct addr *a)
{
	if (!s->next.family) {
		s->next = s->network;
		if (s->router && s->network.prefix <= 32 - DHCP_BITS &&
		    addr_add(&s->next, (1 << DHCP_BITS) - 1) < 0)
			return false;
	}
	do {
		if (addr_add(&s->next, 1) < 0 || addr_is_last(&s->next))
			return false;
	} while (names_get(&r->taken, text_of(g, &s->next)));
	*a = s->next;
	return true;
}

static bool needs_address(const struct giver *g, const struct world_nic *nic)
{
	return wants_address(nic) && !nic->addrs &&
	       !g->segments[g->of_nic[nic->number]].has_address;
}

static bool give_new(struct giver *g, struct world_nic *nic)
{
	struct segment *s = &g->segments[g->of_nic[nic->number]];
	struct realm *r = realm_of(g, nic);
	struct addr a;

	if (!s->network.family && !find_network(r, s->n_guests, &s->network))
		return false;
	if (!next_address(g, r, s, &a)) {
		/* The network that it had is full: the rest gets one that would hold all. */
		memset(&s->next, 0, sizeof(s->next));
		if (!find_network(r, s->n_guests, &s->network) || !next_address(g, r, s, &a))
			return false;
	}
	give(g, nic, &a);
	return true;
}

void auto_give_addresses(struct eval *ev, const struct kept *kept)
{
	struct giver g = {.ev = ev, .kept = kept};

	g.realms = arena_alloc(ev->arena, (ev->world->n_vnets + 1) * sizeof(*g.realms));
	g.is_joined = arena_alloc(ev->arena, ev->world->n_vnets + 1);
	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next)
		if (nic->node && nic->node->n_vnets == 1 && nic->cable && !nic->node->is_removed)
			g.is_joined[nic->node->vnets[0]->number] = 1;
	collect_segments(&g);
	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next) {
		const struct addr *old = kept_of(&g, nic);

		if (old && needs_address(&g, nic) &&
		    addr_in_net(old, &g.segments[g.of_nic[nic->number]].network))
			give(&g, nic, old);
	}
	/* In the order of the nodes: that is how people count. */
	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		for (size_t i = 0; i < n->n_nics; i++) {
			if (needs_address(&g, n->nics[i]) && !give_new(&g, n->nics[i])) {
				eval_wrong(ev, n->loc,
					   "no address is left in 10.0.0.0/8 for %s: give some, or "
					   "set auto_address = off",
					   world_describe_nic(ev->world, n->nics[i]));
				return;
			}
		}
	}
}
