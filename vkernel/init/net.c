/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vkernel/init/net.h"

#include "vkernel/init/files.h"
#include "vkernel/init/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>

enum { PLUG_TIMEOUT_S = 10 };

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

static struct ifinfomsg *begin_link(struct netlink_msg *m, int index)
{
	struct ifinfomsg *ifi = netlink_begin(m, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = index;
	return ifi;
}

static int rename_link(int index, const char *name)
{
	struct netlink_msg m;

	begin_link(&m, index);
	netlink_put(&m, IFLA_IFNAME, name, strlen(name) + 1);
	return netlink_talk(talk_fd, &m);
}

static int set_link_up(int index)
{
	struct netlink_msg m;
	struct ifinfomsg *ifi = begin_link(&m, index);

	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return netlink_talk(talk_fd, &m);
}

static void add_address(const struct conf_nic *c, int index, const struct conf_ip *ip)
{
	struct netlink_msg m;
	struct ifaddrmsg *ifa =
		netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*ifa));
	size_t len = ip->family == AF_INET ? 4 : 16;

	ifa->ifa_family = (uint8_t)ip->family;
	ifa->ifa_prefixlen = (uint8_t)ip->plen;
	ifa->ifa_index = (uint32_t)index;
	/* Usable at once: addresses are checked for duplicates before anything starts. */
	ifa->ifa_flags = ip->family == AF_INET6 ? IFA_F_NODAD : 0;
	netlink_put(&m, IFA_LOCAL, ip->bytes, len);
	netlink_put(&m, IFA_ADDRESS, ip->bytes, len);
	if (ip->family == AF_INET && ip->plen < 31) {
		uint32_t address;

		memcpy(&address, ip->bytes, sizeof(address));
		uint32_t mask = ip->plen ? htonl(~0U << (32 - ip->plen)) : 0;

		netlink_put_u32(&m, IFA_BROADCAST, address | ~mask);
	}
	if (netlink_talk(talk_fd, &m) < 0)
		fail(c->name, "address");
}

/* Gives a link its name; if another has it, that one is moved out of the way. */
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

/* Link-local addresses usable at once; routers' advertisements only for those who ask. */
static void set_defaults(const char *nic)
{
	static const char *const keys[] = {"accept_dad", "accept_ra"};
	char key[64];

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		snprintf(key, sizeof(key), "net/ipv6/conf/%s/%s", nic, keys[i]);
		files_write_sysctl(key, "0");
	}
}

static void take_link(size_t i, const struct netlink_link *l)
{
	const struct conf_nic *c = &conf->nics.at[i];
	struct netlink_msg m;

	nics.at[i]->index = l->index;
	name_link(c, l);
	set_defaults(c->name);
	if (c->has_mac && memcmp(c->mac, l->mac, 6) != 0) {
		begin_link(&m, l->index);
		netlink_put(&m, IFLA_ADDRESS, c->mac, 6);
		if (netlink_talk(talk_fd, &m) < 0)
			fail(c->name, "MAC address");
	}
	if (!c->mtu)
		return;
	begin_link(&m, l->index);
	netlink_put_u32(&m, IFLA_MTU, c->mtu);
	if (netlink_talk(talk_fd, &m) < 0)
		fail(c->name, "MTU");
}

static void set_nic_up(size_t i)
{
	const struct conf_nic *c = &conf->nics.at[i];
	const struct conf_ip *ip;

	if (!c->down && set_link_up(nics.at[i]->index) < 0)
		fail(c->name, "up");
	VEC_FOREACH (ip, &c->addrs)
		add_address(c, nics.at[i]->index, ip);
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
	/* Drivers that cannot be given a MAC: the n-th link is the n-th NIC. */
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
	set_link_up(1);
	set_defaults("default"); /* of NICs and tunnels that come later */
	for (size_t i = 0; i < conf->nics.n; i++)
		vec_push(&nics, xcalloc(1, sizeof(struct nic)));
	netlink_list(talk_fd, collect, &f);
	take_found(&f);
	vec_free(&f.links);
	return 0;
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
	struct netlink_msg m;
	struct rtmsg *rt =
		netlink_begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*rt));
	size_t len = r->dest.family == AF_INET ? 4 : 16;
	unsigned dev = r->dev[0] ? if_nametoindex(r->dev) : 0;

	if (r->dev[0] && !dev) {
		errno = ENODEV;
		return -1;
	}
	rt->rtm_family = (uint8_t)r->dest.family;
	rt->rtm_dst_len = (uint8_t)r->dest.plen;
	rt->rtm_table = RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_scope =
		r->via.family || r->dest.family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rt->rtm_type = RTN_UNICAST;
	if (r->dest.plen)
		netlink_put(&m, RTA_DST, r->dest.bytes, len);
	if (r->via.family)
		netlink_put(&m, RTA_GATEWAY, r->via.bytes, len);
	if (dev)
		netlink_put_u32(&m, RTA_OIF, dev);
	if (r->metric)
		netlink_put_u32(&m, RTA_PRIORITY, r->metric);
	return netlink_talk(talk_fd, &m);
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
		snprintf(what, sizeof(what), "route %s/%u", dest, r->dest.plen);
		errno = saved;
		fail(what, "cannot be laid");
	}
}

/* --- NICs that come and go --- */

static void answer(size_t i, const char *why)
{
	if (!nics.at[i]->asked)
		return;
	nics.at[i]->asked = false;
	loop_cancel_timer(loop, &nics.at[i]->timer);
	tell_done(conf->nics.at[i].name, why);
}

static void link_came(const struct netlink_link *l)
{
	int i = l->physical ? find_by_mac(l->mac) : -1;

	if (i < 0 || nics.at[i]->index == l->index)
		return;
	take_link((size_t)i, l);
	set_nic_up((size_t)i);
	/* Routes through a NIC that went away went with it. */
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
		link_came(l);
	vec_free(&f.links);
}

static void read_news(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	netlink_drain(w->fd);
	look_for_links();
}

int net_watch(struct loop *l, struct err *e)
{
	loop = l;
	news.fd = netlink_open(RTMGRP_LINK, e);
	news.ready = read_news;
	if (news.fd < 0)
		return -1;
	return loop_add(l, &news, EPOLLIN, e);
}

static void plug_timed_out(struct loop_timer *t, int64_t now_ns)
{
	for (size_t i = 0; i < nics.n; i++)
		if (t == &nics.at[i]->timer)
			answer(i, "no NIC with this MAC address came");
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
