/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A frame on its way: reference counted, from a pool that grows to a bound and then says no (the
 * caller counts a drop). A broadcast takes references; who wants to change a shared frame copies
 * it.
 *
 * Long frames may be lent: only their head is at data, and the rest lies where it was, in the
 * memory of the guest that sent it, until it is copied into the buffers of the guests that get it.
 * What is decided about such a frame is decided by its head, which the guest cannot change any
 * more. Only ends that say so (end_kind, OFFLOAD_LENT) get one; everybody else gets it after
 * frame_keep().
 */
#ifndef SUBSTRATE_CORE_FRAME_H
#define SUBSTRATE_CORE_FRAME_H

#include "substrate/core/iov.h"
#include "substrate/core/offload.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_HEADROOM = 64,    /* in front of data: room for the headers of a substrate link */
	FRAME_MIN = 14,         /* an Ethernet header; shorter ones are runts */
	FRAME_MAX = 65535 + 18, /* largest frame: 64 KiB packet, Ethernet header, VLAN tag */
	FRAME_HEAD = OFFLOAD_HEADER_MAX, /* bytes of a lent frame that are at data */
	FRAME_LENT_MIN = 2048,  /* shorter ones are copied twice: the second time from a cache */
	FRAME_LENT_PIECES = 32, /* of memory that one frame may be lent from */
};

struct frame_pool;
struct frame;

/* Who lends frames their bytes. */
struct frame_lender {
	/* Nobody needs what was lent under this tag any more. */
	void (*returned)(struct frame_lender *l, uint16_t tag);
	struct frame *first; /* of those that have something */
};

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
/*
 * The same, but of all bytes behind the head only where they lie is noted: at byte offset of iov
 * (n pieces; the list is copied), where they stay until l->returned(tag). For frames with
 * frame_may_be_lent().
 */
struct frame *frame_get_lent(struct frame_pool *p, struct frame_lender *l, uint16_t tag,
			     const struct iovec *iov, unsigned n, size_t offset, uint32_t len);
bool frame_may_be_lent(uint32_t len, unsigned pieces);
/* Gets all that is lent into the frame itself, for all who hold it. Nothing if nothing is. */
void frame_keep(struct frame *f);
/* The same for all that l has lent: its memory goes. */
void frame_recall(struct frame_lender *l);
struct frame *frame_ref(struct frame *f);
void frame_unref(struct frame *f);
/*
 * A frame of one's own with the same bytes, kept: f itself if nobody else holds it. Takes f's
 * reference; NULL when the pool is at its bound (f's reference is gone then, too).
 */
struct frame *frame_own(struct frame *f);
/*
 * A real frame of the same length, with its checksum; of a segment that was to be cut, longer than
 * a wire takes, but as a packet without a fault. Takes f's reference, as frame_own(); NULL: no
 * memory.
 */
struct frame *frame_sum(struct frame *f);
/* The frames on a wire that it stands for, and their bytes. */
static inline unsigned frame_count(const struct frame *f)
{
	return f->offload.segments ? f->offload.segments : 1;
}
static inline uint64_t frame_bytes(const struct frame *f)
{
	return f->len + (uint64_t)(frame_count(f) - 1) * f->offload.header;
}
/* The length of the longest of them. */
static inline uint32_t frame_longest(const struct frame *f)
{
	uint32_t first = (uint32_t)f->offload.header + f->offload.segment;

	return f->offload.segments && first < f->len ? first : f->len;
}
/* True if it is not yet as on a wire, or not here. */
static inline bool frame_is_raw(const struct frame *f)
{
	return f->offload.flags != 0;
}
static inline bool frame_is_lent(const struct frame *f)
{
	return f->offload.flags & OFFLOAD_LENT;
}
/* Says what is to be done to it; it stays lent if it is. */
static inline void frame_set_offload(struct frame *f, const struct offload *o)
{
	uint16_t lent = f->offload.flags & OFFLOAD_LENT;

	f->offload = *o;
	f->offload.flags = (uint16_t)((o->flags & ~OFFLOAD_LENT) | lent);
}
/* Copies len bytes from byte from on; into memory of ours, or to byte offset of iov (n pieces). */
void frame_read(const struct frame *f, uint32_t from, void *to, uint32_t len);
void frame_write_lent(const struct frame *f, uint32_t from, uint32_t len, const struct iovec *iov,
		      unsigned n, size_t offset);
static inline void frame_write(const struct frame *f, uint32_t from, uint32_t len,
			       const struct iovec *iov, unsigned n, size_t offset)
{
	if (frame_is_lent(f))
		frame_write_lent(f, from, len, iov, n, offset);
	else
		iov_write(iov, n, offset, f->data + from, len);
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
