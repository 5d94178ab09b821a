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

/* Makes a directory, and those that it is in; if it is there, it must be empty. 0 or -1. */
int keep_make_empty(const char *dir, struct err *e);
/* Makes it; it must be empty. dir NULL: nothing is kept. 0 or -1. */
int keep_open(struct keep *k, const char *dir, struct err *e);
/* The captures of a lab that stands are ended, and the consoles copied. */
int keep_lab(const struct keep *k, const char *lab, const struct graph *g, struct err *e);
/* What its nodes know now, and have in files (tables.h, texts.h): the clock goes on for that. 0 or
 * -1. */
int keep_knowledge(const struct keep *k, const char *lab, const struct graph *g, struct err *e);
/* Writes a text into a file of the directory. 0 or -1. */
int keep_text(const struct keep *k, const char *name, const char *text, struct err *e);
/* Makes *ns, if it is earlier, the first time at which a replay of the run can stand. 0 or -1. */
int keep_earliest(const struct keep *k, int64_t *ns, struct err *e);
void keep_close(struct keep *k);

#endif
