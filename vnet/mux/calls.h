/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The system calls of an instance: what is not in the list is refused with EPERM. In it is what the
 * loader, memory, threads, timers, the descriptors that it was given, libvnet, and reading files
 * need; which files there are to read, others decide (sandbox.h). execve is asked for at the
 * filter's listener (seccomp_unotify(2)): without one, there is none.
 */
#ifndef VNET_MUX_CALLS_H
#define VNET_MUX_CALLS_H

#include "lib/err.h"

#include <linux/filter.h>
#include <stdbool.h>

/* The filter as a program for calls_install(); its instructions are malloc'ed. 0 or -1. */
int calls_compile(struct sock_fprog *program, struct err *e);
/* From here on it holds, for this thread and what it executes; only what is safe after fork. Needs
 * no_new_privs. The listener, or -1 with errno. */
int calls_install(const struct sock_fprog *program);
/* Answers one execve at the listener with yes. False: whoever would have asked has gone. */
bool calls_permit_exec(int listener);

#endif
