/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process and its imprint (docs/snapshots.md). */
#ifndef VSUBSTRATE_SNAPSHOT_H
#define VSUBSTRATE_SNAPSHOT_H

#include "imprint/imprint.h"
#include "lib/loop.h"
#include "substrate/core/substrate.h"

enum snapshot_result { SNAPSHOT_NONE, SNAPSHOT_RESTORED };

/* One that is being written; zero-initialise. */
struct snapshot {
	struct loop_watch done;
	struct imprint_writer writer;
	struct substrate *sub; /* borrowed; NULL: none is being written */
	char *path;            /* owned */
	int64_t then_ns;       /* the clock of the loop when it was taken */
};

/*
 * Takes the snapshot that was asked for, if one was: s->save_to. Events say how it went. In a
 * process that was restored it returns SNAPSHOT_RESTORED, with saving as it was then.
 */
enum snapshot_result snapshot_save(struct loop *l, struct substrate *s, struct snapshot *saving);
/* Its descriptor (saving->done.fd) is readable, where no loop says so. */
void snapshot_written(struct snapshot *saving);
/* Leaves one that is being written to itself. */
void snapshot_finish(struct loop *l, struct snapshot *saving);
/* After SNAPSHOT_RESTORED and loop_thaw(). 0 or -1. */
int snapshot_thaw(struct substrate *s, struct err *e);
/*
 * This process becomes that of the file; paths: n words, FROM and TO in turn. Returns only with an
 * error.
 */
void snapshot_restore(const char *file, char *const *paths, size_t n, struct err *e);

#endif
