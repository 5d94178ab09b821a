/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The directories in which runners of tests have their labs, and what is left of those that were
 * killed. */
#ifndef VBET_SERVER_SUITE_LEFT_H
#define VBET_SERVER_SUITE_LEFT_H

#include <stddef.h>
#include <sys/types.h>

/* BASE-t.PID, malloc'ed; base: paths_base_dir(). Short, since the sockets of labs are in it. */
char *left_path(const char *base, pid_t pid);
/* A base for labs that are to be in memory; NULL: there is none. malloc'ed. Nothing is made. */
char *left_memory_base(void);
/* Removes those whose lock nobody holds and in which no lab runs. How many. */
size_t left_clean(const char *base);

#endif
