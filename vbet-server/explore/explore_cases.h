/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is tried in forks of one lab: a statement for each link, each node, each two of them. Pure.
 */
#ifndef VBET_SERVER_EXPLORE_EXPLORE_CASES_H
#define VBET_SERVER_EXPLORE_EXPLORE_CASES_H

#include "lib/err.h"
#include "lib/vec.h"
#include "topo/graph.h"

#include <stdbool.h>

/* One statement, for one part of the lab. Strings are owned. */
struct explore_step {
	char *text;      /* as people say it: "cut(r1, r2)" */
	char *statement; /* in the language: "cut(NIC(node(\"r1\"), 1))" */
};

/* What is done in one fork, at one moment. */
struct explore_case {
	size_t steps[2]; /* indices into explore_cases.steps */
	size_t n_steps;
};

struct explore_cases {
	VEC(struct explore_step) steps;
	VEC(struct explore_case) list;
};

/* Borrowed. */
struct explore_wish {
	const struct strvec *each; /* statements with words such as LINK; or without: as they are */
	bool pairs;                /* also each two of them */
	const char *only;          /* none but those with this in their text; NULL: all */
};

/*
 * LINK stands for each cable of the graph that is not cut, NODE for each node but those outside of
 * the lab, HOST, ROUTER, FIREWALL, SERVER, HUB, SWITCH for each of that kind. 0, or -1 with the
 * error set: a statement has two different ones of these words, one stands for nothing, or nothing
 * is left to be done.
 */
int explore_cases_make(struct explore_cases *cases, const struct graph *g,
		       const struct explore_wish *wish, struct err *e);
/* "cut(r1, r2) + cut(r2, r3)", malloc'ed. */
char *explore_case_text(const struct explore_cases *cases, const struct explore_case *c);
void explore_cases_finish(struct explore_cases *cases);

#endif
