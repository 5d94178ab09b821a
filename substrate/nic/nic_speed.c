/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/nic/nic_speed.h"

#include "lib/units.h"

#include <linux/ethtool.h>
#include <string.h>

enum { MBIT = 1000000 };

int nic_speed_read(struct nic_speed *s, const struct words *w, struct err *e)
{
	const char *speed = words_get(w, "speed");
	const char *duplex = words_get(w, "duplex");
	bool half = duplex && !strcmp(duplex, "half");
	int64_t bps = 0;

	if (speed && strcmp(speed, "auto") != 0 && unit_parse(UNIT_RATE, speed, &bps, e) < 0)
		return err_wrap(e, "speed");
	if (duplex && !half && strcmp(duplex, "full") != 0 && strcmp(duplex, "auto") != 0)
		return err_set(e, ERR_USAGE, "duplex is half, full or auto");
	s->bps = bps;
	s->duplex = half                                ? DUPLEX_HALF
		    : duplex && !strcmp(duplex, "full") ? DUPLEX_FULL
							: DUPLEX_UNKNOWN;
	return 0;
}

/* A cable without a rate is as fast as veth says it is. */
uint32_t nic_speed_mbps(const struct nic_speed *s, const struct end_wire *wire)
{
	int64_t bps = s->bps ? s->bps : wire->rate_bps;
	int64_t mbps = bps ? (bps + MBIT / 2) / MBIT : SPEED_10000;

	return mbps < 1 ? 1 : mbps > INT32_MAX ? INT32_MAX : (uint32_t)mbps;
}

uint8_t nic_speed_duplex(const struct nic_speed *s, const struct end_wire *wire)
{
	if (s->duplex != DUPLEX_UNKNOWN)
		return s->duplex;
	return wire->shared ? DUPLEX_HALF : DUPLEX_FULL;
}
