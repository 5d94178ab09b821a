/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of nodes that came, or went, while the guest runs. */
#ifndef VKERNEL_INIT_HOSTS_H
#define VKERNEL_INIT_HOSTS_H

#include "lib/words.h"

/*
 * The text (malloc'ed) with lines added and taken away: each word of w from the second on is a line
 * with "+" or "-" before it. A line that is there already is not added, one that is not there is
 * not missed, and all other lines stay as they are and where they are.
 */
char *hosts_edit(const char *text, const struct words *w);
/* The same for the file at path; one that somebody removed stays away. 0, or -1. */
int hosts_change(const char *path, const struct words *w, struct err *e);

#endif
