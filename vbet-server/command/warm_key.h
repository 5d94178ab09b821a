/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which boots come to the same: docs/snapshots.md, "Warm start". */
#ifndef VBET_SERVER_COMMAND_WARM_KEY_H
#define VBET_SERVER_COMMAND_WARM_KEY_H

#include "lib/err.h"
#include "vbet-server/lab/options.h"
#include "vbet-server/store/load.h"

enum { WARM_KEY = 40 }; /* characters */

/*
 * The key of the boot of a lab in that run directory, by these options: a hash of all that it
 * depends on. Files that the plan needs are read into l->sources. 0; or -1, with the reason: it
 * depends on something that cannot be told.
 */
int warm_key(char key[WARM_KEY + 1], struct loaded *l, const struct lab_options *opt,
	     const char *run_dir, struct err *e);

#endif
