/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The VLIs of one direction of a substrate link: which are in use, and for what. Numbers are given
 * out from VLI_FIRST up, the one longest unused first, so that a late frame of a virtual link that
 * is gone does not meet another one under its number. Pure.
 */
#ifndef SUBSTRATE_OVERLAY_VLI_H
#define SUBSTRATE_OVERLAY_VLI_H

#include "lib/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct vli_entry {
	uint32_t vli;
	void *what; /* borrowed */
};

struct vli_table {
	VEC(struct vli_entry) entries; /* by number */
	uint32_t last;                 /* given out last; 0: none yet */
	uint32_t max;                  /* 0: UINT32_MAX */
};

void vli_finish(struct vli_table *t);
/* Gives out a number for what (not NULL); 0: all are in use. */
uint32_t vli_allocate(struct vli_table *t, void *what);
/* Puts one in that somebody else gave out. False: it is in use already, or reserved. */
bool vli_insert(struct vli_table *t, uint32_t vli, void *what);
/* Gives it back; nothing happens if it is not in use. */
void vli_release(struct vli_table *t, uint32_t vli);
/* NULL: it is not in use. */
void *vli_find(const struct vli_table *t, uint32_t vli);

#endif
