/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Directories for what is under way. Each belongs to the process that holds a lock on it; what a
 * process that was killed has left is removed by the next that looks.
 */
#ifndef VBET_SERVER_SHELF_STAGE_H
#define VBET_SERVER_SHELF_STAGE_H

#include "lib/err.h"

struct stage {
	char *dir; /* owned */
	int lock_fd;
};

/* In the directory of all labs: a snapshot that is being restored, or that nobody keeps. */
#define STAGE_RESTORE ".restore-"

/* Removes those of processes that are gone. */
void stage_sweep(const char *parent, const char *prefix);
/* Makes parent/PREFIXxxxxxx, and removes those of processes that are gone. 0 or -1. */
int stage_make(struct stage *s, const char *parent, const char *prefix, struct err *e);
/* Removes it with all that is in it. An empty struct with lock_fd -1 may be given. */
void stage_end(struct stage *s);

#endif
