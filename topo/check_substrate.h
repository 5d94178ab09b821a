/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Checks of the substrate and what runs over it: encapsulations, VLANs, places, shares, MTUs. What
 * the script leaves open is filled in.
 */
#ifndef TOPO_CHECK_SUBSTRATE_H
#define TOPO_CHECK_SUBSTRATE_H

#include "topo/eval.h"
#include "topo/kept.h"

/*
 * Substrate links, virtual networks and virtual links, when segments and names are known: finds
 * places and ways, and fills in rates and MTUs.
 */
void check_substrate(struct eval *ev, const struct kept *kept);

#endif
