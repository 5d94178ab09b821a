/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `vbet test --snapshots-at TIMES`: at each of these times the lab is saved, taken down, and the
 * test goes on with the restored one. Whatever does not survive that shows in what the test finds,
 * or in what --keep keeps, which is that of the same test without. That the clock stands is an
 * input, so a test to compare with stands at the same times: --stands-at.
 */
#ifndef VBET_SERVER_COMMAND_THROUGH_H
#define VBET_SERVER_COMMAND_THROUGH_H

#include "lib/err.h"
#include "lib/vec.h"
#include "vbet-server/command/drive.h"

#include <stdbool.h>
#include <stdint.h>

struct through_stop {
	int64_t ns; /* on the lab's clock */
	bool saves;
};

struct through {
	struct drive_stops stops;    /* for who drives the lab (drive.h) */
	VEC(struct through_stop) at; /* ascending */
	size_t next;
	bool shares; /* the last one did (snapshot_dir.h); the next does not */
};

/* Times with commas between: "5s,5s,61.25s"; either may be NULL. 0 or -1. */
int through_parse(struct through *t, const char *snapshots, const char *stands, struct err *e);
void through_finish(struct through *t);

#endif
