/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Divides a rate among those who want some of it: weighted max-min fairness above guaranteed
 * minima. Exact: integers, and the order of the parts does not matter but for single bit/s.
 */
#ifndef SUBSTRATE_RATE_RATESHARE_H
#define SUBSTRATE_RATE_RATESHARE_H

#include <stddef.h>
#include <stdint.h>

struct rateshare {
	int64_t min_bps;  /* it gets this whatever the others want */
	int64_t want_bps; /* and no more than this, or min_bps if that is more */
	int64_t got_bps;  /* the result */
};

/*
 * What is above the minima is given in proportion to them (a minimum below 8 kbit/s counts as 8
 * kbit/s), but to nobody more than it wants. If the minima do not fit into total_bps, each gets its
 * minimum all the same.
 */
void rateshare_divide(struct rateshare *part, size_t n, int64_t total_bps);

#endif
