/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What routing daemons of FRR have in tables of their own, against what is expected. Pure. */
#ifndef VBET_SERVER_PLAN_JUDGE_TABLE_H
#define VBET_SERVER_PLAN_JUDGE_TABLE_H

#include "lib/words.h"

#include <stdbool.h>
#include <stdio.h>

/* A table, and how its daemon is asked for it. */
struct judge_table {
	const char *name; /* "ospf" */
	const char *daemon;
	const char *command[2]; /* for IPv4, IPv6; NULL: it has no such routes */
};

/* NULL: no such table. */
const struct judge_table *judge_find_table(const char *name);
/* The command for DEST and via= of the question `want` (below); NULL: not this family. */
const char *judge_table_command(const struct judge_table *t, const struct words *want);
/*
 * True if it is the absence that is wanted ("absent=1"). Then a daemon that does not answer, or
 * not in a way that can be read, counts as one that has the route: silence proves nothing.
 */
bool judge_table_wants_absence(const struct words *want);
/*
 * want: "look" "route" NODE DEST [via=] [dev=] [proto=] [metric=] [absent=1]. text: what the daemon
 * answered; the guest is not trusted. What was seen goes to out. One route must be as wanted;
 * several next hops ("via=A,B") must be all that one route of a protocol has, or in BGP's table all
 * that its best path shares the load with.
 */
bool judge_table_routes(const struct judge_table *t, const struct words *want, const char *text,
			FILE *out);

#endif
