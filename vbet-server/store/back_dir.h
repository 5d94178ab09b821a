/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots that a lab takes of itself as it goes, to go back to: RUN/back/TIME, the time of its
 * clock in seconds with nine digits behind the point.
 */
#ifndef VBET_SERVER_STORE_BACK_DIR_H
#define VBET_SERVER_STORE_BACK_DIR_H

#include "lib/vec.h"

#include <stdint.h>

#define BACK_DIR "back" /* in the run directory */

struct back_point {
	int64_t time_ns;
	int64_t bytes;     /* that it takes on the disk: of a file that several have, its share */
	int64_t own_bytes; /* of that, what it shares with nobody; 0: not known yet */
};

struct back_points {
	VEC(struct back_point) at; /* by time */
};

/* RUN/back/TIME; malloc'ed. */
char *back_dir_path(const char *run, int64_t time_ns);
/* All that are whole, without their sizes; back_points_finish(). */
void back_dir_list(const char *run, struct back_points *p);
/* Sees what they take, which changes for all with each that comes or goes. */
void back_dir_weigh(const char *run, struct back_points *p);
void back_points_finish(struct back_points *p);
/*
 * The newest that is not later than a time, or -1. Going back to any time is to repeat no more than
 * what has passed since then, or than lies between two snapshots: back_points_spare().
 */
long back_points_find(const struct back_points *p, int64_t time_ns);
/*
 * One that can go, at now_ns, which is not before the last: the gap that it leaves is not greater
 * than the time that has passed since its end. The first and the last stay. -1: none.
 */
long back_points_spare(const struct back_points *p, int64_t now_ns);
int64_t back_points_bytes(const struct back_points *p);

#endif
