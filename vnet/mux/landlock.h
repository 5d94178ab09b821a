/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Landlock (landlock(7)), of whatever version the kernel has: some files may be read, and some of
 * those executed; nothing else of the file system, no TCP, no abstract sockets, no signals. */
#ifndef VNET_MUX_LANDLOCK_H
#define VNET_MUX_LANDLOCK_H

#include "vnet/mux/needs.h"

/* The version of Landlock here; 0: none. */
int landlock_version(void);
/* A ruleset with these files as a close-on-exec descriptor; -1 with the error set. */
int landlock_make(const struct needs *n, int version, struct err *e);
/* From here on it holds, for this thread and what it executes. Needs no_new_privs. 0 or -1. */
int landlock_enter(int ruleset);

#endif
