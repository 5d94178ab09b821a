/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of other tools made into names of ours. The same names give the same names. */
#ifndef VBET_SERVER_IMPORT_NAME_H
#define VBET_SERVER_IMPORT_NAME_H

#include "lib/arena.h"

#include <stdbool.h>
#include <stddef.h>

enum { NAME_MAX_LETTERS = 32 };

/*
 * A node's name of any text: at most NAME_MAX_LETTERS letters, digits, '_' and '-', beginning with
 * a letter. Letters with marks lose the marks ("São Paulo": "Sao_Paulo"). In the arena.
 */
char *name_make_legal(struct arena *a, const char *text);
/* A lab's name of any text: 1 to 32 small letters, digits and '-', no '-' at its beginning. */
char *name_make_lab(struct arena *a, const char *text);
/* The name of a variable for a node of that (legal) name: no '-', no word of the language. */
char *name_make_variable(struct arena *a, const char *name);

/* A set of names that are taken. Zeroed: empty. */
struct name_set {
	const char **at; /* borrowed names; owned table */
	size_t n, cap;
};

/* The name, or if it is taken, the name with the first free number behind it. Takes it. */
const char *name_take(struct name_set *s, struct arena *a, const char *name);
void name_set_finish(struct name_set *s);

#endif
