/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the nodes of a lab have in files: configurations, and the logs of their daemons. */
#ifndef VBET_SERVER_COMMAND_TEXTS_H
#define VBET_SERVER_COMMAND_TEXTS_H

#include "lib/err.h"
#include "topo/graph.h"

struct drive;

/*
 * Writes DIR/NODE.files for each guest, as ask_all.h says: FRR's running configuration, the files
 * that the script gave, those of /etc/frr, and logs. Of each file the last 64 KiB, of all the first
 * 256 KiB. 0 or -1.
 */
int texts_write(struct drive *d, const struct graph *g, const char *dir, struct err *e);

#endif
