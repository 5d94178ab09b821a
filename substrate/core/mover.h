/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest goes from one substrate process to another (docs/snapshots.md). Its kernel has written
 * itself and is gone; what its devices know of it goes by a file, in the order of the objects, each
 * behind its name. All else of them is in the lines by which the other process made its own.
 */
#ifndef SUBSTRATE_CORE_MOVER_H
#define SUBSTRATE_CORE_MOVER_H

#include "substrate/core/substrate.h"

#include <stdio.h>

struct mover {
	FILE *file;
	const char *path; /* its name; what is larger has a file beside it, of a longer name */
	bool leaves;      /* else it arrives */
};

/*
 * len bytes at data are written, or read: as they are in memory, for both processes are the same
 * program. 0 or -1.
 */
int mover_pass(struct mover *m, void *data, size_t len, struct err *e);
/* All objects of a guest ("NAME:...") by the file of that path. 0 or -1. */
int mover_move(struct substrate *s, const char *guest, const char *path, bool leaves,
	       struct err *e);

#endif
