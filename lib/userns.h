/* SPDX-License-Identifier: GPL-3.0-or-later */
/* User namespaces (user_namespaces(7)). */
#ifndef LIB_USERNS_H
#define LIB_USERNS_H

#include "lib/err.h"

#include <sys/types.h>

/* Maps the user and group to root in a new namespace, and nobody else. 0 or -1. */
int userns_map(uid_t uid, gid_t gid, struct err *e);
/* The same, but they stay what they are. */
int userns_keep(uid_t uid, gid_t gid, struct err *e);

#endif
