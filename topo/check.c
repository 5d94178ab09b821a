/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * After the script has run: everything gets a name, a MAC and an address, and what cannot be is
 * reported.
 *
 * The order matters. MACs derive from names, so that they stay the same from run to run; addresses
 * are unique per segment, so segments come first; given addresses are checked before any are given
 * out, or the message would blame the wrong one. Later steps are skipped when an earlier one
 * failed: what they would say follows from it.
 */
#include "topo/check.h"

#include "lib/addr.h"
#include "lib/rng.h"
#include "lib/units.h"
#include "topo/auto.h"
#include "topo/check_service.h"
#include "topo/check_substrate.h"
#include "topo/event.h"
#include "topo/lab_dir.h"
#include "topo/naming.h"
#include "topo/outside.h"
#include "topo/packages.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* ---- loose ends, sizes ---- */

static void check_ends(struct eval *ev)
{
	for (struct world_cable *c = ev->world->cables; c; c = c->next) {
		const struct world_nic *end = c->end[0] ? c->end[0] : c->end[1];

		if (end && !(c->end[0] && c->end[1]))
			eval_wrong(ev, c->loc, "only one end of %s is plugged, in %s",
				   c->name ? c->name : "this cable",
				   world_describe_nic(ev->world, end));
	}
	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next)
		if (!nic->node)
			eval_wrong(ev, nic->loc, "this NIC is attached to no node");
		else if (nic->params && nic->node->kind != NODE_SWITCH)
			eval_wrong(ev, nic->loc,
				   "%s is no port of a switch: it has no parameter '%s'",
				   world_describe_nic(ev->world, nic), nic->params->key);
		else if ((nic->speed_bps || nic->duplex) &&
			 (!node_kind_is_guest(nic->node->kind) || nic->backend != NIC_VHOST))
			eval_wrong(ev, nic->loc,
				   "%s has no parameter '%s': NICs of guests with the back end "
				   "vhost have one",
				   world_describe_nic(ev->world, nic),
				   nic->speed_bps ? "speed" : "duplex");
}

/* Frames of HDLC have no addresses: only two guests' NICs can be at its ends. */
static void check_framing(struct eval *ev)
{
	for (const struct world_cable *c = ev->world->cables; c; c = c->next)
		for (int i = 0; i < 2 && c->dir[0].framing == LINK_HDLC; i++) {
			const struct world_nic *nic = c->end[i];

			if (nic && nic->node &&
			    (!node_kind_is_guest(nic->node->kind) || nic->backend != NIC_VHOST))
				eval_wrong(ev, c->loc,
					   "framing = hdlc is for a cable between two guests: %s "
					   "takes Ethernet frames only",
					   world_describe_nic(ev->world, nic));
		}
}

/*
 * Told once, at the first node for which there is no room, with the sum of all: the user must learn
 * how much is missing, not only that it is too much. Sockets of a lab lie in one directory whose
 * path has a length already; sun_path holds 108 bytes.
 */
static void check_sizes(struct eval *ev)
{
	int64_t memory = 0;
	bool told = ev->opt->memory_limit <= 0;
	size_t room = ev->opt->socket_room;

	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		if (n->is_removed)
			continue;
		memory += n->memory_bytes;
		if (!told && memory > ev->opt->memory_limit) {
			char have[32];
			char want[32];

			told = true;
			for (struct world_node *m = n->next; m; m = m->next)
				memory += m->is_removed ? 0 : m->memory_bytes;
			eval_wrong(ev, n->loc,
				   "from %s on there is not enough memory: the guests want %s "
				   "together, the machine has %s for them",
				   n->name,
				   unit_format(UNIT_SIZE, memory >> 20 << 20, want, sizeof(want)),
				   unit_format(UNIT_SIZE, ev->opt->memory_limit >> 20 << 20, have,
					       sizeof(have)));
		}
		const char *last =
			n->n_nics ? world_nic_name(ev->arena, n->nics[n->n_nics - 1]) : "";
		size_t len = strlen(n->name) + 1 + strlen(last);

		if (room && len > room)
			eval_wrong(ev, n->name_loc,
				   "the name '%s' is too long: a socket path has room for %zu "
				   "letters of it here",
				   n->name, room > strlen(last) + 1 ? room - strlen(last) - 1 : 0);
	}
}

static void check_disks(struct eval *ev)
{
	enum { SECTOR = 512 };

	for (const struct world_node *n = ev->world->nodes; n; n = n->next) {
		if (n->is_removed)
			continue;
		if (n->disk_read_only && !n->disk)
			eval_wrong(ev, n->disk_loc,
				   "%s: a disk that is read-only needs what is on it: disk = "
				   "\"FILE\"",
				   n->name);
		if (n->disk_bytes % SECTOR)
			eval_wrong(ev, n->loc, "%s: disk_size is a multiple of %d bytes", n->name,
				   SECTOR);
	}
}

/* ---- segments ---- */

/*
 * Union and find (Tarjan): every NIC points to another of its segment, or to itself. Each look
 * halves the way for the next one.
 */
static struct world_nic *segment_of(struct world_nic *nic)
{
	while (nic->segment != nic) {
		nic->segment = nic->segment->segment;
		nic = nic->segment;
	}
	return nic;
}

/* The lower number is the one that stands for a segment, so that it is the same from run to run. */
static void merge(struct world_nic *a, struct world_nic *b)
{
	a = segment_of(a);
	b = segment_of(b);
	if (a->number < b->number)
		b->segment = a;
	else
		a->segment = b;
}

/* NICs between which frames pass without a router. */
static void find_segments(struct eval *ev)
{
	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next)
		nic->segment = nic;
	for (struct world_cable *c = ev->world->cables; c; c = c->next)
		if (c->end[0] && c->end[1])
			merge(c->end[0], c->end[1]);
	for (struct world_node *n = ev->world->nodes; n; n = n->next)
		for (size_t i = 1; node_kind_is_device(n->kind) && i < n->n_nics; i++)
			merge(n->nics[0], n->nics[i]);
	for (struct world_vlink *v = ev->world->vlinks; v; v = v->next)
		for (size_t i = 1; i < v->n_ends; i++)
			merge(v->ends[0], v->ends[i]);
}

/* ---- addresses ---- */

struct owned {
	const struct world_addr *addr;
	struct world_nic *nic;
};

/*
 * By address first, so that those who share one are neighbours in the list; then by network, since
 * addresses of different vNets may repeat; then in the order of the script.
 */
static int compare_owned(const void *pa, const void *pb)
{
	const struct owned *a = pa;
	const struct owned *b = pb;

	if (a->addr->addr.family != b->addr->addr.family)
		return a->addr->addr.family < b->addr->addr.family ? -1 : 1;
	int c = memcmp(a->addr->addr.bytes, b->addr->addr.bytes, sizeof(a->addr->addr.bytes));

	const struct world_vnet *ra = world_realm(a->nic);
	const struct world_vnet *rb = world_realm(b->nic);

	if (c)
		return c;
	if (ra != rb)
		return !ra || (rb && ra->number < rb->number) ? -1 : 1;
	return a->nic->number < b->nic->number ? -1 : a->nic->number > b->nic->number;
}

/*
 * Link-local addresses are unique on their segment only, and a vNet's within the vNet. On one
 * segment nothing may repeat, whatever the script allows.
 */
static void check_pair(struct eval *ev, const struct owned *a, const struct owned *b)
{
	char text[64];
	bool same_segment = segment_of(a->nic) == segment_of(b->nic);
	bool may_repeat = ev->world->allow_duplicates || addr_is_link_local(&a->addr->addr) ||
			  world_realm(a->nic) != world_realm(b->nic);

	if (!addr_same(&a->addr->addr, &b->addr->addr) || (may_repeat && !same_segment))
		return;
	eval_wrong(ev, b->addr->loc, "the address %s is that of %s already (%s)%s",
		   addr_format(&a->addr->addr, false, text, sizeof(text)),
		   world_describe_nic(ev->world, a->nic), eval_where(ev, a->addr->loc),
		   same_segment ? "" : "; if that is meant, write allow_duplicates = on");
}

static void check_addresses(struct eval *ev)
{
	VEC(struct owned) all = {0};

	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next)
		for (const struct world_addr *a = nic->addrs; a; a = a->next)
			if (nic->node && !nic->node->is_removed)
				vec_push(&all, ((struct owned){a, nic}));
	if (all.n > 1)
		qsort(all.at, all.n, sizeof(*all.at), compare_owned);
	for (size_t i = 1; i < all.n; i++)
		check_pair(ev, &all.at[i - 1], &all.at[i]);
	vec_free(&all);
}

/* ---- MACs ---- */

static struct world_nic *find_mac(struct names *macs, const uint8_t mac[6])
{
	char text[32];
	const struct value *v = names_get(macs, addr_format_mac(mac, text, sizeof(text)));

	return v ? v->nic : NULL;
}

static void add_mac(struct eval *ev, struct names *macs, struct world_nic *nic)
{
	char text[32];

	addr_format_mac(nic->mac, text, sizeof(text));
	names_put(macs, ev->arena, arena_strdup(ev->arena, text),
		  (struct value){.kind = VALUE_NIC, .nic = nic});
}

/* From the names of lab, node and NIC, so that it stays the same from run to run. */
static void derive_mac(struct eval *ev, struct names *macs, struct world_nic *nic)
{
	const char *name = world_nic_name(ev->arena, nic);
	const char *lab = ev->world->lab;
	uint64_t h = hash_fnv1a(lab, strlen(lab) + 1, HASH_FNV1A_START);

	h = hash_fnv1a(nic->node->name, strlen(nic->node->name) + 1, h);
	h = hash_fnv1a(name, strlen(name) + 1, h);
	struct rng r = {h}; /* mixes the bits of the hash, and goes on if a MAC is taken */

	do {
		uint64_t v = rng_next(&r);

		nic->mac[0] = 0x02; /* locally administered */
		for (int i = 1; i < 6; i++)
			nic->mac[i] = (uint8_t)(v >> (8 * i));
	} while (find_mac(macs, nic->mac));
	add_mac(ev, macs, nic);
}

/*
 * Given ones first: a derived MAC makes way for one that the script says, whichever comes first in
 * the text.
 */
static void check_macs(struct eval *ev)
{
	struct names macs = {0};

	for (int given = 1; given >= 0; given--) {
		for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next) {
			if (!nic->node || nic->node->is_removed || nic->has_mac != given ||
			    node_kind_is_device(nic->node->kind))
				continue;
			const struct world_nic *other = given ? find_mac(&macs, nic->mac) : NULL;
			char text[32];

			if (other)
				eval_wrong(ev, nic->loc, "the MAC %s is that of %s already (%s)",
					   addr_format_mac(nic->mac, text, sizeof(text)),
					   world_describe_nic(ev->world, other),
					   eval_where(ev, other->loc));
			else if (given)
				add_mac(ev, &macs, nic);
			else
				derive_mac(ev, &macs, nic);
		}
	}
}

/* ---- routes ---- */

/* The networks a node is on, as "10.0.0.0/24, 10.0.1.0/24", or "none". */
static const char *list_networks(struct eval *ev, const struct world_node *n, int family)
{
	const char *list = "";
	char text[64];

	for (size_t i = 0; i < n->n_nics; i++) {
		for (const struct world_addr *a = n->nics[i]->addrs; a; a = a->next) {
			struct addr net = addr_network(&a->addr);

			if (net.family == family && strlen(list) < 200)
				list = arena_printf(ev->arena, "%s%s%s", list, *list ? ", " : "",
						    addr_format(&net, true, text, sizeof(text)));
		}
	}
	return *list ? list : "none";
}

/*
 * In which table a route of a node in several vNets is: said, or that of its NIC, or of the only
 * network with the gateway in it.
 */
static bool place_route(struct eval *ev, const struct world_node *n, struct world_route *r)
{
	const struct world_vnet *found = r->dev ? world_realm(r->dev) : NULL;
	size_t count = r->dev != NULL;

	for (size_t i = 0; i < n->n_nics && !r->dev; i++) {
		const struct world_vnet *realm = world_realm(n->nics[i]);

		for (const struct world_addr *a = n->nics[i]->addrs; a; a = a->next) {
			if (!addr_in_net(&r->via, &a->addr) || (count && realm == found))
				continue;
			count++;
			found = realm;
		}
	}
	if (r->vnet && r->dev && found != r->vnet) {
		eval_wrong(ev, r->loc, "that NIC of %s is not of this vNet", n->name);
		return false;
	}
	if (!r->vnet && count > 1) {
		eval_wrong(
			ev, r->loc,
			"the gateway is in %zu networks of %s: say which is meant, as in vnet = %s",
			count, n->name, n->vnets[0]->name);
		return false;
	}
	if (!r->vnet)
		r->vnet = (struct world_vnet *)found;
	return true;
}

/*
 * A gateway must be a neighbour: the kernel of the guest refuses one that is not, at boot, where
 * only its console would show it.
 */
static void check_route(struct eval *ev, const struct world_node *n, const struct world_route *r)
{
	char text[64];
	bool reached = false;

	if (!r->has_via)
		return;
	addr_format(&r->via, false, text, sizeof(text));
	if (addr_is_link_local(&r->via)) {
		if (!r->dev)
			eval_wrong(ev, r->loc, "the gateway %s needs dev = NIC(%s, number)", text,
				   n->name);
		return;
	}
	for (size_t i = 0; i < n->n_nics; i++) {
		for (const struct world_addr *a = n->nics[i]->addrs; a; a = a->next) {
			if (n->n_vnets > 1 && world_realm(n->nics[i]) != r->vnet)
				continue;
			if (addr_same(&a->addr, &r->via)) {
				eval_wrong(ev, r->loc, "the gateway %s is %s itself", text,
					   n->name);
				return;
			}
			if (addr_in_net(&r->via, &a->addr) && (!r->dev || r->dev == n->nics[i]))
				reached = true;
		}
	}
	if (!reached)
		eval_wrong(ev, r->loc, "the gateway %s is on no network of %s%s; those are: %s",
			   text, r->dev ? "that NIC of " : "", n->name,
			   list_networks(ev, n, r->via.family));
}

static void check_routes(struct eval *ev)
{
	for (const struct world_node *n = ev->world->nodes; n; n = n->next) {
		for (struct world_route *r = n->routes; r && !n->is_removed; r = r->next) {
			if (n->n_vnets < 2 || place_route(ev, n, r))
				check_route(ev, n, r);
		}
	}
}

/*
 * The order is that of the theory above. Networks of internet nodes are chosen before addresses are
 * checked and given out, so that nobody else gets them.
 */
void check_world(struct eval *ev, const struct kept *kept, bool is_live)
{
	naming_nodes(ev);
	naming_slink_cables(ev);
	outside_name_interfaces(ev);
	naming_cables(ev);
	naming_virtual(ev);
	if (!is_live)
		check_ends(ev);
	world_settle_memory(ev->world);
	check_sizes(ev);
	check_disks(ev);
	check_framing(ev);
	packages_check(ev);
	find_segments(ev);
	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next)
		nic->segment = segment_of(nic);
	check_macs(ev);
	outside_check(ev);
	outside_give_addresses(ev, kept);
	if (!ev->diag->items.n)
		check_substrate(ev, kept);
	check_addresses(ev);
	if (ev->world->auto_address && !ev->diag->items.n) {
		auto_give_addresses(ev, kept);
		outside_give_routes(ev);
	}
	check_routes(ev);
	lab_dir_lay(ev);
	check_services(ev);
	event_check(ev, is_live);
}
