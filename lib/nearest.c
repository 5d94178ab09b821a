/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The known name that is nearest to a mistyped one, by the optimal string alignment distance. How
 * far away it may be grows with the length of the word, or every short word would resemble every
 * other. Letters that look alike cost less than others: in "hostl", read off a page, the l is a 1.
 */
#include "lib/nearest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_NAME = 64,
	EDIT = 4,       /* what an edit costs */
	LOOK_ALIKE = 1, /* what it costs to take a letter for one that looks like it */
};

/* What it costs to take one letter for the other. Case is ignored. */
static unsigned replacement(char x, char y)
{
	static const char *const alike[] = {"1lI|", "0O", "5S", "8B", "2Z", "-_"};
	int a = tolower((unsigned char)x);
	int b = tolower((unsigned char)y);

	if (a == b)
		return 0;
	for (size_t i = 0; i < sizeof(alike) / sizeof(*alike); i++) {
		const char *has_a = NULL;
		const char *has_b = NULL;

		for (const char *p = alike[i]; *p; p++) {
			has_a = tolower((unsigned char)*p) == a ? p : has_a;
			has_b = tolower((unsigned char)*p) == b ? p : has_b;
		}
		if (has_a && has_b)
			return LOOK_ALIKE;
	}
	return EDIT;
}

/* Optimal string alignment distance: insert, delete, replace, swap neighbours. */
static unsigned distance(const char *a, const char *b)
{
	size_t n = strnlen(a, MAX_NAME);
	size_t m = strnlen(b, MAX_NAME);
	unsigned d[3][MAX_NAME + 1];

	for (size_t j = 0; j <= m; j++)
		d[0][j] = EDIT * (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *row = d[i % 3];
		const unsigned *up = d[(i - 1) % 3];
		const unsigned *upup = d[(i + 1) % 3];

		row[0] = EDIT * (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			unsigned v = up[j - 1] + replacement(a[i - 1], b[j - 1]);

			if (up[j] + EDIT < v)
				v = up[j] + EDIT;
			if (row[j - 1] + EDIT < v)
				v = row[j - 1] + EDIT;
			if (i > 1 && j > 1 && !replacement(a[i - 1], b[j - 2]) &&
			    !replacement(a[i - 2], b[j - 1]) && upup[j - 2] + EDIT < v)
				v = upup[j - 2] + EDIT;
			row[j] = v;
		}
	}
	return d[n % 3][m];
}

void nearest_init(struct nearest *n, const char *wanted)
{
	n->wanted = wanted;
	n->best = NULL;
	n->distance = EDIT * ((unsigned)(strnlen(wanted, MAX_NAME) + 1) / 3 + 1);
}

void nearest_limit(struct nearest *n, unsigned letters)
{
	if (n->distance > EDIT * (letters + 1))
		n->distance = EDIT * (letters + 1);
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
