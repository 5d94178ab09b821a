/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Namespaces of its own for an instance (namespaces(7)): a root directory with nothing in it but
 * the files that it needs, no network, no IPC; the user is the same, and nobody else is anybody. */
#ifndef VNET_MUX_EMPTYROOT_H
#define VNET_MUX_EMPTYROOT_H

#include "vnet/mux/needs.h"

/* In a child, with one thread. 0, or -1 with errno: it is in between then, and must end. */
int emptyroot_enter(const struct needs *n);

#endif
