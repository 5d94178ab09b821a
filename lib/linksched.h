/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How parameters of a link change over time, as data. Text: items separated by ";", each
 *
 *   KEY ramp FROM TO TIME            from FROM to TO in TIME, then stays at TO
 *   KEY square LOW HIGH PERIOD [DUTY]  LOW first, then HIGH for the share DUTY (50%) of the period
 *   KEY walk LOW HIGH STEP EVERY     every EVERY a random step of at most STEP up or down,
 *                                    reflected at LOW and HIGH; begins in the middle
 *   KEY trace FILE                   the values of a file, each from its time on
 *
 * e.g. "rate ramp 10Mbit 1Mbit 60s; loss square 0% 5% 10s 20%". Time counts from the start of the
 * schedule. Ramps and traces may end in "repeat".
 */
#ifndef LIB_LINKSCHED_H
#define LIB_LINKSCHED_H

#include "lib/err.h"
#include "lib/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LINKSCHED_ITEMS_MAX = 8, LINKSCHED_KEY_MAX = 24, LINKSCHED_PATH_MAX = 256 };

enum linksched_shape { LINKSCHED_RAMP, LINKSCHED_SQUARE, LINKSCHED_WALK, LINKSCHED_TRACE };

struct linksched_item {
	char key[LINKSCHED_KEY_MAX];
	enum unit_kind unit;
	enum linksched_shape shape;
	int64_t from, to; /* also low, high */
	int64_t step;     /* walk */
	int64_t time_ns;  /* of the ramp, of the period, between steps */
	int64_t duty_ppm; /* square: share of the period at `to` */
	bool repeat;
	char path[LINKSCHED_PATH_MAX]; /* trace */
};

struct linksched {
	struct linksched_item item[LINKSCHED_ITEMS_MAX];
	size_t n;
};

/* The unit and the largest value of a key that may change over time; false for all others. */
typedef bool linksched_find_key(const char *key, enum unit_kind *unit, int64_t *max);

/*
 * Reads the text form. 0, or -1: the error names the item. "" has no items. For links, whose keys
 * lib/linkspec.h knows, call linkspec_parse_schedule().
 */
int linksched_parse(struct linksched *s, const char *text, linksched_find_key *find, struct err *e);

#endif
