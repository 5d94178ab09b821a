/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sets of VLANs, and frames with a tag or without (IEEE 802.1Q-2018, clauses 6.9 and 9). */
#ifndef VSWITCH_VLAN_H
#define VSWITCH_VLAN_H

#include "lib/err.h"
#include "substrate/core/frame.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	VLAN_MAX = 4094, /* 4095 is reserved, 0 means "no VLAN, only a priority" */
	VLAN_TAG = 4,
	VLAN_TAG_AT = 12, /* where it stands in a frame */
};

struct vlan_set {
	uint64_t word[64];
};

static inline bool vlan_in(const struct vlan_set *s, uint16_t vid)
{
	return s->word[vid >> 6] >> (vid & 63) & 1;
}

static inline void vlan_add(struct vlan_set *s, uint16_t vid)
{
	s->word[vid >> 6] |= UINT64_C(1) << (vid & 63);
}

/* "10", or with `none` also "none" (0). 0 or -1. */
int vlan_parse(const char *text, bool none, uint16_t *vid, struct err *e);
/* "10,20,30-39" or "all". 0 or -1. */
int vlan_parse_set(const char *text, struct vlan_set *s, struct err *e);

static inline bool vlan_is_tagged(const struct frame *f)
{
	return f->len >= FRAME_MIN + VLAN_TAG && f->data[VLAN_TAG_AT] == 0x81 &&
	       f->data[VLAN_TAG_AT + 1] == 0x00;
}

/* Priority, drop eligibility and VLAN of a tagged frame: the last two bytes of its tag. */
static inline uint16_t vlan_tci(const struct frame *f)
{
	return (uint16_t)(f->data[VLAN_TAG_AT + 2] << 8 | f->data[VLAN_TAG_AT + 3]);
}

/* A new frame like f with this tag (in place of its own), or without one. NULL: no memory. */
struct frame *vlan_with_tag(const struct frame *f, uint16_t tci);
struct frame *vlan_without_tag(const struct frame *f);

#endif
