/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Route netlink: requests with their answer, lists of links, and the news of links that come. */
#ifndef LIB_NETLINK_H
#define LIB_NETLINK_H

#include "lib/addr.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nlmsghdr;

/* A request under construction. */
struct netlink_msg {
	_Alignas(8) char buf[512];
};

struct netlink_link {
	int index;
	char name[16];
	uint8_t mac[6];
	bool physical; /* an Ethernet NIC (also one in a bridge), no bridge, tunnel or the like */
};

typedef void netlink_each(void *ctx, const struct netlink_link *l);

struct netlink_address {
	int index; /* of its link */
	struct addr addr;
	/*
	 * Others may send to it: no loopback or link-local address, checked for duplicates, and no
	 * temporary one (RFC 8981), which changes by itself.
	 */
	bool usable;
};

typedef void netlink_each_address(void *ctx, const struct netlink_address *a);

/* One way of a route: a route with several next hops has one for each. */
struct netlink_hop {
	struct addr dest; /* with its prefix; of length 0: default */
	struct addr via;  /* family 0: on the link */
	int dev;          /* index of the link, or 0 */
	uint32_t metric;
	unsigned protocol, type; /* RTPROT_..., RTN_... */
};

typedef void netlink_each_hop(void *ctx, const struct netlink_hop *h);

/* Opens a socket; groups: bits RTMGRP_..., or 0. */
int netlink_open(uint32_t groups, struct err *e);
/* Begins a message with a fixed part of `size` bytes, which is zeroed and returned. */
void *netlink_begin(struct netlink_msg *m, int type, int flags, size_t size);
void netlink_put(struct netlink_msg *m, int attr, const void *data, size_t len);
void netlink_put_u32(struct netlink_msg *m, int attr, uint32_t value);
/* Bytes without the head of an attribute: the fixed part of a nested message. */
void netlink_put_raw(struct netlink_msg *m, const void *data, size_t len);
/* Begins an attribute that holds others; what it returns is given to the end. */
size_t netlink_begin_nest(struct netlink_msg *m, int attr);
void netlink_end_nest(struct netlink_msg *m, size_t nest);
/* Sends the message and waits for its answer: 0, or -1 with errno. */
int netlink_talk(int fd, struct netlink_msg *m);
/* Calls each for every link, in the order of their index. No netlink_talk() in it. */
int netlink_list(int fd, netlink_each *each, void *ctx);
/* The same of every address of either family. */
int netlink_list_addresses(int fd, netlink_each_address *each, void *ctx);
/* The same of every next hop of the routes of a family (AF_...) in a table; 0: the main one. */
int netlink_list_routes(int fd, int family, uint32_t table, netlink_each_hop *each, void *ctx);
/* The hops of one RTM_NEWROUTE; nothing of any other message, table or of a clone. */
void netlink_read_route(const struct nlmsghdr *m, uint32_t of_table, netlink_each_hop *each,
			void *ctx);
/* Throws away all news that wait at a socket with groups. */
void netlink_drain(int fd);

struct netlink_route {
	int family;
	const uint8_t *dest; /* NULL: default */
	unsigned prefix;
	const uint8_t *via; /* NULL: on the link */
	int dev;            /* index of a link, or 0 */
	unsigned metric;    /* 0: the kernel's */
	uint32_t table;     /* 0: the main one */
};

/* Changes of links (index) and routes, each one request: 0, or -1 with errno. */
int netlink_set_up(int fd, int index, bool up);
/* Whether addresses of neighbours are asked for (ARP, ND). */
int netlink_set_arp(int fd, int index, bool arp);
int netlink_set_attr(int fd, int index, int attr, const void *data, size_t len); /* IFLA_... */
/* An address usable at once (no duplicate address detection), in network order. */
int netlink_add_address(int fd, int index, int family, const uint8_t *bytes, unsigned prefix);
/* Lays a route, or takes it away. */
int netlink_set_route(int fd, const struct netlink_route *r, bool present);

#endif
