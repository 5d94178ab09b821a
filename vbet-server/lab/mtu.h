/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The MTU of NICs on virtual links: where the substrate carries shorter packets than a NIC was made
 * for (the path of a UDP socket, a wire that was changed), the guest's kernel is told, at all ends
 * of the virtual link, and told again when more fits. A NIC has the MTU of the graph until then,
 * and after each boot.
 */
#ifndef VBET_SERVER_LAB_MTU_H
#define VBET_SERVER_LAB_MTU_H

#include "lib/vec.h"

#include <stdbool.h>
#include <stddef.h>

struct graph_vlink;
struct lab;

/* A NIC that has been told another MTU than that of the graph. */
struct mtu_told {
	char *node, *nic; /* owned */
	unsigned mtu;
};

struct mtus {
	VEC(struct mtu_told) told;
	bool waits; /* for the virtual clock to stand */
};

/* What NIC `nic` of node `node` (numbers in the graph) has been told, or what it was made for. */
unsigned mtu_of_nic(const struct lab *lab, size_t node, size_t nic);
/* The longest packet that a virtual link carries at present, whichever way. */
unsigned mtu_of_vlink(const struct lab *lab, const struct graph_vlink *v);
/* Something may have changed: tells the NICs that have another MTU than they should have. */
void mtu_update(struct lab *lab);
/* A node's NICs have the MTUs of the graph (again): it boots, or was told so. */
void mtu_forget(struct lab *lab, const char *node);
void mtu_finish(struct lab *lab);

#endif
