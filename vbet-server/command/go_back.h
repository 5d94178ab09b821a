/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A moment of a run that is under way, from a snapshot that its lab has taken before it. */
#ifndef VBET_SERVER_COMMAND_GO_BACK_H
#define VBET_SERVER_COMMAND_GO_BACK_H

#include "lib/err.h"

#include <stdint.h>

struct run;

/*
 * Restores the lab `lab`, which may be the one that runs, and leads it through what followed in
 * the record; its server answers "replayed" when it stands at to_ns. The lab that runs is taken
 * down first if it is the same. 1: it is done; 0: there is no such snapshot, or it cannot be
 * restored; say the whole run once more. -1: error.
 */
int go_back(const struct run *r, const char *lab, int64_t to_ns, struct err *e);

#endif
