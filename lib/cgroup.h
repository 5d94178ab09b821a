/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A delegated cgroup of version 2 (Linux, Documentation/admin-guide/cgroup-v2.rst): where it is,
 * and the groups below it that are ours.
 *
 * Delegated means that somebody else has left us a group to divide as we like. Of a group that
 * systemd manages (its name ends in .scope, .service or .slice) systemd says so by the attribute
 * user.delegate; of any other it is enough that we may write to it.
 */
#ifndef LIB_CGROUP_H
#define LIB_CGROUP_H

#include "lib/err.h"

#include <stdbool.h>

/* Controllers, as bits. */
enum cgroup_controller {
	CGROUP_CPU = 1 << 0,
	CGROUP_MEMORY = 1 << 1,
	CGROUP_PIDS = 1 << 2,
};

/* Where processes wait that were in the delegated group itself: a group with controllers has none.
 */
#define CGROUP_REST "vbet.rest"

/*
 * The path of the calling process's group in the files of the machine, malloc'ed. self: the text of
 * /proc/self/cgroup; mounts: that of /proc/self/mountinfo. NULL with the error set: there is no
 * cgroup of version 2, or it is out of sight. Pure.
 */
char *cgroup_path(const char *self, const char *mounts, struct err *e);
/*
 * The delegated group that a process in `path` (cgroup_path()) may divide: it, or the one above if
 * it is CGROUP_REST. Malloc'ed; NULL with the error set: it is not delegated.
 */
char *cgroup_find_delegated(const char *path, struct err *e);
/* Both, of the calling process. */
char *cgroup_find(struct err *e);

/* "cpu", "memory", "pids" in a text of such words, as bits. */
unsigned cgroup_controllers(const char *text);
/*
 * Lets the groups below `path` have as many of these controllers as it has itself; returns those.
 * Processes in it move to CGROUP_REST first. -1 with the error set: they do not.
 */
int cgroup_enable(const char *path, unsigned wanted, struct err *e);
/* Makes a group. 0, or -1 with the error set; one that is there is taken as it is. */
int cgroup_make(const char *path, struct err *e);
/* Writes one of its files ("cpu.max"). 0 or -1. */
int cgroup_write(const char *path, const char *file, const char *value, struct err *e);
/*
 * Ends all processes of a group and of those below it (Linux 5.14; before that they must be ending
 * already), waits for that, and removes the groups. True: they are gone.
 */
bool cgroup_end(const char *path, int timeout_ms);
/* How many processes of it were ended for want of memory (memory.events); 0: none, or unknown. */
unsigned long cgroup_oom_kills(const char *path);

#endif
