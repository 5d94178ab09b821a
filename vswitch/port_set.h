/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A set of ports of a device. */
#ifndef VSWITCH_PORT_SET_H
#define VSWITCH_PORT_SET_H

#include "substrate/device/device.h"

#include <stdbool.h>
#include <stdint.h>

/* Ports from 0, one bit each. */
struct port_set {
	uint64_t word[DEVICE_PORTS_MAX / 64];
};

static inline bool port_in(const struct port_set *s, uint16_t port)
{
	return s->word[port >> 6] >> (port & 63) & 1;
}

static inline void port_put(struct port_set *s, uint16_t port, bool in)
{
	uint64_t bit = UINT64_C(1) << (port & 63);

	s->word[port >> 6] = in ? s->word[port >> 6] | bit : s->word[port >> 6] & ~bit;
}

static inline bool port_set_is_empty(const struct port_set *s)
{
	for (unsigned i = 0; i < DEVICE_PORTS_MAX / 64; i++)
		if (s->word[i])
			return false;
	return true;
}

#endif
