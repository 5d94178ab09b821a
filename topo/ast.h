/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The syntax tree: one kind of node for everything, with its children in a list. */
#ifndef TOPO_AST_H
#define TOPO_AST_H

#include "lib/arena.h"
#include "topo/diag.h"
#include "topo/value.h"

/* name: what it holds besides its children */
enum ast_kind {
	AST_BLOCK,   /* statements */
	AST_ASSIGN,  /* target, value */
	AST_FOR,     /* name: variable; what to go over, block */
	AST_IF,      /* condition, block [, block or if] */
	AST_RETURN,  /* [value] */
	AST_DEF,     /* name; parameters (a list of names), block */
	AST_INCLUDE, /* value: the path */
	AST_LITERAL, /* value */
	AST_NAME,    /* name */
	AST_TEXT,    /* parts of a string: literals and expressions */
	AST_LIST,    /* items */
	AST_DICT,    /* fields: AST_FIELD */
	AST_FIELD,   /* name; value */
	AST_UNARY,   /* op; operand */
	AST_BINARY,  /* op; left, right */
	AST_INDEX,   /* list, index */
	AST_CALL,    /* name; arguments: expressions, AST_FIELD, at the end perhaps AST_MORE */
	AST_MORE,    /* "..." */
	AST_AT,      /* time, call: an event */
	AST_EXPECT,  /* op: OP_NOT or none; fields "within" and "at", if given, then a call */
	AST_KINDS,
};

enum { AST_MAX_DEPTH = 200 };

struct ast {
	enum ast_kind kind;
	enum value_op op;
	struct loc loc;      /* the whole construct */
	struct loc name_loc; /* of the name, where it has one */
	const char *name;
	struct value value;
	unsigned depth;           /* of the tree below, 1 for a leaf */
	struct ast *first, *last; /* children */
	struct ast *next;         /* sibling */
};

struct ast *ast_create(struct arena *a, enum ast_kind kind, struct loc loc);
/* Appends a child (NULL: nothing to do) and returns the parent. */
struct ast *ast_add(struct ast *parent, struct ast *child);
size_t ast_count(const struct ast *parent);
/* The tree as indented text. */
void ast_print(FILE *out, const struct ast *t, unsigned indent);

#endif
