/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction of a virtual link at the node where it begins: kept set up. */
#ifndef SUBSTRATE_OVERLAY_VLINK_H
#define SUBSTRATE_OVERLAY_VLINK_H

#include "substrate/overlay/slink.h"
#include "substrate/overlay/vif.h"

extern const struct object_kind vlink_kind;
extern const struct snode_user vlink_snode_user;
extern const struct link_user vlink_link_user;
extern const struct vif_user vlink_vif_user;

/*
 * "vlink NAME VIF path=A,B to=VIF [min=RATE] [max=RATE] [vnet=VNET]", or with lan=WORD [group=TEXT]
 * instead of path and to. 0, or -1 with the error set.
 */
int vlink_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);

#endif
