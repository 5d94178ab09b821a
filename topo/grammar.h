/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the actions of the grammar call: makers of tree nodes. For parse.y and parse.c only. */
#ifndef TOPO_GRAMMAR_H
#define TOPO_GRAMMAR_H

#include "topo/parse.h"
#include "topo/parse.tab.h"

#define YYLLOC_DEFAULT(cur, rhs, n)                       \
	do {                                              \
		if (n) {                                  \
			(cur).src = YYRHSLOC(rhs, 1).src; \
			(cur).at = YYRHSLOC(rhs, 1).at;   \
			(cur).end = YYRHSLOC(rhs, n).end; \
		} else {                                  \
			(cur) = YYRHSLOC(rhs, 0);         \
			(cur).at = (cur).end;             \
		}                                         \
	} while (0)

struct ast *grammar_named(struct parser *p, enum ast_kind kind, struct loc loc,
			  const struct token *name);
struct ast *grammar_literal(struct parser *p, struct loc loc, const struct token *t);
struct ast *grammar_single(struct parser *p, enum ast_kind kind, struct loc loc, struct ast *child);
struct ast *grammar_pair(struct parser *p, enum ast_kind kind, struct loc loc, struct ast *first,
			 struct ast *second);
/* `at` is the place of the operator; right may be NULL. */
struct ast *grammar_operation(struct parser *p, enum value_op op, struct loc loc, struct loc at,
			      struct ast *left, struct ast *right);
/* The times of an expect: how long it has (or NULL), and from when (or NULL), as fields. */
struct ast *grammar_times(struct parser *p, struct loc loc, struct ast *within, struct ast *at);
/* What an expect is called: its name, and fields (a dict, or NULL). */
struct ast *grammar_label(struct parser *p, struct loc loc, struct ast *name, struct ast *fields);
/* One part of what an answer is measured by, as a field: "matches", ">=", "stays". */
struct ast *grammar_verdict(struct parser *p, struct loc loc, const char *name, struct ast *value);
/* The children of `from` before those of `to`. */
void grammar_prepend(struct ast *to, const struct ast *from);
/* Makes the children of `from` those of `to`. */
void grammar_move(struct ast *to, struct ast *from);

/* Reports a syntax error at the current token, and sets from where on the parser is to go on. */
void grammar_report(struct parser *p, const char *const *expected, size_t n);

int topo_yylex(union TOPO_YYSTYPE *value, struct loc *loc, struct parser *p);
void topo_yyerror(struct loc *loc, struct parser *p, const char *message);

#endif
