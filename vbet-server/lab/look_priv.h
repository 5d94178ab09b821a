/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A look, for look.c and look_fib.c. */
#ifndef VBET_SERVER_LAB_LOOK_PRIV_H
#define VBET_SERVER_LAB_LOOK_PRIV_H

#include "lib/vec.h"
#include "vbet-server/lab/look.h"

struct judge_protocol;
struct judge_table;
struct look_fib_kind;

struct look {
	struct arena arena;
	struct words words; /* without the timeout */
	const char *timeout;
	bool is_route;
	const struct judge_table *table; /* of a daemon, that has the route; NULL: the kernel's */
	const struct look_fib_kind *fib; /* NULL: it is about no forwarding tables */
	const struct judge_protocol *protocol; /* neither of both */
	const char *peer;                      /* or NULL: all that there should be */
	VEC(const char *) nodes;
};

/* Reads "path", "reaches", "no_loop", "no_blackhole", "tables": all guests are asked. 0 or -1. */
int look_fib_read(struct lab *lab, struct look *l, struct err *e);
bool look_fib_judge(struct lab *lab, const struct look *l, const struct look_answer *answers,
		    FILE *out);

#endif
