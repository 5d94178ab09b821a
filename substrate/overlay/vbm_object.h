/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The bandwidth manager of a LAN (vbm.h) at the node that holds it. */
#ifndef SUBSTRATE_OVERLAY_VBM_OBJECT_H
#define SUBSTRATE_OVERLAY_VBM_OBJECT_H

#include "substrate/overlay/slink.h"
#include "substrate/rate/grant.h"

struct vbm_object;

extern const struct object_kind vbm_object_kind;
extern const struct snode_user vbm_object_snode_user;
extern const struct link_user vbm_object_link_user;

/* "vbm NAME SNODE link=LINK rate=RATE", "share VBM VNET percent=SHARE". 0 or -1 with e set. */
int vbm_object_cmd(struct substrate *s, const struct words *w, FILE *answer, struct err *e);
int vbm_object_cmd_share(struct substrate *s, const struct words *w, FILE *answer, struct err *e);

/*
 * The traffic manager of a node on l asks the VBM for the aggregate of a vNet, wherever the VBM is;
 * answer: in answer to what that said. Nothing happens if it cannot be reached: it is said again.
 */
void vbm_object_tell(struct slink *l, const char *vnet, const struct grant_ask *a, bool answer,
		     int64_t now_ns);
/* A VLI for a member at a node (its name) of a multi-access virtual link: the same for all. */
uint32_t vbm_object_join(struct vbm_object *v, const char *node, const char *vnet,
			 const char *group);
void vbm_object_leave(struct vbm_object *v, const char *node, const char *vnet, const char *group);

#endif
