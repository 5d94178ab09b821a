/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text of strangers for a terminal: what a terminal would obey is written so that it is seen, \x1b
 * and the like. Lines, tabs and UTF-8 stay. CR stays before LF only: alone it would let a text
 * write over another.
 */
#ifndef LIB_VISIBLE_H
#define LIB_VISIBLE_H

#include <stddef.h>
#include <stdio.h>

/* Between two pieces of one text; zero-initialise. */
struct visible {
	unsigned char held[4]; /* the beginning of what is not whole yet: CR, a letter of UTF-8 */
	unsigned n_held;
};

void visible_write(struct visible *v, FILE *out, const char *data, size_t len);
/* No more comes: what is held is written. */
void visible_end(struct visible *v, FILE *out);
/* A whole text, malloc'ed. */
char *visible_text(const char *text);
/* The lines of a text as they are, each behind `indent`, the last one with a newline, too. */
void visible_put_lines(FILE *out, const char *indent, const char *text);

#endif
