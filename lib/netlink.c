/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Route netlink, as far as a guest's process 1 and vbet-outside need it (CONTRIBUTING.md, "Code
 * that is ours on purpose").
 *
 * A request is built in a buffer on the stack, sent, and answered by one acknowledgement; what else
 * arrives meanwhile is skipped by its sequence number. One static buffer receives for all, so
 * nothing may be asked while a list is being read: a second request would overwrite the links that
 * are still to be looked at.
 */
#include "lib/netlink.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_arp.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RECEIVE_SIZE = 16384 };

static _Alignas(8) char receive_buf[RECEIVE_SIZE];
static uint32_t last_seq;

int netlink_open(uint32_t groups, struct err *e)
{
	struct sockaddr_nl sa = {.nl_family = AF_NETLINK, .nl_groups = groups};
	int type = SOCK_RAW | SOCK_CLOEXEC | (groups ? SOCK_NONBLOCK : 0);
	int fd = socket(AF_NETLINK, type, NETLINK_ROUTE);

	if (fd < 0)
		return err_sys(e, "netlink");
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0) {
		err_sys(e, "netlink: bind");
		close(fd);
		return -1;
	}
	return fd;
}

void *netlink_begin(struct netlink_msg *m, int type, int flags, size_t size)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->buf;

	memset(m, 0, sizeof(*m));
	h->nlmsg_type = (uint16_t)type;
	h->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	h->nlmsg_len = (uint32_t)NLMSG_SPACE(size);
	return NLMSG_DATA(h);
}

/*
 * What does not fit is left out: a message holds a handful of attributes of known size, and the
 * kernel's answer to one that lacks any tells.
 */
void netlink_put(struct netlink_msg *m, int attr, const void *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->buf;
	struct rtattr *a = (struct rtattr *)(m->buf + h->nlmsg_len);

	if (h->nlmsg_len + RTA_SPACE(len) > sizeof(m->buf))
		return;
	a->rta_type = (uint16_t)attr;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	if (len)
		memcpy(RTA_DATA(a), data, len);
	h->nlmsg_len += (uint32_t)RTA_SPACE(len);
}

void netlink_put_u32(struct netlink_msg *m, int attr, uint32_t value)
{
	netlink_put(m, attr, &value, sizeof(value));
}

void netlink_put_raw(struct netlink_msg *m, const void *data, size_t len)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->buf;

	if (h->nlmsg_len + NLMSG_ALIGN(len) > sizeof(m->buf))
		return;
	memcpy(m->buf + h->nlmsg_len, data, len);
	h->nlmsg_len += (uint32_t)NLMSG_ALIGN(len);
}

/* A nest is an attribute whose length is known only when all that is in it has been put. */
size_t netlink_begin_nest(struct netlink_msg *m, int attr)
{
	size_t at = ((struct nlmsghdr *)m->buf)->nlmsg_len;

	netlink_put(m, attr, NULL, 0);
	return at;
}

void netlink_end_nest(struct netlink_msg *m, size_t nest)
{
	struct rtattr *a = (struct rtattr *)(m->buf + nest);

	a->rta_len = (uint16_t)(((struct nlmsghdr *)m->buf)->nlmsg_len - nest);
}

static int send_request(int fd, struct netlink_msg *m, int flags)
{
	struct nlmsghdr *h = (struct nlmsghdr *)m->buf;

	h->nlmsg_flags |= (uint16_t)flags;
	h->nlmsg_seq = ++last_seq;
	return send(fd, m->buf, h->nlmsg_len, 0) < 0 ? -1 : 0;
}

/*
 * Waits for the acknowledgement. Left-overs of an earlier list, or news on a socket that is in a
 * group, have other sequence numbers.
 */
int netlink_talk(int fd, struct netlink_msg *m)
{
	if (send_request(fd, m, NLM_F_ACK) < 0)
		return -1;
	for (;;) {
		ssize_t n = recv(fd, receive_buf, sizeof(receive_buf), 0);
		const struct nlmsghdr *h = (const struct nlmsghdr *)receive_buf;

		if (n < 0)
			return -1;
		for (size_t left = (size_t)n; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
			const struct nlmsgerr *ack = NLMSG_DATA(h);

			if (h->nlmsg_type != NLMSG_ERROR || h->nlmsg_seq != last_seq)
				continue;
			errno = -ack->error;
			return ack->error ? -1 : 0;
		}
	}
}

/*
 * "Physical" is what no module made: virtual links (bridges, tunnels, VLANs) say in IFLA_LINKINFO
 * of which kind they are. What is part of one says there only that it is.
 */
static bool has_kind(const struct rtattr *info)
{
	size_t left = RTA_PAYLOAD(info);

	for (const struct rtattr *a = RTA_DATA(info); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_INFO_KIND)
			return true;
	return false;
}

static bool read_link(const struct nlmsghdr *h, struct netlink_link *l)
{
	const struct ifinfomsg *ifi = NLMSG_DATA(h);
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*ifi));

	if (h->nlmsg_type != RTM_NEWLINK || h->nlmsg_len < NLMSG_LENGTH(sizeof(*ifi)))
		return false;
	memset(l, 0, sizeof(*l));
	l->index = ifi->ifi_index;
	l->physical = ifi->ifi_type == ARPHRD_ETHER;
	for (const struct rtattr *a = IFLA_RTA(ifi); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		size_t len = RTA_PAYLOAD(a);

		if (a->rta_type == IFLA_IFNAME && len <= sizeof(l->name))
			memcpy(l->name, RTA_DATA(a), len);
		else if (a->rta_type == IFLA_ADDRESS && len == sizeof(l->mac))
			memcpy(l->mac, RTA_DATA(a), len);
		else if (a->rta_type == IFLA_LINKINFO && has_kind(a))
			l->physical = false;
	}
	l->name[sizeof(l->name) - 1] = '\0';
	return true;
}

/*
 * Usable means that somebody else may send to it: not while duplicate address detection runs or has
 * failed (RFC 4862), not link-local, not one of those that change every day (RFC 8981).
 */
static bool read_address(const struct nlmsghdr *h, struct netlink_address *to)
{
	static const uint32_t unusable = IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_TEMPORARY;
	const struct ifaddrmsg *ifa = NLMSG_DATA(h);
	size_t left = h->nlmsg_len - NLMSG_LENGTH(sizeof(*ifa));
	uint32_t flags = 0;

	if (h->nlmsg_type != RTM_NEWADDR || h->nlmsg_len < NLMSG_LENGTH(sizeof(*ifa)))
		return false;
	bool has_flags = ifa->ifa_family == AF_INET6;
	size_t size = ifa->ifa_family == AF_INET ? 4 : 16;

	if (ifa->ifa_family != AF_INET && ifa->ifa_family != AF_INET6)
		return false;
	*to = (struct netlink_address){
		.index = (int)ifa->ifa_index,
		.addr = {.family = ifa->ifa_family, .prefix = ifa->ifa_prefixlen},
	};
	flags = ifa->ifa_flags;
	bool has_local = false;

	for (const struct rtattr *a = IFA_RTA(ifa); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		size_t len = RTA_PAYLOAD(a);

		/* Of a point-to-point link, IFA_ADDRESS is the other side's. */
		if (len == size &&
		    (a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && !has_local)))
			memcpy(to->addr.bytes, RTA_DATA(a), size);
		has_local |= a->rta_type == IFA_LOCAL;
		if (a->rta_type == IFA_FLAGS && len == sizeof(flags))
			memcpy(&flags, RTA_DATA(a), len);
	}
	/* Of IPv4, the bit of IFA_F_TEMPORARY says that the address is the second of its subnet. */
	to->usable = ifa->ifa_scope < RT_SCOPE_LINK && !(has_flags && flags & unusable);
	return true;
}

static void read_bytes(const struct rtattr *a, int family, struct addr *to)
{
	size_t size = family == AF_INET ? 4 : 16;

	if ((size_t)RTA_PAYLOAD(a) != size)
		return;
	to->family = family;
	memcpy(to->bytes, RTA_DATA(a), size);
}

/* Attributes of a route or of one of its hops. RTA_VIA: a gateway of another family (RFC 5549). */
static void read_hop_attr(const struct rtattr *a, int family, struct netlink_hop *h)
{
	uint16_t via_family;

	if (a->rta_type == RTA_GATEWAY)
		read_bytes(a, family, &h->via);
	if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == sizeof(h->dev))
		memcpy(&h->dev, RTA_DATA(a), sizeof(h->dev));
	if (a->rta_type != RTA_VIA || (size_t)RTA_PAYLOAD(a) != sizeof(via_family) + 16)
		return;
	memcpy(&via_family, RTA_DATA(a), sizeof(via_family));
	if (via_family != AF_INET6)
		return;
	h->via.family = via_family;
	memcpy(h->via.bytes, (const char *)RTA_DATA(a) + sizeof(via_family), 16);
}

static void read_hops(const struct rtattr *all, const struct netlink_hop *route,
		      netlink_each_hop *each, void *ctx)
{
	const struct rtnexthop *n = RTA_DATA(all);
	size_t left = RTA_PAYLOAD(all);

	while (left >= sizeof(*n) && n->rtnh_len >= sizeof(*n) && n->rtnh_len <= left) {
		struct netlink_hop h = *route;
		size_t of_hop = n->rtnh_len - sizeof(*n);

		h.dev = n->rtnh_ifindex;
		for (const struct rtattr *a = RTNH_DATA(n); RTA_OK(a, of_hop);
		     a = RTA_NEXT(a, of_hop))
			read_hop_attr(a, route->dest.family, &h);
		each(ctx, &h);
		if ((size_t)RTNH_ALIGN(n->rtnh_len) >= left)
			break;
		left -= (size_t)RTNH_ALIGN(n->rtnh_len);
		n = RTNH_NEXT(n);
	}
}

void netlink_read_route(const struct nlmsghdr *m, uint32_t of_table, netlink_each_hop *each,
			void *ctx)
{
	const struct rtmsg *r = NLMSG_DATA(m);
	const struct rtattr *hops = NULL;
	uint32_t table;

	if (m->nlmsg_type != RTM_NEWROUTE || m->nlmsg_len < NLMSG_LENGTH(sizeof(*r)) ||
	    (r->rtm_family != AF_INET && r->rtm_family != AF_INET6) || r->rtm_flags & RTM_F_CLONED)
		return;
	size_t left = m->nlmsg_len - NLMSG_LENGTH(sizeof(*r));
	struct netlink_hop h = {
		.dest = {.family = r->rtm_family, .prefix = r->rtm_dst_len},
		.protocol = r->rtm_protocol,
		.type = r->rtm_type,
	};

	table = r->rtm_table;
	for (const struct rtattr *a = RTM_RTA(r); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_DST)
			read_bytes(a, r->rtm_family, &h.dest);
		else if (a->rta_type == RTA_TABLE && RTA_PAYLOAD(a) == sizeof(table))
			memcpy(&table, RTA_DATA(a), sizeof(table));
		else if (a->rta_type == RTA_PRIORITY && RTA_PAYLOAD(a) == sizeof(h.metric))
			memcpy(&h.metric, RTA_DATA(a), sizeof(h.metric));
		else if (a->rta_type == RTA_MULTIPATH)
			hops = a;
		else
			read_hop_attr(a, r->rtm_family, &h);
	}
	if (table != (of_table ? of_table : RT_TABLE_MAIN))
		return;
	if (hops)
		read_hops(hops, &h, each, ctx);
	else
		each(ctx, &h);
}

/* What a list is of, and who wants it: one of the three. */
struct reader {
	netlink_each *link;
	netlink_each_address *address;
	netlink_each_hop *hop;
	uint32_t table; /* of hops */
	void *ctx;
};

/* True at the end of a list. */
static bool read_batch(size_t n, const struct reader *r)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)receive_buf;
	struct netlink_address a;
	struct netlink_link l;

	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return true;
		if (r->link && read_link(h, &l))
			r->link(r->ctx, &l);
		if (r->address && read_address(h, &a))
			r->address(r->ctx, &a);
		if (r->hop)
			netlink_read_route(h, r->table, r->hop, r->ctx);
	}
	return false;
}

static int read_list(int fd, const struct reader *r)
{
	for (;;) {
		ssize_t n = recv(fd, receive_buf, sizeof(receive_buf), 0);

		if (n < 0)
			return -1;
		if (read_batch((size_t)n, r))
			return 0;
	}
}

int netlink_list(int fd, netlink_each *each, void *ctx)
{
	struct netlink_msg m;

	netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, sizeof(struct ifinfomsg));
	netlink_put_u32(&m, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (send_request(fd, &m, 0) < 0)
		return -1;
	return read_list(fd, &(struct reader){.link = each, .ctx = ctx});
}

int netlink_list_addresses(int fd, netlink_each_address *each, void *ctx)
{
	struct netlink_msg m;

	netlink_begin(&m, RTM_GETADDR, NLM_F_DUMP, sizeof(struct ifaddrmsg));
	if (send_request(fd, &m, 0) < 0)
		return -1;
	return read_list(fd, &(struct reader){.address = each, .ctx = ctx});
}

/*
 * News only say that something changed; whoever hears them lists everything anew. So they may even
 * be lost (ENOBUFS): one is enough.
 */
int netlink_list_routes(int fd, int family, uint32_t table, netlink_each_hop *each, void *ctx)
{
	struct netlink_msg m;
	struct rtmsg *r = netlink_begin(&m, RTM_GETROUTE, NLM_F_DUMP, sizeof(*r));

	r->rtm_family = (uint8_t)family;
	if (send_request(fd, &m, 0) < 0)
		return -1;
	return read_list(fd, &(struct reader){.hop = each, .table = table, .ctx = ctx});
}

void netlink_drain(int fd)
{
	while (recv(fd, receive_buf, sizeof(receive_buf), 0) > 0 || errno == ENOBUFS)
		;
}

static struct ifinfomsg *begin_link(struct netlink_msg *m, int index)
{
	struct ifinfomsg *ifi = netlink_begin(m, RTM_NEWLINK, 0, sizeof(*ifi));

	ifi->ifi_index = index;
	return ifi;
}

static int set_flag(int fd, int index, unsigned flag, bool on)
{
	struct netlink_msg m;
	struct ifinfomsg *ifi = begin_link(&m, index);

	ifi->ifi_flags = on ? flag : 0;
	ifi->ifi_change = flag;
	return netlink_talk(fd, &m);
}

int netlink_set_up(int fd, int index, bool up)
{
	return set_flag(fd, index, IFF_UP, up);
}

int netlink_set_arp(int fd, int index, bool arp)
{
	return set_flag(fd, index, IFF_NOARP, !arp);
}

int netlink_set_attr(int fd, int index, int attr, const void *data, size_t len)
{
	struct netlink_msg m;

	begin_link(&m, index);
	netlink_put(&m, attr, data, len);
	return netlink_talk(fd, &m);
}

/*
 * IPv6 without duplicate address detection, for which an address would stay unusable about a
 * second; IPv4 with its broadcast address, which the kernel does not add by itself and /31 and /32
 * do not have.
 */
int netlink_add_address(int fd, int index, int family, const uint8_t *bytes, unsigned prefix)
{
	struct netlink_msg m;
	struct ifaddrmsg *ifa =
		netlink_begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof(*ifa));
	size_t len = family == AF_INET ? 4 : 16;

	ifa->ifa_family = (uint8_t)family;
	ifa->ifa_prefixlen = (uint8_t)prefix;
	ifa->ifa_index = (uint32_t)index;
	ifa->ifa_flags = family == AF_INET6 ? IFA_F_NODAD : 0;
	netlink_put(&m, IFA_LOCAL, bytes, len);
	netlink_put(&m, IFA_ADDRESS, bytes, len);
	if (family == AF_INET && prefix < 31) {
		uint32_t address;

		memcpy(&address, bytes, sizeof(address));
		uint32_t mask = prefix ? htonl(~0U << (32 - prefix)) : 0;

		netlink_put_u32(&m, IFA_BROADCAST, address | ~mask);
	}
	return netlink_talk(fd, &m);
}

/*
 * Scope says how far away the destination is: without a gateway it is on the link itself, which
 * only IPv4 is asked.
 */
int netlink_set_route(int fd, const struct netlink_route *r, bool present)
{
	struct netlink_msg m;
	struct rtmsg *rt = netlink_begin(&m, present ? RTM_NEWROUTE : RTM_DELROUTE,
					 present ? NLM_F_CREATE | NLM_F_REPLACE : 0, sizeof(*rt));
	size_t len = r->family == AF_INET ? 4 : 16;

	rt->rtm_family = (uint8_t)r->family;
	rt->rtm_dst_len = (uint8_t)r->prefix;
	rt->rtm_table = r->table ? RT_TABLE_UNSPEC : RT_TABLE_MAIN;
	rt->rtm_protocol = RTPROT_STATIC;
	rt->rtm_scope = r->via || r->family == AF_INET6 ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
	rt->rtm_type = RTN_UNICAST;
	if (r->dest)
		netlink_put(&m, RTA_DST, r->dest, len);
	if (r->via)
		netlink_put(&m, RTA_GATEWAY, r->via, len);
	if (r->dev)
		netlink_put_u32(&m, RTA_OIF, (uint32_t)r->dev);
	if (r->metric)
		netlink_put_u32(&m, RTA_PRIORITY, r->metric);
	if (r->table)
		netlink_put_u32(&m, RTA_TABLE, r->table);
	return netlink_talk(fd, &m);
}
