/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Distributions as tables of quantiles, in the form of iproute2's netem tables: entry i of n is the
 * value at the quantile (i + 1/2) / n, in units of 1/8192 of the spread; between entries the curve
 * is a straight line, past the ends it is flat.
 *
 * All arithmetic is +, -, *, / on IEEE doubles or integers: it gives the same bits on every
 * machine.
 */
#ifndef SUBSTRATE_CABLE_CABLE_DIST_H
#define SUBSTRATE_CABLE_CABLE_DIST_H

#include "lib/err.h"
#include "lib/linkspec.h"

#include <stddef.h>
#include <stdint.h>

enum {
	CABLE_DIST_SCALE = 8192,   /* one spread, in table values */
	CABLE_DIST_BUILTIN = 4096, /* entries of the built-in tables */
	CABLE_DIST_MAX = 65536,    /* entries of a table from a file */
	CABLE_DIST_SHIFT = 29,     /* quantiles come as 2^29 to one spread (8192 * 65536) */
};

struct cable_dist {
	uint32_t n;
	const int32_t *value; /* borrowed, ascending */
};

/*
 * Mean 0 and standard deviation 1: normal; pareto (shape 3); paretonormal (a quarter normal, three
 * quarters pareto, as tc). iproute2's own pareto table divides by the variance where the deviation
 * is meant; here the spread is what the user asked for. LINK_UNIFORM has no table.
 */
struct cable_dist cable_dist_builtin(enum link_distribution which);
/* The value at quantile u / 2^64, times 2^29. */
int64_t cable_dist_quantile(const struct cable_dist *d, uint64_t u);
/* The other way: u for a value (times 2^29). */
uint64_t cable_dist_rank(const struct cable_dist *d, double value);

/*
 * Reads a table as tc does: whole numbers between blanks, "#" begins a comment. Sorts it. Returns
 * the values (the caller frees them) and their number, or NULL with the error set.
 */
int32_t *cable_dist_parse(const char *text, size_t len, uint32_t *n, struct err *e);

#endif
