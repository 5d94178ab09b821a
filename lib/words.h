/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one text form of all our protocols (docs/protocols.md): a line is words separated by spaces.
 * A word that is empty or holds a space, a quote, a backslash or a control character is written in
 * double quotes with \" \\ \n \t \r and \xHH inside. A NUL byte cannot be carried.
 */
#ifndef LIB_WORDS_H
#define LIB_WORDS_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stddef.h>
#include <stdio.h>

struct words {
	char **at; /* n words, then NULL, so that it can serve as an argv; in the arena */
	size_t n;
};

enum { WORDS_MAX = 65536 };

/*
 * Splits one line (without its newline) of at most WORDS_MAX words. Words live in the arena, which
 * grows by no more than a pointer and two octets for each octet of the line, and a block.
 * 0, or -1 with the error set: a quote, a NUL byte, too many words.
 */
int words_split(const char *line, size_t len, struct arena *a, struct words *out, struct err *e);
/* The same for lines of strangers, which have no reason to be of more than `max` words. */
int words_split_few(const char *line, size_t len, size_t max, struct arena *a, struct words *out,
		    struct err *e);
/* Writes one word, quoted if it must be. */
void words_put(FILE *out, const char *word);
/* Writes words with single spaces between them and a newline at the end. */
void words_put_line(FILE *out, char *const *words, size_t n);
/* One word as a string in the arena, quoted if it must be. */
char *words_quote(struct arena *a, const char *word);
/* The value of the first word "key=value", or NULL. */
const char *words_get(const struct words *w, const char *key);

#endif
