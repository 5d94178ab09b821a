/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who is whose neighbour by its routing daemons, in a lab that is up. */
#ifndef VBET_SERVER_COMMAND_NEIGHBORS_H
#define VBET_SERVER_COMMAND_NEIGHBORS_H

#include "lib/arena.h"
#include "lib/vec.h"
#include "vbet-server/export/dot.h"

struct neighbors {
	struct arena arena;
	VEC(struct dot_adjacency) at; /* each pair once for each protocol */
};

/*
 * Asks all daemons; g: the lab's graph. Nothing if a virtual clock stands, as nobody would answer.
 * 0, or -1 if the lab cannot be talked to.
 */
int neighbors_ask(const char *lab, const struct graph *g, struct neighbors *n, struct err *e);
void neighbors_finish(struct neighbors *n);

#endif
