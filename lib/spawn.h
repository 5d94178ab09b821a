/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starts a child process and knows whether its exec worked. The child dies with its parent. */
#ifndef LIB_SPAWN_H
#define LIB_SPAWN_H

#include "lib/err.h"

#include <stddef.h>
#include <sys/types.h>

enum { SPAWN_FDS_MAX = 8 };

struct spawn {
	char *const *argv;      /* argv[0] is the path */
	char *const *envp;      /* NULL: an empty environment */
	int fds[SPAWN_FDS_MAX]; /* fds[i] becomes descriptor i of the child; -1: closed */
	size_t n_fds;           /* all descriptors from n_fds on are closed */
	const char *cgroup;     /* path of a cgroup.procs: its group; NULL: that of its parent */
	/*
	 * Called in the child last of all before exec; only what is safe after fork
	 * (signal-safety(7)). -1 with errno: the child is not started. NULL: nothing to do.
	 */
	int (*prepare)(void *ctx);
	void *prepare_ctx; /* borrowed */
	/* Called in the parent, which then waits for exec, with prepare_ctx: what prepare() needs
	 * somebody else for. It returns when the child has ended, too. NULL: nothing to do. */
	void (*attend)(void *ctx);
};

struct child {
	pid_t pid; /* also its process group and session */
	int pidfd; /* readable when it has ended; owned by the caller */
	unsigned long long
		start_time; /* field 22 of /proc/PID/stat: tells it from a later process */
};

/* 0, or -1: could not fork or exec (with the reason). */
int spawn_child(const struct spawn *s, struct child *c, struct err *e);
/* Field 22 of /proc/PID/stat, or 0 if there is no such process. */
unsigned long long process_start_time(pid_t pid);

#endif
