/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an instance runs in: bounds of memory, stack and descriptors (setrlimit(2)), and no way to
 * the rest of the system but through the descriptors it was given (seccomp(2)): no sockets of its
 * own, no other processes, no files to write.
 */
#ifndef VNET_MUX_SANDBOX_H
#define VNET_MUX_SANDBOX_H

#include "vnet/mux/limits.h"

/* In the child, before exec; ctx is a struct limits. For struct spawn. 0 or -1 with errno. */
int sandbox_enter(void *ctx);

#endif
