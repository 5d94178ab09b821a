/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Stations whose place is known (static entries of the filtering database, IEEE 802.1Q-2018,
 * 8.8.1): their frames come in at the ports that name them and at no other, so that nobody else on
 * the wire can speak in their name. Pure.
 */
#ifndef VSWITCH_GUARD_H
#define VSWITCH_GUARD_H

#include "lib/err.h"
#include "lib/vec.h"
#include "vswitch/port_set.h"

struct guard_station {
	uint64_t mac; /* 48 bits */
	struct port_set ports;
};

/* Zero-initialise. */
struct guard {
	VEC(struct guard_station) stations; /* owned; sorted by address */
};

void guard_finish(struct guard *g);
/* "02:..:01,02:..:02": those that live behind the port, instead of those before; "none". 0 or -1.
 */
int guard_set(struct guard *g, uint16_t port, const char *macs, struct err *e);
/* Where the station with that address lives, or NULL: it may be anywhere. */
const struct port_set *guard_find(const struct guard *g, const uint8_t mac[6]);

#endif
