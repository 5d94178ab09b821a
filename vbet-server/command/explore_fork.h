/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One case of vbet explore: a fork of the lab, what is done in it, what must hold after that. */
#ifndef VBET_SERVER_COMMAND_EXPLORE_FORK_H
#define VBET_SERVER_COMMAND_EXPLORE_FORK_H

#include "lib/err.h"
#include "lib/vec.h"
#include "vbet-server/explore/explore_cases.h"
#include "vbet-server/explore/explore_result.h"

#include <stdint.h>

/* Of all cases; borrowed. */
struct explore_setting {
	const char *lab;
	const char *snapshot; /* the directory that all forks go on from */
	int64_t at_ns;        /* on the lab's clock: when it was taken */
	int64_t within_ns;    /* in which the network must become quiet */
	char *quiet;          /* the check that says so; owned */
	struct strvec checks; /* what must hold then */
	char *unreached;  /* who did not reach whom before; NULL: that is not looked at; owned */
	const char *keep; /* a directory for runs that did not hold, absolute; or NULL */
};

/*
 * Runs a case in a lab of its own: none of that name may run for this user, or where
 * $XDG_RUNTIME_DIR says. What goes wrong is in the result, too.
 */
void explore_fork_run(const struct explore_setting *s, const struct explore_cases *cases,
		      size_t number, struct explore_result *r);
/* Who does not reach whom, lines "A B", malloc'ed. 0 or -1. */
int explore_fork_unreached(const char *lab, char **text, struct err *e);

#endif
