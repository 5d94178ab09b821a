/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which virtual links of a lab are up: its substrate sets them up by itself, and says when. */
#ifndef VBET_SERVER_LAB_VLINKS_H
#define VBET_SERVER_LAB_VLINKS_H

#include "lib/vec.h"
#include "lib/words.h"

#include <stdbool.h>

/* One direction of a virtual link, or a NIC in a multi-access one. */
struct vlink_state {
	char *name;
	bool up;
	char *reason; /* why not, or NULL: not known */
	unsigned mtu; /* longest packet that it carries; 0: what its NIC was made for */
};

struct vlinks {
	VEC(struct vlink_state) at; /* owned */
};

/* A line of the plan about one was said, or taken back. Other lines are ignored. */
void vlinks_begin(struct vlinks *v, const char *line);
void vlinks_end(struct vlinks *v, const char *name);
/* What an event of at least three words says: nothing of interest; "vlink NAME up" or "vlink NAME
 * down REASON"; "vlink NAME mtu N". */
enum vlinks_news { VLINKS_NONE, VLINKS_STATE, VLINKS_MTU };
enum vlinks_news vlinks_hear(struct vlinks *v, const struct words *event);
/* The longest packet that it carries, if something was said of that; else 0. */
unsigned vlinks_mtu(const struct vlinks *v, const char *name);
/* One that is not up, or NULL. */
const struct vlink_state *vlinks_down(const struct vlinks *v);
void vlinks_finish(struct vlinks *v);

#endif
