/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Freezes a checked world into a graph. */
#ifndef TOPO_BUILD_H
#define TOPO_BUILD_H

#include "topo/world.h"

/* A graph that shares nothing with the world. */
struct graph *build_graph(const struct world *w);

#endif
