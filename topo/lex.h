/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text to tokens. All of a text is cut up before it is parsed, so that the parser can look back. */
#ifndef TOPO_LEX_H
#define TOPO_LEX_H

#include "lib/arena.h"
#include "topo/diag.h"
#include "topo/value.h"

enum { LEX_MAX_NESTING = 150, LEX_MAX_NAME = 64, LEX_MAX_BYTES = 16 << 20 };

struct token {
	int kind; /* a token of the grammar */
	struct loc loc;
	struct value value;
	const char *name;
	bool is_first;   /* on its line */
	bool is_block;   /* a "{" that opens a block, not a value */
	unsigned column; /* bytes before it on its line */
	int parent;      /* index of the innermost open bracket, or -1 */
};

struct tokens {
	VEC(struct token) list; /* the last one is the end of the file */
	bool gave_up;           /* nested so deeply that the rest was not looked at */
};

/* Cuts up the text; what is wrong goes into `d`. Strings and names live in the arena. */
void lex_run(struct arena *a, struct diag *d, const struct source *src, struct tokens *out);
/* The keywords of the language, one after the other; NULL past the end. */
const char *lex_keyword(size_t i);

#endif
