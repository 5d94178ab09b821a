/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which scripts `vbet test FILE|DIR...` means. A file that is named counts, whatever is in it.
 * Below a directory, every *.vbet counts that expects something, or has mistakes (one that is not
 * understood is not silently left out). Names that begin with '.' are passed over; links to
 * directories are not followed.
 */
#ifndef VBET_SERVER_SUITE_FIND_H
#define VBET_SERVER_SUITE_FIND_H

#include "lib/err.h"
#include "vbet-server/suite/suite.h"

/* With levels, and else zeroed: nothing was found yet. */
struct found {
	struct suite scripts; /* as cases that wait: what `vbet test` would run once */
	unsigned levels;      /* of expectations that count (graph_read_levels()) */
	size_t silent;        /* scripts in directories that expect nothing */
};

/*
 * Adds what a path means and the filter (choose.h) lets through, in the order of their names. A
 * script that is there already is not taken again. 0, or -1: the path cannot be read.
 */
int find_path(struct found *f, const char *path, const char *filter, struct err *e);
void find_finish(struct found *f);

#endif
