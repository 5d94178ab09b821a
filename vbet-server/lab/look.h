/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks of what guests know: their kernels' routes, the neighbours of their routing daemons.
 * Process 1 of each guest reads it (WIRE_LOOK), and what it says is judged here (plan/judge.h).
 */
#ifndef VBET_SERVER_LAB_LOOK_H
#define VBET_SERVER_LAB_LOOK_H

#include "lib/err.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stdio.h>

struct lab;
struct look;

/*
 * "look [timeout_ms=N] route NODE DEST [via=ADDR] [dev=NIC] [proto=NAME] [metric=N]
 * [table=rib|ospf|ospf6|bgp [absent=1]]", or
 * "look [timeout_ms=N] neighbor PROTOCOL [NODE [PEER]] [state=STATE] [all=1]"; all: every
 * neighbour is told, also those that are as they should be. Without NODE: all nodes that
 * run the protocol's daemon. NULL with the error set.
 */
struct look *look_create(struct lab *lab, const struct words *w, struct err *e);
void look_destroy(struct look *l);
/* The nodes that are asked, and what each of them is asked (words of WIRE_LOOK, in the arena). */
size_t look_n_nodes(const struct look *l);
const char *look_node(const struct look *l, size_t i);
const char *look_question(const struct look *l, struct arena *a);

struct look_answer {
	const char *text; /* what process 1 said, or why there is nothing */
	bool is_whole;
};

/* Whether it holds; what was seen goes to out. An answer for each node. */
bool look_judge(struct lab *lab, const struct look *l, const struct look_answer *answers,
		FILE *out);

#endif
