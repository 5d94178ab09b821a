/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lab comes back from a snapshot. For the server, and for those parts of the lab that take time.
 */
#ifndef VBET_SERVER_LAB_THAW_H
#define VBET_SERVER_LAB_THAW_H

#include "lib/err.h"

#include <stdbool.h>

struct lab;

/*
 * First of all in a server that was restored: the processes and descriptors of the other are none
 * of ours, and nobody must end or close them.
 */
void thaw_forget(struct lab *lab);
/*
 * In a server that was restored from a directory; the loop is thawed. The processes of the lab are
 * started, in the run directory `run`, whose last part is the lab's name from now on; step
 * SNAPSHOT_NONE says that all are back. 0 or -1.
 *
 * record: where its record goes on. "": where it was, or if the lab has another name now, in its
 * own run directory, for the first one may go on, too. NULL: not yet.
 */
int thaw_begin(struct lab *lab, const char *dir, const char *run, const char *record,
	       struct err *e);
/* One of those that are awaited has come: goes on if that was the last. */
void thaw_check(struct lab *lab);
/* One of them cannot come. */
void thaw_failed(struct lab *lab, const char *why);

#endif
