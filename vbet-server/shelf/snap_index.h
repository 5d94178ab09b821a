/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The index of a snapshot: which files it has, and for each page of a file in which pack that is.
 * Pages that are zero are not mentioned.
 */
#ifndef VBET_SERVER_SHELF_SNAP_INDEX_H
#define VBET_SERVER_SHELF_SNAP_INDEX_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SNAP_INDEX_VERSION = 1, SNAP_NAME_MAX = 24, SNAP_LAB_MAX = 64 };

struct snap_pack {
	char name[SNAP_NAME_MAX]; /* its file is NAME.pack */
	uint64_t sum;             /* its tables_sum: another pack of that name is none of ours */
};

/* Pages of a file, one after the other there and in the pack. */
struct snap_run {
	uint32_t at;   /* the first, in the file */
	uint32_t n;    /* > 0 */
	uint32_t pack; /* which, in the table of packs */
	uint32_t page; /* the first, in the pack */
};

struct snap_file {
	const char *name; /* a relative path without "..": within the text of the index */
	uint64_t size;
	uint32_t first_run, n_runs; /* ordered; they do not overlap, and are within the size */
	bool is_dir;
};

struct snap_index {
	char lab[SNAP_LAB_MAX];
	int64_t saved_ns; /* time of day */
	VEC(struct snap_pack) packs;
	VEC(struct snap_file) files; /* directories before what is in them */
	VEC(struct snap_run) runs;
	char *text; /* owned: all names */
};

/* Writes a new file, and waits until it is on the disk. 0 or -1. */
int snap_index_write(const struct snap_index *x, const char *path, struct err *e);
/* Reads and checks one. An empty struct may be finished. 0, or -1 with *x empty. */
int snap_index_read(struct snap_index *x, const char *path, struct err *e);
/* The same of what is in memory; what: its name, for errors. */
int snap_index_parse(struct snap_index *x, const void *data, size_t len, const char *what,
		     struct err *e);
void snap_index_finish(struct snap_index *x);

#endif
