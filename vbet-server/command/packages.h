/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trees with more packages than the usual one are built before a lab boots from them. */
#ifndef VBET_SERVER_COMMAND_PACKAGES_H
#define VBET_SERVER_COMMAND_PACKAGES_H

#include "lib/err.h"
#include "topo/graph.h"

/*
 * Builds the trees that nodes of the graph need and that are not there (rootfs/packages.sh), one
 * after the other, with progress on standard error unless quiet. This takes as long as it takes to
 * download the packages; nothing at all if the trees are there. 0, or -1 with the error set.
 */
int packages_build(const struct graph *g, bool quiet, struct err *e);

#endif
