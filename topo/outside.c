/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two kinds of nodes lead outside. An outside node stands for interfaces of the host: a NIC of it
 * is an interface, and needs a name that the host's kernel accepts. An internet node is a router
 * with address translation (libslirp): it has the addresses 10.0.N.2 and fec0::2 of a network that
 * users of libslirp know, a name server at the next address, and guests beside it get their default
 * route from it.
 */
#include "topo/outside.h"

#include "lib/addr.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum {
	IFNAME_MAX_LETTERS = 15, /* IFNAMSIZ of the host's kernel, less the 0 */
	FIRST_NET = 2,           /* 10.0.2.0/24: what users of libslirp know */
	NETS = 254,
};

static bool is_interface(const struct world_nic *nic)
{
	return nic->backend == NIC_TAP || nic->backend == NIC_PCAP;
}

const struct addr *outside_address(const struct world_nic *nic, int family)
{
	for (const struct world_addr *a = nic->addrs; a; a = a->next)
		if (a->addr.family == family)
			return &a->addr;
	return NULL;
}

/*
 * Before cables get their names, which contain those of the NICs. An interface is called like its
 * node, as the host's user will see it beside all others.
 */
void outside_name_interfaces(struct eval *ev)
{
	for (struct world_node *n = ev->world->nodes; n; n = n->next) {
		if (n->is_removed || n->kind != NODE_OUTSIDE)
			continue;
		for (size_t i = 0; i < n->n_nics; i++) {
			struct world_nic *nic = n->nics[i];

			if (nic->ifname || nic->backend != NIC_TAP)
				continue;
			nic->ifname =
				i ? arena_printf(ev->arena, "%s%zu", n->name, i + 1) : n->name;
		}
	}
}

/* ---- the way out ---- */

static bool is_router(const struct world_nic *nic)
{
	return nic->node && !nic->node->is_removed && nic->node->kind == NODE_INTERNET;
}

/* 10.0.N.2/24, or fec0:0:0:(N - 2)::2/64. */
static struct addr router_address(int family, unsigned n)
{
	struct addr a = {.family = family, .prefix = family == AF_INET ? 24 : 64};

	if (family == AF_INET) {
		memcpy(a.bytes, (uint8_t[]){10, 0, (uint8_t)n, 2}, 4);
		return a;
	}
	a.bytes[0] = 0xfe;
	a.bytes[1] = 0xc0;
	a.bytes[7] = (uint8_t)(n - FIRST_NET);
	a.bytes[15] = 2;
	return a;
}

static bool is_used(const struct world *w, unsigned n)
{
	struct addr want[] = {router_address(AF_INET, n), router_address(AF_INET6, n)};

	for (const struct world_nic *nic = w->nics; nic; nic = nic->next) {
		if (!nic->node || nic->node->is_removed)
			continue;
		for (const struct world_addr *a = nic->addrs; a; a = a->next)
			if (addr_nets_overlap(&a->addr, &want[a->addr.family == AF_INET6]))
				return true;
	}
	return false;
}

static void give(struct eval *ev, struct world_nic *nic, const struct addr *addr)
{
	struct world_addr *item = arena_alloc(ev->arena, sizeof(*item));

	item->addr = *addr;
	item->loc = nic->loc;
	item->is_auto = true;
	world_append(&nic->addrs_end, item);
}

/*
 * The first network that nobody uses, 10.0.2.0/24 and on: one that was given in an earlier graph of
 * the script stays. Both families go together, by one number.
 */
void outside_give_addresses(struct eval *ev, const struct kept *kept)
{
	unsigned next = FIRST_NET;

	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next) {
		if (!is_router(nic) || nic->addrs)
			continue;
		bool is_kept = nic->number < kept->n_addrs && kept->addrs[nic->number].family;

		while (!is_kept && next < NETS && is_used(ev->world, next))
			next++;
		unsigned n = is_kept ? kept->addrs[nic->number].bytes[2] : next;

		for (int i = 0; i < 2; i++) {
			struct addr a = router_address(i ? AF_INET6 : AF_INET, n);

			give(ev, nic, &a);
		}
	}
}

static const struct world_nic *router_of(const struct world *w, const struct world_nic *nic)
{
	for (const struct world_nic *r = w->nics; r; r = r->next)
		if (is_router(r) && r->segment == nic->segment)
			return r;
	return NULL;
}

static bool has_default(const struct world_node *n, int family)
{
	for (const struct world_route *r = n->routes; r; r = r->next)
		if (r->is_default && r->dest.family == family)
			return true;
	return false;
}

static void give_route(struct eval *ev, struct world_nic *nic, const struct addr *via)
{
	struct world_route *r = arena_alloc(ev->arena, sizeof(*r));

	r->is_default = r->has_via = true;
	r->dest.family = via->family;
	r->via = *via;
	r->dev = nic;
	r->loc = nic->loc;
	world_append(&nic->node->routes_end, r);
}

/* The router's name server is at the next address. */
static void give_name_server(struct eval *ev, struct world_nic *nic, struct addr at)
{
	static const char path[] = "/etc/resolv.conf";
	struct world_text *t;
	char text[64];

	for (t = nic->node->files; t; t = t->next)
		if (!strcmp(t->key, path))
			return;
	if (addr_add(&at, 1) < 0)
		return;
	t = arena_alloc(ev->arena, sizeof(*t));
	t->key = path;
	t->text = arena_printf(ev->arena, "nameserver %s\n",
			       addr_format(&at, false, text, sizeof(text)));
	t->len = strlen(t->text);
	t->mode = 0644;
	t->loc = nic->loc;
	world_append(&nic->node->files_end, t);
}

/*
 * Only guests whose addresses were given automatically get a route and a name server: whoever says
 * addresses says the rest, too. What the script says is never overwritten.
 */
void outside_give_routes(struct eval *ev)
{
	static const int families[] = {AF_INET, AF_INET6};

	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next) {
		if (!nic->node || nic->node->is_removed || !node_kind_is_guest(nic->node->kind) ||
		    !nic->addrs || !nic->addrs->is_auto)
			continue;
		const struct world_nic *router = router_of(ev->world, nic);

		for (size_t i = 0; router && i < ARRAY_LEN(families); i++) {
			const struct addr *via = outside_address(router, families[i]);

			if (via && outside_address(nic, families[i]) &&
			    !has_default(nic->node, families[i]))
				give_route(ev, nic, via);
			if (via)
				give_name_server(ev, nic, *via);
		}
	}
}

/* ---- checks ---- */

static void check_router(struct eval *ev, const struct world_nic *nic)
{
	unsigned n[2] = {0};

	if (nic->ifname || nic->path)
		eval_wrong(ev, nic->loc, "the way to the internet has no %s",
			   nic->ifname ? "name" : "path");
	for (const struct world_addr *a = nic->addrs; a; a = a->next) {
		bool v6 = a->addr.family == AF_INET6;
		unsigned most = v6 ? 120 : 30;

		if (n[v6]++)
			eval_wrong(ev, a->loc, "%s can have one address of IPv%d",
				   world_describe_nic(ev->world, nic), v6 ? 6 : 4);
		if (a->addr.prefix < 8 || a->addr.prefix > most)
			eval_wrong(ev, a->loc,
				   "a network that leads to the internet has a prefix from 8 to %u",
				   most);
	}
}

/* What a kernel takes for the name of an interface. */
static bool is_ifname(const char *name)
{
	size_t len = strlen(name);

	if (!len || len > IFNAME_MAX_LETTERS || *name == '-' || *name == '.')
		return false;
	for (const char *p = name; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("._-", *p))
			return false;
	return true;
}

static void check_interface(struct eval *ev, const struct world_nic *nic)
{
	if (nic->path)
		eval_wrong(ev, nic->loc, "a NIC with the back end %s has no path",
			   nic_backend_name(nic->backend));
	if (!nic->ifname)
		eval_wrong(ev, nic->loc,
			   "which interface of the host? Write name = \"eth1\", for example");
	else if (!is_ifname(nic->ifname))
		eval_wrong(ev, nic->loc,
			   "'%.64s' cannot be an interface of the host: that has up to %d letters, "
			   "digits and . _ -; write name = \"lab0\", for example",
			   nic->ifname, IFNAME_MAX_LETTERS);
	if (nic->backend == NIC_PCAP && nic->addrs)
		eval_wrong(ev, nic->addrs->loc,
			   "%s is there already, and keeps the addresses it has",
			   nic->ifname ? nic->ifname : "it");
}

static void check_socket(struct eval *ev, const struct world_nic *nic)
{
	if (!nic->path)
		eval_wrong(ev, nic->loc, "a NIC with the back end %s needs path = \"...\"",
			   nic_backend_name(nic->backend));
	else if (*nic->path != '/' || strlen(nic->path) > 107)
		eval_wrong(ev, nic->loc,
			   "the path of a socket begins with / and has 107 letters at most");
	if (nic->ifname || nic->addrs)
		eval_wrong(ev, nic->loc, "a NIC with the back end %s has no %s",
			   nic_backend_name(nic->backend), nic->ifname ? "name" : "address");
}

/*
 * One interface of the host, and one socket, can be that of one NIC only: the second would get the
 * frames of the first, or none.
 */
static void check_nic(struct eval *ev, struct world_nic *nic, struct names *seen)
{
	const struct value *other;

	if (nic->node->kind == NODE_INTERNET) {
		check_router(ev, nic);
		return;
	}
	if (nic->node->kind != NODE_OUTSIDE) {
		if (nic->ifname || nic->path)
			eval_wrong(ev, nic->loc,
				   "only a NIC that leads outside of the lab has a %s: give its "
				   "back end, too",
				   nic->ifname ? "name" : "path");
		return;
	}
	if (is_interface(nic))
		check_interface(ev, nic);
	else
		check_socket(ev, nic);
	const char *key = is_interface(nic) ? nic->ifname : nic->path;

	other = key ? names_get(seen, key) : NULL;
	if (other)
		eval_wrong(ev, nic->loc, "'%.64s' is that of %s already", key,
			   world_describe_nic(ev->world, other->nic));
	else if (key)
		names_put(seen, ev->arena, key, (struct value){.kind = VALUE_NIC, .nic = nic});
}

void outside_check(struct eval *ev)
{
	struct names seen = {0};

	for (struct world_node *n = ev->world->nodes; n; n = n->next)
		if (!n->is_removed && ev->world->clock == CLOCK_VIRTUAL &&
		    node_kind_is_outside(n->kind))
			eval_wrong(
				ev, n->loc,
				"%s leads outside of the lab, where time does not stand still: it "
				"needs clock = real",
				n->name);
	for (struct world_nic *nic = ev->world->nics; nic; nic = nic->next)
		if (nic->node && !nic->node->is_removed)
			check_nic(ev, nic, &seen);
}
