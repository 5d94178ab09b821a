/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the evaluator share: names (eval_name.c), values (eval_value.c), statements. */
#ifndef TOPO_EVAL_PRIV_H
#define TOPO_EVAL_PRIV_H

#include "lib/nearest.h"
#include "topo/eval.h"

/* Where a value stands, as far as that gives words a meaning. */
struct eval_place {
	eval_words *words; /* or NULL */
	const char *field; /* name of the parameter that the value is for, or NULL */
	const char *what;  /* "kind", "daemon" */
};

/* The value of a name; `at` may be NULL: no word has a meaning of its own there. */
struct value eval_name(struct eval *ev, const struct ast *t, const struct eval_place *at);
/* "fw", 3 -> "fw3"; "h1", 2 -> "h1_2": a digit would run into the number. */
const char *eval_numbered(struct eval *ev, const char *name, size_t number);
/* Offers all names of a table (or NULL) to a search for the nearest. */
void eval_offer_names(struct nearest *near, const struct names *t);
/* A list is copied when it gets a second name: a change to one does not change the other. */
struct value eval_own_copy(struct eval *ev, struct loc loc, struct value v);
void eval_run_block(struct eval *ev, const struct ast *block);

#endif
