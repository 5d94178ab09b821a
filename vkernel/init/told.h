/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Addresses that the server does not know of: those that came by a routing daemon, a command,
 * DHCP or a router's advertisement. It is told what changed since it was told last. Pure.
 */
#ifndef VKERNEL_INIT_TOLD_H
#define VKERNEL_INIT_TOLD_H

#include "lib/addr.h"
#include "lib/vec.h"

#include <stdbool.h>

enum { TOLD_MAX = 64 }; /* more are not told: the server keeps them all */

struct told_address {
	char nic[16];
	struct addr addr;
	bool seen; /* in this round */
};

struct told {
	VEC(struct told_address) at; /* in the order in which they came */
};

/* what: "come" or "gone". */
typedef void told_tell(const char *nic, const struct addr *addr, const char *what);

/* A round: begin, every address that there is, end. */
void told_begin(struct told *t);
void told_see(struct told *t, const char *nic, const struct addr *addr, told_tell *tell);
void told_end(struct told *t, told_tell *tell);
void told_finish(struct told *t);

#endif
