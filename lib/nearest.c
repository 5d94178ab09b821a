/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The known name that is nearest to a mistyped one, by the optimal string alignment distance. How
 * far away it may be grows with the length of the word, or every short word would resemble every
 * other.
 */
#include "lib/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_NAME = 64 };

/* Optimal string alignment distance: insert, delete, replace, swap neighbours. Case is ignored. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strnlen(a, MAX_NAME);
	size_t m = strnlen(b, MAX_NAME);
	unsigned d[3][MAX_NAME + 1];

	for (size_t j = 0; j <= m; j++)
		d[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = d[i % 3];
		const unsigned *up = d[(i - 1) % 3];
		const unsigned *upup = d[(i + 1) % 3];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			int ca = tolower((unsigned char)a[i - 1]);
			int cb = tolower((unsigned char)b[j - 1]);
			unsigned v = up[j - 1] + (ca != cb);

			if (up[j] + 1 < v)
				v = up[j] + 1;
			if (row[j - 1] + 1 < v)
				v = row[j - 1] + 1;
			if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) &&
			    cb == tolower((unsigned char)a[i - 2]) && upup[j - 2] + 1 < v)
				v = upup[j - 2] + 1;
			row[j] = v;
		}
	}
	return d[n % 3][m];
}

void nearest_init(struct nearest *n, const char *wanted)
{
	n->wanted = wanted;
	n->best = NULL;
	n->distance = (unsigned)(strnlen(wanted, MAX_NAME) + 2) / 3 + 1;
}

void nearest_offer(struct nearest *n, const char *candidate)
{
	unsigned d = distance(n->wanted, candidate);

	if (d < n->distance) {
		n->distance = d;
		n->best = candidate;
	}
}

const char *nearest_hint(struct nearest *n)
{
	n->hint[0] = '\0';
	if (n->best)
		snprintf(n->hint, sizeof(n->hint), "; did you mean '%s'?", n->best);
	return n->hint;
}
