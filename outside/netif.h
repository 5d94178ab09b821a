/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * An interface of the host, one side of which is a descriptor through which its frames go: a TAP
 * device, or, where there is no /dev/net/tun to be opened, a pair of veth with a packet socket at
 * its far side.
 */
#ifndef OUTSIDE_NETIF_H
#define OUTSIDE_NETIF_H

#include "lib/words.h"

#include <stdbool.h>
#include <stdint.h>

struct netif {
	char name[16];
	int fd;      /* frames go through it; owned */
	bool packet; /* it is a packet socket; peer is the index of the link it sits at */
	int peer;
};

enum netif_rights {
	NETIF_GIVEN, /* it is there, belongs to this user, and stays as it is */
	NETIF_HOST,  /* it may be made, and gets the addresses that the script says */
	NETIF_OWN,   /* the same where nobody else is: also addresses that were found for it */
};

/*
 * Makes the interface. netlink: a socket of netlink_open(). words: mac=, mtu=, addr= and auto= (any
 * number). 0 or -1.
 */
int netif_make(struct netif *n, const char *name, const struct words *words,
	       enum netif_rights rights, int netlink, struct err *e);
/* It goes, unless it was there before. */
void netif_remove(struct netif *n, int netlink);
/* What ip(8) shows as NO-CARRIER. */
void netif_set_carrier(struct netif *n, bool up, int netlink);
/* "DEST [via=ADDRESS] [dev=NAME]", DEST "default" or a prefix: lays or takes away. 0 or -1. */
int netif_set_route(const struct words *w, bool present, int netlink, struct err *e);

#endif
