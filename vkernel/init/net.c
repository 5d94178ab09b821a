/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * NICs are known by their MAC addresses: the order in which the kernel finds devices is not that of
 * the script. Names are given, not taken as they come, and a link that has the name of another is
 * moved out of the way first.
 *
 * The n-th item of `nics` belongs to the n-th of conf->nics. A NIC may be missing at first and come
 * while the guest runs, or go and come again; on every piece of news from the kernel all links are
 * listed anew, which needs no trust in the order of the news. Routes through a NIC that went have
 * gone with it and are laid again, as are IPv6 addresses when the MTU grows past IPv6's minimum.
 */
#include "vkernel/init/net.h"

#include "lib/netlink.h"
#include "vkernel/init/agent.h"
#include "vkernel/init/files.h"
#include "vkernel/init/sysctl.h"
#include "vkernel/init/told.h"
#include "vkernel/init/vnet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

enum { PLUG_TIMEOUT_S = 10, IPV6_MTU_LEAST = 1280 };

/* What we know of one NIC; the n-th belongs to the n-th of conf->nics. */
struct nic {
	int index;  /* of the link; 0: not there */
	bool asked; /* a CONTROL message waits for it */
	struct loop_timer timer;
};

static struct conf *conf;
static struct loop *loop;
static int talk_fd = -1;
static struct loop_watch news;
static VEC(struct nic *) nics;
static net_failed *tell_failed;
static net_done *tell_done;

static void fail(const char *what, const char *doing)
{
	char why[256];

	snprintf(why, sizeof(why), "%s: %s", doing, strerror(errno));
	tell_failed(what, why);
}

static int rename_link(int index, const char *name)
{
	return netlink_set_attr(talk_fd, index, IFLA_IFNAME, name, strlen(name) + 1);
}

/*
 * Gives a link its name; if another has it, that one is moved out of the way. The one that is moved
 * away gets a name by its index, which no other link has, and its own name when its turn comes.
 */
static void name_link(const struct conf_nic *c, const struct netlink_link *l)
{
	char other[16];
	unsigned holder;

	if (!strcmp(c->name, l->name) || rename_link(l->index, c->name) == 0)
		return;
	holder = errno == EEXIST ? if_nametoindex(c->name) : 0;
	if (holder) {
		snprintf(other, sizeof(other), "nic%u", holder);
		rename_link((int)holder, other);
	}
	if (!holder || rename_link(l->index, c->name) < 0)
		fail(c->name, "name");
}

static void take_link(size_t i, const struct netlink_link *l)
{
	const struct conf_nic *c = &conf->nics.at[i];

	nics.at[i]->index = l->index;
	name_link(c, l);
	if (c->has_mac && memcmp(c->mac, l->mac, 6) != 0 &&
	    netlink_set_attr(talk_fd, l->index, IFLA_ADDRESS, c->mac, 6) < 0)
		fail(c->name, "MAC address");
	uint32_t mtu = c->mtu;

	if (mtu && netlink_set_attr(talk_fd, l->index, IFLA_MTU, &mtu, sizeof(mtu)) < 0)
		fail(c->name, "MTU");
}

/* To move a NIC takes what IPv6 has on it: addresses come after. */
static void set_nic_up(size_t i)
{
	const struct conf_nic *c = &conf->nics.at[i];
	const struct addr *ip;
	uint32_t master = (uint32_t)vnet_index(c->vnet);

	if (master &&
	    netlink_set_attr(talk_fd, nics.at[i]->index, IFLA_MASTER, &master, sizeof(master)) < 0)
		fail(c->name, "vNet");
	if (netlink_set_arp(talk_fd, nics.at[i]->index, !c->no_arp) < 0)
		fail(c->name, "arp");
	if (!c->down && netlink_set_up(talk_fd, nics.at[i]->index, true) < 0)
		fail(c->name, "up");
	/* Without duplicate address detection: the script was checked for that before the lab
	 * began. */
	VEC_FOREACH (ip, &c->addrs)
		if (netlink_add_address(talk_fd, nics.at[i]->index, ip->family, ip->bytes,
					ip->prefix) < 0)
			fail(c->name, "address");
}

/* --- at start --- */

struct found {
	VEC(struct netlink_link) links;
};

static void collect(void *ctx, const struct netlink_link *l)
{
	struct found *f = ctx;

	if (l->physical)
		vec_push(&f->links, *l);
}

static int find_by_mac(const uint8_t mac[6])
{
	for (size_t i = 0; i < conf->nics.n; i++)
		if (conf->nics.at[i].has_mac && !memcmp(conf->nics.at[i].mac, mac, 6))
			return (int)i;
	return -1;
}

static void take_found(struct found *f)
{
	const struct netlink_link *l;

	VEC_FOREACH (l, &f->links) {
		int i = find_by_mac(l->mac);

		if (i >= 0)
			take_link((size_t)i, l);
	}
	/* Some drivers cannot be given a MAC: there the n-th link is the n-th NIC. */
	for (size_t i = 0; i < nics.n && i < f->links.n; i++)
		if (!nics.at[i]->index && find_by_mac(f->links.at[i].mac) < 0)
			take_link(i, &f->links.at[i]);
	for (size_t i = 0; i < nics.n; i++)
		if (!nics.at[i]->index)
			tell_failed(conf->nics.at[i].name, "the kernel has no such NIC");
}

int net_start(struct conf *c, net_failed *failed, struct err *e)
{
	struct found f = {0};

	conf = c;
	tell_failed = failed;
	talk_fd = netlink_open(0, e);
	if (talk_fd < 0)
		return -1;
	netlink_set_up(talk_fd, 1, true);
	vnet_start(talk_fd, c, failed);
	for (size_t i = 0; i < conf->nics.n; i++)
		vec_push(&nics, xcalloc(1, sizeof(struct nic)));
	netlink_list(talk_fd, collect, &f);
	take_found(&f);
	vec_free(&f.links);
	return 0;
}

/*
 * After the sysctls: some (accept_ra, addr_gen_mode) have an effect only when set before the NIC
 * comes up.
 */
int net_socket(struct err *e)
{
	if (talk_fd < 0)
		talk_fd = netlink_open(0, e);
	return talk_fd;
}

void net_set_up(void)
{
	for (size_t i = 0; i < nics.n; i++)
		if (nics.at[i]->index)
			set_nic_up(i);
}

/* --- routes --- */

static int add_route(const struct conf_route *r)
{
	struct netlink_route to = {
		.family = r->dest.family,
		.dest = r->dest.prefix ? r->dest.bytes : NULL,
		.prefix = r->dest.prefix,
		.via = r->via.family ? r->via.bytes : NULL,
		.dev = r->dev[0] ? (int)if_nametoindex(r->dev) : 0,
		.metric = r->metric,
		.table = r->table,
	};

	if (r->dev[0] && !to.dev) {
		errno = ENODEV;
		return -1;
	}
	return netlink_set_route(talk_fd, &to, true);
}

void net_add_routes(void)
{
	const struct conf_route *r;
	char what[128];
	char dest[INET6_ADDRSTRLEN];

	VEC_FOREACH (r, &conf->routes) {
		if (add_route(r) == 0)
			continue;
		int saved = errno;

		inet_ntop(r->dest.family, r->dest.bytes, dest, sizeof(dest));
		snprintf(what, sizeof(what), "route %s/%u", dest, r->dest.prefix);
		errno = saved;
		fail(what, "cannot be laid");
	}
}

/* --- NICs that come and go --- */

/* Each CONTROL message is answered once: by the link that came, or by the timer. */
static void answer(size_t i, const char *why)
{
	if (!nics.at[i]->asked)
		return;
	nics.at[i]->asked = false;
	loop_cancel_timer(loop, &nics.at[i]->timer);
	tell_done(conf->nics.at[i].name, why);
}

static bool is_among(const struct found *f, int index)
{
	const struct netlink_link *l;

	VEC_FOREACH (l, &f->links)
		if (l->index == index)
			return true;
	return false;
}

static bool is_taken(int index)
{
	for (size_t i = 0; i < nics.n; i++)
		if (nics.at[i]->index == index)
			return true;
	return false;
}

/*
 * A NIC that was pulled out and comes again has another index and has lost everything, so all is
 * done as at the start. A link whose MAC alone is that of a NIC is none: the parts of a bond have
 * one MAC.
 */
static void link_came(const struct found *all, const struct netlink_link *l)
{
	int i = find_by_mac(l->mac);

	if (i < 0 || is_taken(l->index) || is_among(all, nics.at[i]->index))
		return;
	take_link((size_t)i, l);
	sysctl_set_nic(conf, conf->nics.at[i].name, tell_failed);
	set_nic_up((size_t)i);
	for (size_t r = 0; r < conf->routes.n; r++)
		if (!strcmp(conf->routes.at[r].dev, conf->nics.at[i].name))
			add_route(&conf->routes.at[r]);
	answer((size_t)i, NULL);
}

static void look_for_links(void)
{
	struct found f = {0};
	const struct netlink_link *l;

	netlink_list(talk_fd, collect, &f);
	VEC_FOREACH (l, &f.links)
		link_came(&f, l);
	vec_free(&f.links);
}

/* ---- addresses ---- */

static struct loop_watch address_news;
static struct told told;

/* Those of the vNets' devices (vnet.c); lo's are known by their scope. */
static bool is_loopback(const struct addr *a)
{
	static const uint8_t one[16] = {[15] = 1};

	return a->family == AF_INET ? a->bytes[0] == 127 : !memcmp(a->bytes, one, sizeof(one));
}

/* The server knows those; only what came by other ways is told. */
static bool is_of_script(const struct netlink_address *a)
{
	const struct addr *ip;

	for (size_t i = 0; i < nics.n; i++) {
		if (nics.at[i]->index != a->index)
			continue;
		VEC_FOREACH (ip, &conf->nics.at[i].addrs)
			if (addr_compare(ip, &a->addr) == 0)
				return true;
	}
	return false;
}

static void tell_address(const char *nic, const struct addr *addr, const char *what)
{
	char text[80];

	agent_event("address", nic, addr_format(addr, true, text, sizeof(text)), what);
}

struct found_addresses {
	VEC(struct netlink_address) at;
};

static void collect_address(void *ctx, const struct netlink_address *a)
{
	struct found_addresses *f = ctx;

	if (a->usable && !is_loopback(&a->addr) && !is_of_script(a))
		vec_push(&f->at, *a);
}

/* As with links, all are listed anew whenever one changes. */
static void look_for_addresses(void)
{
	struct found_addresses f = {0};
	const struct netlink_address *a;
	char name[IF_NAMESIZE];

	netlink_list_addresses(talk_fd, collect_address, &f);
	told_begin(&told);
	VEC_FOREACH (a, &f.at)
		if (if_indextoname((unsigned)a->index, name))
			told_see(&told, name, &a->addr, tell_address);
	told_end(&told, tell_address);
	vec_free(&f.at);
}

static void read_address_news(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	netlink_drain(w->fd);
	look_for_addresses();
}

static void read_news(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	netlink_drain(w->fd);
	look_for_links();
}

/*
 * Sockets that only hear news are not those that ask: news in between the parts of an answer would
 * have to be sorted out.
 */
int net_watch(struct loop *l, struct err *e)
{
	loop = l;
	news.fd = netlink_open(RTMGRP_LINK, e);
	news.ready = read_news;
	if (news.fd < 0 || loop_add(l, &news, EPOLLIN, e) < 0)
		return -1;
	address_news.fd = netlink_open(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR, e);
	address_news.ready = read_address_news;
	if (address_news.fd < 0)
		return -1;
	look_for_addresses();
	return loop_add(l, &address_news, EPOLLIN, e);
}

static void plug_timed_out(struct loop_timer *t, int64_t now_ns)
{
	for (size_t i = 0; i < nics.n; i++)
		if (t == &nics.at[i]->timer)
			answer(i, "no NIC with this MAC address came");
}

/* The kernel takes all of IPv6 off a NIC with less than its least MTU. */
static void restore_ipv6(size_t i)
{
	const struct conf_nic *c = &conf->nics.at[i];
	const struct addr *ip;

	VEC_FOREACH (ip, &c->addrs)
		if (ip->family == AF_INET6 &&
		    netlink_add_address(talk_fd, nics.at[i]->index, ip->family, ip->bytes,
					ip->prefix) < 0)
			fail(c->name, "address");
	/* Routes through it went, too. To lay one again that is there changes nothing. */
	for (size_t r = 0; r < conf->routes.n; r++)
		if (conf->routes.at[r].dest.family == AF_INET6)
			add_route(&conf->routes.at[r]);
}

/* Kept also for a NIC that is not there: it gets it when it comes. */
int net_set_mtu(const char *nic, unsigned mtu, struct err *e)
{
	for (size_t i = 0; i < nics.n; i++) {
		uint32_t value = mtu;

		if (strcmp(conf->nics.at[i].name, nic) != 0)
			continue;
		bool had_ipv6 = !conf->nics.at[i].mtu || conf->nics.at[i].mtu >= IPV6_MTU_LEAST;

		conf->nics.at[i].mtu = mtu;
		if (!nics.at[i]->index)
			return 0;
		if (netlink_set_attr(talk_fd, nics.at[i]->index, IFLA_MTU, &value, sizeof(value)) <
		    0)
			return err_sys(e, "MTU %u", mtu);
		if (!had_ipv6 && mtu >= IPV6_MTU_LEAST)
			restore_ipv6(i);
		return 0;
	}
	return err_set(e, ERR_USAGE, "no such NIC");
}

int net_add_nic(const struct words *w, net_done *done, struct err *e)
{
	const char *plug = words_get(w, "plug");
	struct conf_nic *c = conf_add_nic(conf, w, e);

	if (!c)
		return -1;
	if (!c->has_mac)
		return err_set(e, ERR_USAGE, "a NIC that is plugged needs mac=");
	size_t i = (size_t)(c - conf->nics.at);

	if (i == nics.n)
		vec_push(&nics, xcalloc(1, sizeof(struct nic)));
	tell_done = done;
	nics.at[i]->index = 0;
	nics.at[i]->asked = true;
	nics.at[i]->timer.fire = plug_timed_out;
	loop_set_timer(loop, &nics.at[i]->timer, loop_now_ns(loop) + PLUG_TIMEOUT_S * 1000000000LL);
	if (plug && files_plug_virtio(plug, e) < 0) {
		answer(i, e->text);
		return 0;
	}
	look_for_links();
	return 0;
}
