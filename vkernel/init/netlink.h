/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Route netlink: requests with their answer, lists of links, and the news of links that come. */
#ifndef VKERNEL_INIT_NETLINK_H
#define VKERNEL_INIT_NETLINK_H

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
	bool physical; /* an Ethernet NIC, no bridge, tunnel or the like */
};

typedef void netlink_each(void *ctx, const struct netlink_link *l);

/* Opens a socket; groups: RTMGRP_LINK or 0. */
int netlink_open(uint32_t groups, struct err *e);
/* Begins a message with a fixed part of `size` bytes, which is zeroed and returned. */
void *netlink_begin(struct netlink_msg *m, int type, int flags, size_t size);
void netlink_put(struct netlink_msg *m, int attr, const void *data, size_t len);
void netlink_put_u32(struct netlink_msg *m, int attr, uint32_t value);
/* Sends the message and waits for its answer: 0, or -1 with errno. */
int netlink_talk(int fd, struct netlink_msg *m);
/* Calls each for every link, in the order of their index. No netlink_talk() in it. */
int netlink_list(int fd, netlink_each *each, void *ctx);
/* Throws away all news that wait at a socket of the group RTMGRP_LINK. */
void netlink_drain(int fd);

#endif
