/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A directory that keeps a run: captures of all cables, the guests' consoles, a report. */
#ifndef VBET_SERVER_COMMAND_KEEP_H
#define VBET_SERVER_COMMAND_KEEP_H

#include "lib/err.h"
#include "topo/graph.h"

#include <stdio.h>

/* Zeroed: nothing is kept. */
struct keep {
	char *dir;    /* owned: absolute; NULL: nothing is kept */
	char *cables; /* owned: for captures */
	FILE *report;
};

/* Makes it; it must be empty. dir NULL: nothing is kept. 0 or -1. */
int keep_open(struct keep *k, const char *dir, struct err *e);
/* The captures of a lab that stands are ended, and the consoles copied. */
int keep_lab(const struct keep *k, const char *lab, const struct graph *g, struct err *e);
void keep_close(struct keep *k);

#endif
