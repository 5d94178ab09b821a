/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A command in all guests at the same time, and what each of them prints. */
#ifndef VBET_SERVER_COMMAND_ASK_ALL_H
#define VBET_SERVER_COMMAND_ASK_ALL_H

#include "topo/graph.h"
#include "vbet-server/command/drive.h"

#include <stdio.h>

struct ask_all {
	/* For /bin/sh in that node, at most 8 s; malloc'ed. NULL: this node is not asked. */
	char *(*command)(void *ctx, size_t node);
	/*
	 * What it printed, without newlines at the end (at most 15,000 octets), and its status; or
	 * why it could not be asked, with status -1. Not called for a node that does not answer.
	 */
	void (*take)(void *ctx, size_t node, int status, const char *text);
	void *ctx;
};

/*
 * A virtual clock has to stand; it goes on for this, in the same steps in every run, and stands
 * again. 0, or -1: the lab has broken.
 */
int ask_all(struct drive *d, const struct graph *g, const struct ask_all *a, struct err *e);
/*
 * Files for what they say, DIR/NODE.ENDING, into out: for each guest of the graph one, to be
 * closed; also those that were opened before one failed. 0 or -1.
 */
int ask_all_open(const struct graph *g, const char *dir, const char *ending, FILE **out,
		 struct err *e);

#endif
