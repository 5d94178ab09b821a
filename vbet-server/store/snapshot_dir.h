/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The directory of a snapshot. The file "snapshot" in it is the first that is made and the last
 * that is removed, so whatever was begun and not finished is known for what it is.
 */
#ifndef VBET_SERVER_STORE_SNAPSHOT_DIR_H
#define VBET_SERVER_STORE_SNAPSHOT_DIR_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

/* What the file "snapshot" says. */
struct snapshot_mark {
	char *lab;        /* owned: its name */
	char *run;        /* owned: its run directory */
	int64_t saved_ns; /* time of day: of the file itself */
};

/* Writes the file, without saved_ns. 0 or -1. */
int snapshot_dir_write_mark(const char *dir, const struct snapshot_mark *m, struct err *e);
/* 0, with snapshot_mark_finish(), or -1. */
int snapshot_dir_read_mark(const char *dir, struct snapshot_mark *m, struct err *e);
void snapshot_mark_finish(struct snapshot_mark *m);
/* What a lab that goes on from it may do with the files of guests. */
enum snapshot_use {
	SNAPSHOT_READ,  /* they are somebody's: who knows what becomes of them */
	SNAPSHOT_ADOPT, /* it is restored once, and then thrown away: they become guests' memory */
	SNAPSHOT_SHARE, /* nobody changes them: guests have their pages until they write to them */
};

/* 0 or -1. Of one that nothing was said of it is SNAPSHOT_READ. */
int snapshot_dir_set_use(const char *dir, enum snapshot_use use, struct err *e);
enum snapshot_use snapshot_dir_use(const char *dir);
/* The flags with which a guest's file is opened then. */
int snapshot_use_flags(enum snapshot_use use);
/* Whether a snapshot may get that place: nothing is there, or another snapshot. 0 or -1. */
int snapshot_dir_check_place(const char *dir, struct err *e);
/* What is made gets the place in one step; what was there is then where the other came from. */
int snapshot_dir_swap(const char *made, const char *place, struct err *e);
/* Is it one, whole or not? Only such a directory is ever replaced or removed. */
bool snapshot_dir_is(const char *dir);
/* Removes one, also if this was begun before; an empty directory, too; nothing else. */
void snapshot_dir_remove(const char *dir);

#endif
