/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is done when the script is through: names, addresses, checks of the whole network. */
#ifndef TOPO_CHECK_H
#define TOPO_CHECK_H

#include "topo/eval.h"
#include "topo/kept.h"

/*
 * Names what has no name, gives out addresses, and checks everything. A script that is still being
 * typed (is_live) may have loose ends. What is wrong goes into ev->diag.
 */
void check_world(struct eval *ev, const struct kept *kept, bool is_live);

#endif
