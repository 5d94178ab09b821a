/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Asks topo/embed.h for the places and ways that the script leaves open, and says why if there are
 * none.
 */
#ifndef TOPO_CHECK_EMBEDDING_H
#define TOPO_CHECK_EMBEDDING_H

#include "topo/eval.h"
#include "topo/kept.h"

/* Fills in the place of virtual nodes and the path of virtual links. False after an error. */
bool check_embedding(struct eval *ev, const struct kept *kept);

#endif
