/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A frame on its way: reference counted, from a pool that grows to a bound and then says no (the
 * caller counts a drop). A broadcast takes references; who wants to change a shared frame copies
 * it.
 */
#ifndef SUBSTRATE_FRAME_H
#define SUBSTRATE_FRAME_H

#include "substrate/offload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_HEADROOM = 64,    /* in front of data: room for the headers of a substrate link */
	FRAME_MIN = 14,         /* an Ethernet header; shorter ones are runts */
	FRAME_MAX = 65535 + 18, /* largest frame: 64 KiB packet, Ethernet header, VLAN tag */
};

struct frame_pool;

struct frame {
	uint32_t refs;
	uint32_t len;           /* bytes at data: Ethernet header and payload, no FCS */
	uint32_t room;          /* bytes that fit at data */
	struct offload offload; /* what is still to be done to it before it is as on a wire */
	uint8_t *data;
	struct frame_pool *pool; /* borrowed */
	struct frame *next;      /* for the queue that holds it: one queue at a time */
};

/* max_bytes bounds the memory of all frames together. */
struct frame_pool *frame_pool_create(size_t max_bytes);
/* All frames must have been given back. */
void frame_pool_destroy(struct frame_pool *p);
/* A frame with room for len bytes and len set; NULL when the pool is at its bound. refs is 1. */
struct frame *frame_get(struct frame_pool *p, uint32_t len);
struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f);
/*
 * A frame of one's own with the same bytes: f itself if nobody else holds it. Takes f's reference;
 * NULL when the pool is at its bound (f's reference is gone then, too).
 */
struct frame *frame_own(struct frame *f);
/* The frames on a wire that it stands for, and their bytes. */
static inline unsigned frame_count(const struct frame *f)
{
	return f->offload.segments ? f->offload.segments : 1;
}
static inline uint64_t frame_bytes(const struct frame *f)
{
	return f->len + (uint64_t)(frame_count(f) - 1) * f->offload.header;
}
/* True if it is not yet as on a wire. */
static inline bool frame_is_raw(const struct frame *f)
{
	return f->offload.flags != 0;
}
/*
 * Gives each of the frames on a wire that f stands for to fn (with its reference), in order, and
 * f's reference back. Returns how many there were that the pool had no room for.
 */
unsigned frame_make_real(struct frame *f, void (*fn)(void *ctx, struct frame *real), void *ctx);
/*
 * Moves the start of a frame of one's own: n bytes more, not yet written (false: there is no
 * headroom for them), or n bytes less (of those that it has).
 */
bool frame_push(struct frame *f, uint32_t n);
void frame_pull(struct frame *f, uint32_t n);

#endif
