/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carries a syntax tree out upon a world. An expression that cannot be computed is reported once
 * and gives VALUE_WRONG, which spreads silently; the next statement goes on, so that one run finds
 * many mistakes.
 */
#ifndef TOPO_EVAL_H
#define TOPO_EVAL_H

#include "topo/ast.h"
#include "topo/names.h"
#include "topo/topo.h"
#include "topo/world.h"

enum {
	EVAL_MAX_STEPS = 5000000,
	EVAL_MAX_DEPTH = 1000,      /* expressions within expressions, calls within calls */
	EVAL_MAX_BYTES = 512 << 20, /* of values in one run */
};

struct eval {
	struct arena *arena;
	struct diag *diag;
	const struct topo_options *opt;
	struct world *world;
	struct names globals;
	struct names *locals;          /* of the function that runs, or NULL */
	struct names functions;        /* defined by the script: value.text is the struct ast */
	const char *const *kept_names; /* of nodes, by number: names of an earlier run */
	size_t n_kept_names;
	unsigned depth;
	size_t steps, bytes;
	bool is_stopped;   /* a limit was reached */
	bool is_returning; /* on the way out of a function */
	struct value result;
};

struct arg {
	struct value v;
	struct loc loc;
	const char *name; /* of "name = value" */
	struct loc name_loc;
};

struct call {
	const char *name;
	struct loc loc, name_loc;
	struct arg *args; /* in order */
	size_t n_args;
	struct arg *fields; /* name = value */
	size_t n_fields;
	const struct ast *more; /* "...", or NULL */
};

struct builtin; /* topo/builtin.h */

/* Words with a meaning of their own at some place; the i-th, or NULL past the end. */
typedef const char *eval_words(size_t i);

/* Runs the statements of one source. */
void eval_run(struct eval *ev, const struct ast *block);
struct value eval_value(struct eval *ev, const struct ast *t);
/* The value of a field "name = value" (AST_FIELD), where the words of that field have a meaning. */
struct value eval_field(struct eval *ev, const struct ast *f);
/*
 * Computes the arguments of a call; b (or NULL) says what words mean in them. False if one is
 * wrong; that has been reported.
 */
bool eval_call_args(struct eval *ev, const struct ast *t, const struct builtin *b, struct call *c);
/* Reports; returns VALUE_WRONG. */
struct value eval_wrong(struct eval *ev, struct loc loc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "FILE:LINE" of where something was written; in the arena. */
const char *eval_where(struct eval *ev, struct loc loc);
/* Counts work, so that every script ends. False if it is too much; that has been reported. */
bool eval_spend(struct eval *ev, struct loc loc, size_t steps, size_t bytes);
/* Gives a node or cable without a name this one; lists: NAME1, NAME2, ... */
void eval_name_value(struct eval *ev, struct value *v, const char *name, struct loc loc);
/* Sets a name. False if it is bad or taken; that has been reported. */
bool eval_set_name(struct eval *ev, struct value *v, const char *name, struct loc loc);

#endif
