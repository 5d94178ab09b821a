/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest's NIC says of its speed and duplex: as the script has it, or as the cable has it. */
#ifndef SUBSTRATE_NIC_NIC_SPEED_H
#define SUBSTRATE_NIC_NIC_SPEED_H

#include "lib/words.h"
#include "substrate/core/end.h"

struct nic_speed {
	int64_t bps;    /* 0: as the cable has it */
	uint8_t duplex; /* DUPLEX_*; DUPLEX_UNKNOWN: as the cable has it */
};

/* speed= and duplex= of the words; a parameter that is not there, or auto: as the cable has it. */
int nic_speed_read(struct nic_speed *s, const struct words *w, struct err *e);
/* In Mbit/s, at least 1. */
uint32_t nic_speed_mbps(const struct nic_speed *s, const struct end_wire *wire);
/* DUPLEX_HALF or DUPLEX_FULL. */
uint8_t nic_speed_duplex(const struct nic_speed *s, const struct end_wire *wire);

#endif
