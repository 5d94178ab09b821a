/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of a snapshot, ready to be read. */
#ifndef VBET_SERVER_SHELF_UNPACK_H
#define VBET_SERVER_SHELF_UNPACK_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>

/*
 * A snapshot as a lab reads it, in a directory that was made for it: what is in "run" as it is, and
 * all else in memory, with links in the directory that lead there for as long as this process has
 * the descriptors. Zeroed: nothing is open.
 */
struct unpacked {
	VEC(int) fds;
	bool are_ours; /* no other process will read them: not files that somebody keeps */
};

/*
 * snapshot: a directory, as a lab has written it or with an index; packs: where its packs are. to:
 * an empty directory. Nothing is believed that was not compared with its sum. 0 or -1.
 */
int unpack(struct unpacked *u, const char *snapshot, const char *packs, const char *to,
	   unsigned threads, struct err *e);
void unpack_close(struct unpacked *u);

#endif
