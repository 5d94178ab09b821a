/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Streams (TCP, Unix) between the managers of substrate nodes, for messages. Real clock only. */
#ifndef SUBSTRATE_OVERLAY_MANAGER_H
#define SUBSTRATE_OVERLAY_MANAGER_H

#include "substrate/overlay/slink.h"
#include "substrate/overlay/snode.h"

extern const struct object_kind manager_kind;
extern const struct snode_user manager_snode_user;
extern const struct link_user manager_link_user;

/* "manager NAME SNODE listen=AT", "manager NAME SNODE peer=NODE connect=AT". 0 or -1 with e set. */
int manager_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);

#endif
