/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the launcher is asked to do, and the steps that it takes. */
#ifndef VKERNEL_LAUNCH_LAUNCH_H
#define VKERNEL_LAUNCH_LAUNCH_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct launch {
	const char *name, *kernel, *init, *root, *dir; /* paths are absolute, without links */
	uint64_t memory;
	int cpu;            /* -1: any */
	int nice;           /* 0 to 19 */
	uint64_t processes; /* of the guest at a time; 0: no bound */
	bool insecure;
	char **args; /* of the kernel, after its name */
	bool root_is_image;
	int state_fd;        /* the kernel goes on from what is there; -1: it boots */
	const char *state;   /* that, and what it may do with it: the kernel's resume= */
	int kernel_fd;       /* a static kernel is run from here; */
	bool kernel_dynamic; /* another needs its libraries in the jail */
	uid_t uid;           /* who asks */
	gid_t gid;
};

/* What could not be had: bits, told in the report. */
enum {
	MISSING_USERNS = 1 << 0,
	MISSING_CGROUPNS = 1 << 1,
	MISSING_ASLR = 1 << 2, /* it could not be turned off */
	MISSING_CPU = 1 << 3,
	MISSING_SECCOMP = 1 << 4,
	MISSING_STATIC = 1 << 5,    /* the host's libraries are in the jail */
	MISSING_PROCESSES = 1 << 6, /* nothing here counts those of a guest */
};

/* launch.c: the words of the command line; what they name is checked. */
int launch_parse(struct launch *l, int argc, char **argv, struct err *e);
/* The kernel's argv. Without a jail, what the arguments say of its directories is put right. */
char **launch_make_argv(const struct launch *l, bool confined);

/* jail.c, in the new namespaces, as process 1 there: the root directory. */
int jail_enter(const struct launch *l, struct err *e);

/* limits.c, in the process that becomes the kernel. *missing says what of the jail there is not. */
int limits_apply(const struct launch *l, unsigned *missing, struct err *e);
/* Drops all capabilities for good. */
int limits_drop_caps(struct err *e);

/* console.c: waits until a child has ended, which stays to be reaped, and keeps descriptor 1, the
 * log of the console, at its size. */
void console_watch(pid_t child);

/* filter.c: refuses system calls that a guest's kernel never makes. 0 or -1. Needs no_new_privs. */
int filter_calls(void);

#endif
