/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses that guests have and the script did not give: from a routing daemon, a command, DHCP
 * or a router's advertisement. Process 1 of a guest says when they come and go.
 */
#ifndef VBET_SERVER_LAB_LEARNED_H
#define VBET_SERVER_LAB_LEARNED_H

#include "lib/addr.h"
#include "lib/vec.h"
#include "lib/words.h"

struct graph_node;
struct guest;
struct lab;

enum { LEARNED_MAX = 64 }; /* of one guest; more are not kept */

struct learned_address {
	char nic[16]; /* or a bridge, loopback, tunnel of the guest */
	struct addr addr;
};

/* In the order in which they came. */
struct learned {
	VEC(struct learned_address) at;
};

/* "address NIC ADDR/LEN come|gone"; the guest is not trusted: what makes no sense is ignored. */
void learned_hear(struct guest *gu, const struct words *w);
/* The guest boots anew, or is gone. */
void learned_forget(struct guest *gu);

/*
 * A node as it is now: a copy whose NICs have what was learned behind what the script gives, and
 * which has a NIC without a cable for each other interface with an address. In the arena, along
 * with what it borrows from the graph.
 */
struct graph_node *learned_node(const struct lab *lab, size_t node, struct arena *a);
/*
 * The address by which node `from` calls node `to` in a network (plan/address.h), of the script or
 * learned; family 0: there is none.
 */
struct addr learned_address_in(const struct lab *lab, size_t from, size_t to, int vnet);

#endif
