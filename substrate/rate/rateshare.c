/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Progressive filling. What is left above the minima is offered to all who want more, by weight.
 * Who wants less than that fair part gets all it wants, and what it leaves makes the parts of the
 * others larger; so again, until nobody wants less. The others share the rest by weight, and the
 * bits that the division leaves over go to the first.
 */
#include "substrate/rate/rateshare.h"

#include <stdbool.h>

static const int64_t least_weight_bps = 8000;

static int64_t weight_of(const struct rateshare *p)
{
	return p->min_bps > least_weight_bps ? p->min_bps : least_weight_bps;
}

static int64_t lack_of(const struct rateshare *p)
{
	return p->want_bps > p->got_bps ? p->want_bps - p->got_bps : 0;
}

/* Those who still want something, by weight. */
static int64_t hungry(const struct rateshare *part, size_t n)
{
	int64_t weight = 0;

	for (size_t i = 0; i < n; i++)
		if (lack_of(&part[i]))
			weight += weight_of(&part[i]);
	return weight;
}

/* Gives those all they want who want no more than their fair part. False: there are none. */
static bool fill_modest(struct rateshare *part, size_t n, int64_t *rest)
{
	int64_t weight = hungry(part, n);
	int64_t used = 0;

	for (size_t i = 0; i < n && weight; i++) {
		int64_t lack = lack_of(&part[i]);

		if (!lack || (__int128)lack * weight > (__int128)*rest * weight_of(&part[i]))
			continue;
		part[i].got_bps += lack;
		used += lack;
	}
	*rest -= used;
	return used > 0;
}

void rateshare_divide(struct rateshare *part, size_t n, int64_t total_bps)
{
	int64_t rest = total_bps;

	for (size_t i = 0; i < n; i++) {
		part[i].got_bps = part[i].min_bps;
		rest -= part[i].min_bps;
	}
	if (rest <= 0)
		return;
	while (fill_modest(part, n, &rest))
		;
	int64_t weight = hungry(part, n);
	int64_t left = rest;

	if (!weight)
		return;
	for (size_t i = 0; i < n; i++) {
		if (!lack_of(&part[i]))
			continue;
		int64_t more = (int64_t)((__int128)rest * weight_of(&part[i]) / weight);

		part[i].got_bps += more;
		left -= more;
	}
	for (size_t i = 0; i < n && left; i++) {
		if (lack_of(&part[i])) {
			part[i].got_bps++;
			left--;
		}
	}
}
