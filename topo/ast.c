/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Trees from text of any depth: each node knows the depth of what is below it, so that the parser
 * can refuse a tree that would overflow the stack of those who walk it.
 */
#include "topo/ast.h"

#include "lib/words.h"
#include "lib/xalloc.h"

struct ast *ast_create(struct arena *a, enum ast_kind kind, struct loc loc)
{
	struct ast *t = arena_alloc(a, sizeof(*t));

	t->kind = kind;
	t->loc = loc;
	t->name_loc = loc;
	t->depth = 1;
	return t;
}

/*
 * Children are appended, so that they stand in the order of the text. The depth goes up by one
 * level only, to the parent: trees are built from the leaves.
 */
struct ast *ast_add(struct ast *parent, struct ast *child)
{
	if (!child)
		return parent;
	if (parent->last)
		parent->last->next = child;
	else
		parent->first = child;
	parent->last = child;
	if (child->depth >= parent->depth)
		parent->depth = child->depth + 1;
	return parent;
}

size_t ast_count(const struct ast *parent)
{
	size_t n = 0;

	for (const struct ast *t = parent->first; t; t = t->next)
		n++;
	return n;
}

static const char *const kind_names[] = {
	[AST_BLOCK] = "block",     [AST_ASSIGN] = "assign", [AST_FOR] = "for",
	[AST_IF] = "if",           [AST_RETURN] = "return", [AST_DEF] = "def",
	[AST_INCLUDE] = "include", [AST_LITERAL] = "",      [AST_NAME] = "name",
	[AST_TEXT] = "text",       [AST_LIST] = "list",     [AST_DICT] = "group",
	[AST_FIELD] = "field",     [AST_UNARY] = "unary",   [AST_BINARY] = "binary",
	[AST_INDEX] = "index",     [AST_CALL] = "call",     [AST_MORE] = "...",
	[AST_AT] = "at",           [AST_EXPECT] = "expect",
};
_Static_assert(ARRAY_LEN(kind_names) == AST_KINDS, "kind_names out of step");

static void print_literal(FILE *out, const struct value *v)
{
	fputs(value_kind_name(v), out);
	fputc(' ', out);
	if (v->kind == VALUE_STRING)
		words_put(out, v->text);
	else
		value_print(out, v);
}

/* For vbet check --dump=tree, and for tests of the grammar. */
void ast_print(FILE *out, const struct ast *t, unsigned indent)
{
	fprintf(out, "%*s%s", (int)indent * 2, "", kind_names[t->kind]);
	if (t->kind == AST_LITERAL)
		print_literal(out, &t->value);
	if (t->kind == AST_INCLUDE) {
		fputc(' ', out);
		words_put(out, t->value.text);
	}
	if (t->kind == AST_UNARY || t->kind == AST_BINARY)
		fprintf(out, " %s", value_op_name(t->op));
	if (t->kind == AST_EXPECT && t->op == OP_NOT)
		fputs(" not", out);
	if (t->name)
		fprintf(out, " %s", t->name);
	fputc('\n', out);
	for (const struct ast *c = t->first; c; c = c->next)
		ast_print(out, c, indent + 1);
}
