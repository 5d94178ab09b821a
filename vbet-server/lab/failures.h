/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What went wrong in guests: all of it, for one message while the lab is set up, and for its
 * status. */
#ifndef VBET_SERVER_LAB_FAILURES_H
#define VBET_SERVER_LAB_FAILURES_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>
#include <stdio.h>

/* All strings are owned. */
struct failure {
	enum err_kind kind; /* ERR_NONE: it may fail, by the script */
	char *node, *why;   /* one line */
	char *console;      /* the end of the node's console; may be empty */
};

struct failures {
	VEC(struct failure) all;
	size_t n_fatal; /* of them, those that may not be */
};

/*
 * Copies its strings. Of one node so many are kept, for a guest may say what it likes; the first
 * fatal one always is.
 */
enum { FAILURES_OF_NODE_MAX = 16 };
void failures_add(struct failures *f, enum err_kind kind, const char *node, const char *why,
		  const char *console);
/* True if something that may not fail has failed in that node. */
bool failures_has(const struct failures *f, const char *node);
/* That node begins anew. */
void failures_forget(struct failures *f, const char *node);
/* It was only late (ERR_TIMEOUT). */
void failures_forget_late(struct failures *f, const char *node);
/*
 * One error for all that is fatal, of which there is something: each node with the first reason,
 * and the console of the first one, as far as there is room. ERR_TIMEOUT if they are only late.
 */
void failures_make_error(const struct failures *f, struct err *e);
/* Everything, a line each. */
void failures_print(const struct failures *f, FILE *out);
void failures_finish(struct failures *f);

#endif
