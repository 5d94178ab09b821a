/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a snapshot as it was written by a lab to one of an index and packs. */
#ifndef VBET_SERVER_SHELF_SQUEEZE_H
#define VBET_SERVER_SHELF_SQUEEZE_H

#include "lib/err.h"

#include <stdbool.h>

struct squeeze {
	const char *from;  /* directory of the snapshot as it is; it stays */
	const char *to;    /* a directory that is empty: gets the files "snapshot" and "index" */
	const char *packs; /* where packs are, and the new one will be */
	bool share;        /* with the packs that are there; one that is damaged is left alone */
	unsigned threads;
};

/*
 * 0, and all is on the disk; or -1. The new pack has its name when it is whole; whoever calls sees
 * to it that nobody removes packs meanwhile. Without anything new there is no new pack.
 */
int squeeze(const struct squeeze *q, struct err *e);

#endif
