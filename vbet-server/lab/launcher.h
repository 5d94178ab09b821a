/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The process that builds a guest's jail and starts its kernel there. */
#ifndef VBET_SERVER_LAB_LAUNCHER_H
#define VBET_SERVER_LAB_LAUNCHER_H

#include "vbet-server/lab/guest.h"

/*
 * Starts it: gu->child. report: it says there how well the guest is confined, or why it does not
 * start. state_fd: the kernel goes on from what this file holds (docs/snapshots.md); -1: it boots.
 * use: of that file. 0 or -1.
 */
int launcher_spawn(struct guest *gu, int report, int state_fd, enum snapshot_use use,
		   struct err *e);

/*
 * Ends it, and the guest with it; does not wait for that. When the launcher has ended, nothing of
 * the guest is left.
 */
void launcher_end(const struct child *launcher);
/* The same, and waits: the child is none then. */
void launcher_finish(struct child *launcher);

#endif
