/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots by name, in a directory of the user:
 *
 *     names/NAME   a directory: as the lab wrote it, or, soon after, an index ("snapshot", "index")
 *     packs        pages, shared by all
 *     stage        what is under way
 *     lock         who writes or removes packs holds it alone, who reads them holds it with others
 *     turn         who gives names, or takes them away, holds it for that moment
 *
 * A name always means a whole snapshot: what is under it is changed by one rename. Whoever is
 * killed leaves things without a name, which the next that tidies removes.
 */
#ifndef VBET_SERVER_SHELF_SHELF_H
#define VBET_SERVER_SHELF_SHELF_H

#include "lib/err.h"
#include "lib/vec.h"
#include "vbet-server/shelf/stage.h"
#include "vbet-server/shelf/unpack.h"

#include <stdbool.h>
#include <stdint.h>

struct shelf {
	char *dir; /* owned */
};

/* Made if missing. dir: NULL: $VBET_SNAPSHOT_DIR, or vbet/snapshots where XDG keeps data. 0 or -1.
 */
int shelf_open(struct shelf *s, const char *dir, struct err *e);
void shelf_close(struct shelf *s);
/* Small letters, digits, '-', '_' and '.', not first; at most 63. */
bool shelf_is_name(const char *name);
bool shelf_has(const struct shelf *s, const char *name);
/* malloc'ed: where a snapshot's own directory is. */
char *shelf_path(const struct shelf *s, const char *name);

/* A place to write a snapshot to: stage->dir/s. 0 or -1. */
int shelf_begin(struct shelf *s, struct stage *stage, struct err *e);
/* What is there gets the name; what had it is gone. 0 or -1; the stage ends. */
int shelf_put(struct shelf *s, struct stage *stage, const char *name, struct err *e);
/* 0, or -1: there is none. What nobody needs any more is removed by shelf_tidy(). */
int shelf_remove(struct shelf *s, const char *name, struct err *e);

/*
 * Snapshots that are as a lab wrote them get an index, and what is not needed is removed. wait:
 * until nobody else does it. All of it may be interrupted. 0 or -1.
 */
int shelf_tidy(struct shelf *s, struct err *e);
/*
 * The same in a process of its own, which takes only time that nobody else wants; then
 * shelf_bound() if bytes_max is not 0.
 */
void shelf_tidy_behind(struct shelf *s, uint64_t bytes_max);
/* It was used now. */
void shelf_touch(struct shelf *s, const char *name);
/* Removes what was not used for longest until all takes no more on the disk. 0 or -1. */
int shelf_bound(struct shelf *s, uint64_t bytes_max, struct err *e);
/* Bytes on the disk. */
uint64_t shelf_size(const struct shelf *s);

/* As unpack(). */
int shelf_unpack(struct shelf *s, const char *name, struct unpacked *u, const char *to,
		 struct err *e);

struct shelf_entry {
	char *name; /* owned */
	char lab[64];
	int64_t saved_ns; /* time of day */
	uint64_t size;    /* on the disk, with what it shares; 0: not known */
	uint64_t own;     /* what its removal gives back */
	bool is_raw;      /* it has no index yet */
	bool is_damaged;
};

/* Sorted by name; malloc'ed, with shelf_list_free(). */
size_t shelf_list(struct shelf *s, struct shelf_entry **list);
void shelf_list_free(struct shelf_entry *list, size_t n);

#endif
