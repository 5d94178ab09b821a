/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every wire and LAN of a substrate keeps for messages of control (docs/substrate.md): the
 * planner promises to virtual networks what is left, and the schedulers divide it.
 */
#ifndef LIB_RESERVE_H
#define LIB_RESERVE_H

#include <stdint.h>

enum {
	RESERVE_PART = 100,       /* that part of the rate, */
	RESERVE_LEAST_BPS = 64000 /* and at least this */
};

static inline int64_t reserve_bps(int64_t rate_bps)
{
	int64_t part = rate_bps / RESERVE_PART;

	return part > RESERVE_LEAST_BPS ? part : RESERVE_LEAST_BPS;
}

#endif
