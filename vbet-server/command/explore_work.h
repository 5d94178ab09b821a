/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cases of vbet explore, side by side. */
#ifndef VBET_SERVER_COMMAND_EXPLORE_WORK_H
#define VBET_SERVER_COMMAND_EXPLORE_WORK_H

#include "vbet-server/command/explore_fork.h"

#include <sys/types.h>

struct explore_work {
	const struct explore_setting *setting;
	const struct explore_cases *cases;
	size_t side_by_side;
	const char *dir; /* $XDG_RUNTIME_DIR: each worker makes one of its own there */
	/* Called for each as soon as it has ended; the result is the caller's. */
	void (*ended)(void *ctx, struct explore_result *r);
	void *ctx;
};

/*
 * Runs all cases, in their order. 0, or -1 if a worker ended before its time. *signal: that ended
 * it, or 0; the labs are down then, too.
 */
int explore_work_run(const struct explore_work *w, int *signal, struct err *e);

#endif
