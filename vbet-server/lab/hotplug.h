/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NICs and names that a changed graph gives to guests that run already. */
#ifndef VBET_SERVER_LAB_HOTPLUG_H
#define VBET_SERVER_LAB_HOTPLUG_H

#include "lib/vec.h"

#include <stdbool.h>

struct graph;
struct lab;

/* A NIC, or names, that a running guest is still to be told of. */
struct hotplug {
	char *node, *words; /* owned */
	bool is_nic;
	bool redone; /* of a record, which has what is told late, too */
};

struct hotplugs {
	VEC(struct hotplug) at;
};

/* Words (taken over) for a guest that runs; told to it by hotplug_tell(). */
void hotplug_note(struct lab *lab, const char *node, char *words, bool is_nic);
/* Notes what is new in `new` for guests that run. */
void hotplug_collect(struct lab *lab, const struct graph *old, const struct graph *new);
/*
 * Tells the guests, once the substrate has made the NICs' sockets. late: it is no part of a change
 * that is being made, but may come at any time (a guest came up).
 */
void hotplug_tell(struct lab *lab, bool late);
void hotplug_finish(struct lab *lab);

#endif
