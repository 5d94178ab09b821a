/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A frame is one block of memory: the struct, headroom in which a substrate link writes its headers
 * in front without copying, and the bytes. Blocks come in three sizes, and those that were given
 * back are kept in a list for each size: the usual frame costs no malloc(). What frames hold
 * together is bounded; at the bound frame_get() fails, and the caller drops, as a switch does that
 * has no memory left.
 *
 * A lent frame has the same block, of which only the head is filled. Where its other bytes lie is
 * noted in the room that they will have, so that fetching them needs no memory and cannot fail. The
 * lender has a list of all frames that hold something of its memory, to fetch all before the memory
 * goes. A loan ends when the bytes are fetched or the last reference is given back.
 *
 * Frames that several hold are read-only; who wants to write asks for one of its own (frame_own()),
 * which is a copy only if somebody else holds it.
 */
#include "substrate/core/frame.h"

#include "lib/xalloc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Small frames, full Ethernet frames, and segments that are still to be cut. */
enum { CLASS_SMALL = 256, CLASS_LARGE = 2048, CLASS_HUGE = 68 << 10, CLASSES = 3 };

static const uint32_t class_room[CLASSES] = {CLASS_SMALL, CLASS_LARGE, CLASS_HUGE};
_Static_assert((int)CLASS_HUGE >= (int)FRAME_MAX, "a class for every frame");

/*
 * What is noted of a lent frame, in the room that its bytes will have if they are ever fetched:
 * nothing can run out then.
 */
struct loan {
	struct frame_lender *lender;
	struct frame *next, *before; /* in the lender's list */
	size_t offset;               /* of the frame's first byte in the pieces */
	uint16_t tag, n;
	struct iovec iov[FRAME_LENT_PIECES];
};
_Static_assert(FRAME_HEAD % _Alignof(struct loan) == 0, "a loan lies behind the head");
_Static_assert(FRAME_HEAD + sizeof(struct loan) <= (size_t)FRAME_LENT_MIN, "it has room there");

/*
 * used_bytes counts what somebody holds, idle_bytes what lies in the lists. The bound is for the
 * former alone: a frame in a list costs memory, too, but can be had at once.
 */
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

/*
 * A block is as large as its class, not as its frame, so that every block of a list fits every
 * frame of that class. The data pointer, the length and the offload are set anew each time; the
 * room is not, and so must be right again when a block goes back (frame_unref()).
 */
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

static struct loan *loan_of(const struct frame *f)
{
	return (struct loan *)(void *)(f->data + FRAME_HEAD);
}

/*
 * Below that length a loan costs more than it saves: the second copy of a short frame comes from
 * the cache. And a frame in more pieces than a loan can note is copied at once.
 */
bool frame_may_be_lent(uint32_t len, unsigned pieces)
{
	return len >= FRAME_LENT_MIN && pieces <= FRAME_LENT_PIECES;
}

struct frame *frame_get_lent(struct frame_pool *p, struct frame_lender *l, uint16_t tag,
			     const struct iovec *iov, unsigned n, size_t offset, uint32_t len)
{
	struct frame *f = frame_get(p, len);

	assert(frame_may_be_lent(len, n));
	if (!f)
		return NULL;
	struct loan *loan = loan_of(f);

	iov_read(iov, n, offset, f->data, FRAME_HEAD);
	loan->lender = l;
	loan->tag = tag;
	loan->offset = offset;
	loan->n = (uint16_t)n;
	memcpy(loan->iov, iov, n * sizeof(*iov));
	loan->before = NULL;
	loan->next = l->first;
	if (l->first)
		loan_of(l->first)->before = f;
	l->first = f;
	f->offload.flags = OFFLOAD_LENT;
	return f;
}

/*
 * loan: what is noted of f, which may be a copy by now. The lender hears of it last, when the frame
 * is out of its list: it may publish the buffers at once.
 */
static void end_loan(struct frame *f, const struct loan *loan)
{
	if (loan->before)
		loan_of(loan->before)->next = loan->next;
	else
		loan->lender->first = loan->next;
	if (loan->next)
		loan_of(loan->next)->before = loan->before;
	f->offload.flags &= (uint16_t)~OFFLOAD_LENT;
	loan->lender->returned(loan->lender, loan->tag);
}

void frame_keep(struct frame *f)
{
	if (!frame_is_lent(f))
		return;
	/* Copy the loan first: the bytes overwrite it. */
	struct loan loan = *loan_of(f);

	iov_read(loan.iov, loan.n, loan.offset + FRAME_HEAD, f->data + FRAME_HEAD,
		 f->len - FRAME_HEAD);
	end_loan(f, &loan);
}

/* Each frame_keep() takes the first one out of the list, so this ends. */
void frame_recall(struct frame_lender *l)
{
	while (l->first)
		frame_keep(l->first);
}

void frame_read(const struct frame *f, uint32_t from, void *to, uint32_t len)
{
	struct iovec iov = {.iov_base = to, .iov_len = len};

	frame_write(f, from, len, &iov, 1, 0);
}

/*
 * What is asked for may lie across the border between the head, which is ours, and the rest, which
 * is still the guest's. Only the rest is read from memory that may change under us.
 */
void frame_write_lent(const struct frame *f, uint32_t from, uint32_t len, const struct iovec *iov,
		      unsigned n, size_t offset)
{
	const struct loan *loan = loan_of(f);
	uint32_t head = 0;

	if (from < FRAME_HEAD) {
		head = len < FRAME_HEAD - from ? len : FRAME_HEAD - from;
		iov_write(iov, n, offset, f->data + from, head);
	}
	iov_copy(iov, n, offset + head, loan->iov, loan->n, loan->offset + from + head, len - head);
}

struct frame *frame_ref(struct frame *f)
{
	f->refs++;
	return f;
}

/* The data may have been moved into the headroom: the class follows from where it began. */
void frame_unref(struct frame *f)
{
	struct frame_pool *p = f->pool;

	assert(f->refs > 0);
	if (--f->refs)
		return;
	if (frame_is_lent(f))
		end_loan(f, loan_of(f));
	uint8_t *start = (uint8_t *)(f + 1) + FRAME_HEADROOM;

	f->room += (uint32_t)(f->data - start);
	size_t size = size_of(f->room);
	int c = class_of(f->room);

	p->used_bytes -= size;
	/* After a peak memory goes back to the system; what is usual stays at hand. */
	if (c < 0 || class_room[c] != f->room || p->idle_bytes > p->max_bytes / 4) {
		free(f);
		return;
	}
	f->next = p->idle[c];
	p->idle[c] = f;
	p->idle_bytes += size;
}

/*
 * Writing into a frame that others hold would change it under their eyes: after a switch has
 * flooded it, the same bytes are at every port. The last holder needs no copy.
 */
struct frame *frame_own(struct frame *f)
{
	if (f->refs == 1) {
		frame_keep(f);
		return f;
	}
	struct frame *own = frame_get(f->pool, f->len);

	if (own) {
		frame_read(f, 0, own->data, f->len);
		frame_set_offload(own, &f->offload);
	}
	frame_unref(f);
	return own;
}

/*
 * The pool may be at its bound in the middle of a segment: the frames that fit are made, and those
 * that do not are counted one by one, as a wire would lose them.
 */
static struct frame *cut(const struct frame *f, unsigned i)
{
	struct frame *real = frame_get(f->pool, offload_segment_len(&f->offload, f->len, i));

	if (real)
		offload_cut(&f->offload, f->data, f->len, i, real->data);
	return real;
}

struct frame *frame_sum(struct frame *f)
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

	/* It is read more than once from here on: the guest could change it in between. */
	frame_keep(f);
	if (!n) {
		f = frame_is_raw(f) ? frame_sum(f) : f;
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

/*
 * A substrate link puts its headers in front without moving the payload. Only the sole holder may
 * do that, and only to a frame that is here as a whole.
 */
bool frame_push(struct frame *f, uint32_t n)
{
	const uint8_t *start = (uint8_t *)(f + 1);

	assert(f->refs == 1 && !frame_is_lent(f));
	if ((size_t)(f->data - start) < n)
		return false;
	f->data -= n;
	f->len += n;
	f->room += n;
	return true;
}

void frame_pull(struct frame *f, uint32_t n)
{
	assert(f->refs == 1 && !frame_is_lent(f) && f->len >= n);
	f->data += n;
	f->len -= n;
	f->room -= n;
}
