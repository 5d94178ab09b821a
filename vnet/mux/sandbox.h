/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an instance runs in: bounds of memory, stack and descriptors (setrlimit(2)), and the
 * interfaces that it was given, its descriptors, and nothing else (the paper, section IV.C.3).
 *
 *   system calls  a list of those that it may make; it may not execute another program (calls.h)
 *   Landlock      of files, those without which it does not start; read only (landlock.h)
 *   namespaces    a root directory with only those in it; no network (emptyroot.h)
 *
 * The first is always there. The list has to leave calls that open files, so one of the two others
 * must be there as well.
 *
 * In the parent: create, then a spawn of lib/spawn.h with sandbox_enter, sandbox_attend and the
 * descriptors of sandbox_fds, destroy.
 */
#ifndef VNET_MUX_SANDBOX_H
#define VNET_MUX_SANDBOX_H

#include "vnet/mux/limits.h"

#include <stdbool.h>
#include <stddef.h>

/* Layers that are in force. */
enum {
	SANDBOX_CALLS = 1 << 0,
	SANDBOX_LANDLOCK = 1 << 1,
	SANDBOX_NAMESPACES = 1 << 2,
	SANDBOX_FDS = 5, /* the first of SANDBOX_N_FDS that the child must find in its place */
	SANDBOX_N_FDS = 2,
};

struct sandbox;

/*
 * For one start of a program (an absolute path). `limits` is borrowed. open_files: it may be
 * started where neither Landlock nor namespaces are to be had, and reads what its user may read.
 * NULL with the error set.
 */
struct sandbox *sandbox_create(const char *program, const struct limits *limits, bool open_files,
			       struct err *e);
void sandbox_destroy(struct sandbox *s);
/* What becomes SANDBOX_FDS and what follows; -1: none. */
void sandbox_fds(const struct sandbox *s, int fds[SANDBOX_N_FDS]);
/* In the child, before exec; ctx is the sandbox. For struct spawn. 0 or -1 with errno. */
int sandbox_enter(void *ctx);
/* In the parent, while the child enters. For struct spawn. */
void sandbox_attend(void *ctx);
/* Layers that its child has said to be in force; 0 before that. */
unsigned sandbox_layers(const struct sandbox *s);
/* Its child has said that there are too few, and ended. */
bool sandbox_lacks_layers(const struct sandbox *s);
/* "seccomp, Landlock 4, namespaces" */
const char *sandbox_describe(unsigned layers, char *text, size_t size);

#endif
