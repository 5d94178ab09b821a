/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Starting programs in the guest, and learning of their end. Process 1 reaps everything. */
#ifndef VKERNEL_INIT_PROC_H
#define VKERNEL_INIT_PROC_H

#include "lib/err.h"
#include "vkernel/init/vnet.h"

#include <stdbool.h>
#include <sys/types.h>

enum { PROC_GROUPS_MAX = 32 };

struct proc_user {
	char name[64], home[256], shell[256];
	uid_t uid;
	gid_t gid;
	gid_t groups[PROC_GROUPS_MAX];
	size_t n_groups;
};

struct proc_spec {
	char *const *argv; /* argv[0] is looked up in the PATH of envp */
	char *const *envp;
	const char *cwd;               /* NULL or missing: / */
	const struct proc_user *user;  /* NULL: as we are */
	const struct vnet_entry *vnet; /* NULL: in none */
	int fds[3]; /* become descriptors 0 to 2; above 2, or equal to their place */
	bool ctty;  /* descriptor 0 is a terminal: it becomes the controlling one */
};

/* Called with the status of waitpid(2). */
typedef void proc_ended(void *ctx, int status);

/* Looks a user up by name in the files of the guest. 0 or -1. */
int proc_find_user(const char *name, struct proc_user *u, struct err *e);
/* Starts a program as leader of a session of its own. Its pid, or -1: could not start. */
pid_t proc_start(const struct proc_spec *s, struct err *e);
/* Says who wants to know of the end of a child. */
void proc_watch(pid_t pid, proc_ended *ended, void *ctx);
/* Reaps all that ended and tells who wanted to know. */
void proc_reap(void);
/* Sends a signal to every process of a session, by a look at /proc. */
void proc_signal_session(pid_t sid, int sig);
/* "status 1", "signal 9". */
void proc_describe(int status, char *buf, size_t size);

#endif
