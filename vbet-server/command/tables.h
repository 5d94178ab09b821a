/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the nodes of a lab know: addresses, routes, neighbours, FRR's tables, nftables. */
#ifndef VBET_SERVER_COMMAND_TABLES_H
#define VBET_SERVER_COMMAND_TABLES_H

#include "lib/err.h"
#include "topo/graph.h"

struct drive;

/*
 * Writes DIR/NODE.tables for each guest, as ask_all.h says. A node that is down, or has no such
 * programs, says so in its file. 0 or -1.
 */
int tables_write(struct drive *d, const struct graph *g, const char *dir, struct err *e);

#endif
