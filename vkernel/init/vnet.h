/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest in several vNets. Each is a VRF device of its name (Linux, networking/vrf.rst) with a
 * table of routes of its own: its NICs are the device's, addresses of different vNets may be equal,
 * and no packet goes from one to another unless the guest is told to let it.
 */
#ifndef VKERNEL_INIT_VNET_H
#define VKERNEL_INIT_VNET_H

#include "vkernel/init/conf.h"
#include "vkernel/init/net.h"

/* What a program needs to run in a vNet; for its child (proc.c). All zero: in none. */
struct vnet_entry {
	char procs[64]; /* where it puts itself in: its sockets are then the device's */
	char hosts[48]; /* lies over its /etc/hosts; "": nothing does */
};

/* Makes the devices and their tables; conf is borrowed for good. Before the NICs are set up. */
void vnet_start(int netlink_fd, const struct conf *c, net_failed *failed);
/* The index of the device, or 0. */
int vnet_index(const char *name);
/* Its table of routes, or 0. */
uint32_t vnet_table(const char *name);
/* What entering the vNet takes now. name NULL: none of them. 0, or -1: there is none of that name.
 */
int vnet_find_entry(const char *name, struct vnet_entry *to, struct err *e);
/*
 * /etc/hosts as the vNet has it, malloc'ed: who is in it by the bare name, too ("h2.red" as "h2"),
 * and nobody who is only in others. Pure.
 */
char *vnet_hosts(const char *text, const struct conf *c, const char *name);

#endif
