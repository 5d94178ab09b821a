/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the interfaces of a lab are: on the host itself, or in namespaces of the lab's own. */
#ifndef OUTSIDE_PLACE_H
#define OUTSIDE_PLACE_H

#include "lib/err.h"

#include <stdbool.h>

enum place { PLACE_NONE, PLACE_HOST, PLACE_OWN };

/* "host", "own" */
const char *place_name(enum place p);
/* May this process make interfaces where it is? */
bool place_has_rights(void);
/* True if there is a TAP interface of that name that belongs to this user. */
bool place_owns_tap(const char *name);
/* Goes into a user and network namespace of its own, with the loopback up. 0 or -1. */
int place_enter_own(struct err *e);

#endif
