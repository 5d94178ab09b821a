/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The NICs of the guest: names, sizes, addresses, routes; and NICs that come while it runs. */
#ifndef VKERNEL_INIT_NET_H
#define VKERNEL_INIT_NET_H

#include "lib/loop.h"
#include "vkernel/init/conf.h"

/* Tells the server that something failed: about what, and why. */
typedef void net_failed(const char *what, const char *why);
/* A NIC that CONTROL asked for has its name and addresses now (why == NULL), or failed. */
typedef void net_done(const char *nic, const char *why);

/* Sets loopback up, and gives the NICs their names and MTUs. conf is borrowed for good. */
int net_start(struct conf *c, net_failed *failed, struct err *e);
/* Sets them up and gives them their addresses. */
void net_set_up(void);
/* Lays the routes. */
void net_add_routes(void);
/* From now on configures NICs as they come. */
int net_watch(struct loop *l, struct err *e);
/*
 * A NIC of a CONTROL message: configures it if it is there, else as soon as it comes. `plug`, if
 * not NULL, is the path of a vhost-user socket that the kernel is told to connect to.
 */
int net_add_nic(const struct words *w, net_done *done, struct err *e);
/* The MTU of a NIC, which it has from now on, even if it goes and comes again. 0 or -1. */
int net_set_mtu(const char *nic, unsigned mtu, struct err *e);
/* The route netlink socket of process 1, for requests and lists; opened if it is not. -1: cannot
 * be. */
int net_socket(struct err *e);

#endif
