/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tokens to a syntax tree. */
#ifndef TOPO_PARSE_H
#define TOPO_PARSE_H

#include "topo/ast.h"
#include "topo/lex.h"

/* What the grammar works with. */
struct parser {
	struct arena *arena;
	struct diag *diag;
	struct tokens tokens;
	size_t next;      /* token that is read next */
	size_t current;   /* token that was read last */
	bool in_expect;   /* "within", "of" and "not" are words of the grammar */
	bool is_lost;     /* after an error: the next token says that a statement is over */
	size_t lost_at;   /* token of the last error */
	size_t n_lexical; /* messages that were there before the grammar began */
	struct ast *root;
};

/*
 * Parses a source to a block of statements. Never NULL; what is wrong goes into `d`, and then the
 * tree is not to be used.
 */
struct ast *parse_source(struct arena *a, struct diag *d, const struct source *src);

#endif
