/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the lexer share: lex.c, and lex_text.c for strings and here-documents. */
#ifndef TOPO_LEX_PRIV_H
#define TOPO_LEX_PRIV_H

#include "topo/lex.h"

#include <ctype.h>

struct lexer {
	struct arena *arena;
	struct diag *diag;
	const struct source *src;
	struct tokens *out;
	const char *p;      /* next byte */
	const char *end;    /* of the text, or of the part that is read now */
	const char *line;   /* where this one starts */
	const char *resume; /* where to go on after this line: behind its here-documents */
	int open;           /* innermost open bracket, or -1 */
	unsigned nesting;
	unsigned text_nesting;
	bool line_has_token;
	bool is_in_text; /* within "${...}", where a newline is an error */
};

static inline bool lex_is_name(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static inline bool lex_is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

struct loc lex_loc(const struct lexer *l, const char *from, const char *to);
/* Appends a token: what lies between `from` and l->p. */
struct token *lex_emit(struct lexer *l, int kind, const char *from);
/* Cuts up text until the end, or until an unpaired `stop` (0: none), which is left. */
void lex_until(struct lexer *l, char stop);
/* At a double quote: a string, and the expressions in it. */
void lex_string(struct lexer *l);
/* At "<<": a here-document, if a word follows. */
bool lex_here(struct lexer *l);

#endif
