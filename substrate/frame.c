/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/frame.h"

#include "lib/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/*
 * Frames of one size class are kept for reuse: most are full Ethernet frames, or small, or segments
 * that are still to be cut.
 */
enum { CLASS_SMALL = 256, CLASS_LARGE = 2048, CLASS_HUGE = 68 << 10, CLASSES = 3 };

static const uint32_t class_room[CLASSES] = {CLASS_SMALL, CLASS_LARGE, CLASS_HUGE};
_Static_assert((int)CLASS_HUGE >= (int)FRAME_MAX, "a class for every frame");

struct frame_pool {
	size_t max_bytes, used_bytes, idle_bytes;
	struct frame *idle[CLASSES];
};

struct frame_pool *frame_pool_create(size_t max_bytes)
{
	struct frame_pool *p = xcalloc(1, sizeof(*p));

	p->max_bytes = max_bytes;
	return p;
}

static void free_idle(struct frame_pool *p)
{
	for (int c = 0; c < CLASSES; c++) {
		while (p->idle[c]) {
			struct frame *f = p->idle[c];

			p->idle[c] = f->next;
			free(f);
		}
	}
	p->idle_bytes = 0;
}

void frame_pool_destroy(struct frame_pool *p)
{
	if (!p)
		return;
	assert(p->used_bytes == 0);
	free_idle(p);
	free(p);
}

static int class_of(uint32_t room)
{
	for (int c = 0; c < CLASSES; c++)
		if (room <= class_room[c])
			return c;
	return -1;
}

static size_t size_of(uint32_t room)
{
	return sizeof(struct frame) + FRAME_HEADROOM + room;
}

struct frame *frame_get(struct frame_pool *p, uint32_t len)
{
	int c = class_of(len);
	uint32_t room = c < 0 ? len : class_room[c];
	size_t size = size_of(room);
	struct frame *f;

	if (len > FRAME_MAX || p->used_bytes + size > p->max_bytes)
		return NULL;
	if (c >= 0 && p->idle[c]) {
		f = p->idle[c];
		p->idle[c] = f->next;
		p->idle_bytes -= size;
	} else {
		f = xmalloc(size);
		f->pool = p;
		f->room = room;
	}
	p->used_bytes += size;
	f->refs = 1;
	f->len = len;
	f->data = (uint8_t *)(f + 1) + FRAME_HEADROOM;
	f->next = NULL;
	f->offload = (struct offload){0};
	return f;
}

struct frame *frame_ref(struct frame *f)
{
	f->refs++;
	return f;
}

/* Gives the frame back; data may have moved into the headroom, so the class follows from the start.
 */
void frame_unref(struct frame *f)
{
	struct frame_pool *p = f->pool;

	assert(f->refs > 0);
	if (--f->refs)
		return;
	uint8_t *start = (uint8_t *)(f + 1) + FRAME_HEADROOM;

	f->room += (uint32_t)(f->data - start);
	size_t size = size_of(f->room);
	int c = class_of(f->room);

	p->used_bytes -= size;
	if (c < 0 || class_room[c] != f->room || p->idle_bytes > p->max_bytes / 4) {
		free(f);
		return;
	}
	f->next = p->idle[c];
	p->idle[c] = f;
	p->idle_bytes += size;
}

struct frame *frame_own(struct frame *f)
{
	if (f->refs == 1)
		return f;
	struct frame *own = frame_get(f->pool, f->len);

	if (own) {
		memcpy(own->data, f->data, f->len);
		own->offload = f->offload;
	}
	frame_unref(f);
	return own;
}

static struct frame *cut(const struct frame *f, unsigned i)
{
	struct frame *real = frame_get(f->pool, offload_segment_len(&f->offload, f->len, i));

	if (real)
		offload_cut(&f->offload, f->data, f->len, i, real->data);
	return real;
}

static struct frame *sum(struct frame *f)
{
	f = frame_own(f);
	if (f) {
		offload_sum(&f->offload, f->data, f->len);
		f->offload = (struct offload){0};
	}
	return f;
}

unsigned frame_make_real(struct frame *f, void (*fn)(void *ctx, struct frame *real), void *ctx)
{
	unsigned n = f->offload.segments;
	unsigned lost = 0;

	if (!n) {
		f = frame_is_raw(f) ? sum(f) : f;
		if (f)
			fn(ctx, f);
		return f ? 0 : 1;
	}
	for (unsigned i = 0; i < n; i++) {
		struct frame *real = cut(f, i);

		if (real)
			fn(ctx, real);
		lost += !real;
	}
	frame_unref(f);
	return lost;
}

bool frame_push(struct frame *f, uint32_t n)
{
	const uint8_t *start = (uint8_t *)(f + 1);

	assert(f->refs == 1);
	if ((size_t)(f->data - start) < n)
		return false;
	f->data -= n;
	f->len += n;
	f->room += n;
	return true;
}

void frame_pull(struct frame *f, uint32_t n)
{
	assert(f->refs == 1 && f->len >= n);
	f->data += n;
	f->len -= n;
	f->room -= n;
}
