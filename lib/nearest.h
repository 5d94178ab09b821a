/* SPDX-License-Identifier: GPL-3.0-or-later */
/* "did you mean": finds the known name nearest to a mistyped one (edit distance). */
#ifndef LIB_NEAREST_H
#define LIB_NEAREST_H

struct nearest {
	const char *wanted; /* borrowed */
	const char *best;   /* borrowed; NULL: nothing near */
	unsigned distance;  /* of the best; at first, what is too far */
	char hint[128];
};

void nearest_init(struct nearest *n, const char *wanted);
/* Before names are offered: letters of a name that may be wrong at most. */
void nearest_limit(struct nearest *n, unsigned letters);
void nearest_offer(struct nearest *n, const char *candidate);
/* "; did you mean 'router'?" or "". */
const char *nearest_hint(struct nearest *n);

#endif
