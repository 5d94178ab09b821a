/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses for segments on which the script gives none. */
#ifndef TOPO_AUTO_H
#define TOPO_AUTO_H

#include "topo/eval.h"
#include "topo/kept.h"

/* Needs nic->segment: for all NICs of a segment the same one. */
void auto_give_addresses(struct eval *ev, const struct kept *kept);

#endif
