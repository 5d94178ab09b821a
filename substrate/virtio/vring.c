/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A split ring has three parts in the guest's memory: descriptors, which are the guest's; avail,
 * where it says what it offers; used, where we say what we gave back. Each side counts on for ever,
 * in 16 bits that run over; what is between the two counts is what waits.
 *
 * The guest may write all of it while we read. Each field is therefore read once into a copy, and
 * only the copy is checked and used. Addresses are looked up in what the guest shared (guestmem.c),
 * lengths are added with a look for overflow, and a chain can be no longer than its table, or it is
 * a loop.
 *
 * Order matters in two places. Entries are written before the index that shows them, and read
 * behind it (release, acquire). And whoever goes to sleep says so first and looks once more then,
 * while the other writes first and looks then whether to wake it: with a full fence between the two
 * on either side one of them sees the other (virtio 1.2, sections 2.7.7 and 2.7.10).
 */
#include "substrate/virtio/vring.h"

#include <string.h>

/* Fields of the avail and used parts, in 16-bit words (linux/virtio_ring.h). */
enum { RING_FLAGS, RING_IDX, RING_ENTRIES };

static volatile uint16_t *used_event_of(const struct virtq *r)
{
	return &r->avail[RING_ENTRIES + r->num];
}

static volatile uint16_t *avail_event_of(const struct virtq *r)
{
	return &r->used[RING_ENTRIES + r->num * 4];
}

/*
 * The first fault stays: it is what the user is told. A broken ring gives nothing more, and is put
 * right only by a new set-up.
 */
static int break_ring(struct virtq *r, const char *why)
{
	if (!r->broken)
		r->broken = why;
	return -1;
}

int vring_set_num(struct virtq *r, uint32_t num, struct err *e)
{
	if (!num || num > VRING_NUM_MAX || num & (num - 1))
		return err_set(e, ERR_ENV, "ring size %u is not a power of two up to %d", num,
			       VRING_NUM_MAX);
	vring_clear(r);
	r->num = (uint16_t)num;
	return 0;
}

int vring_set_addr(struct virtq *r, const struct guestmem *mem, uint64_t desc, uint64_t avail,
		   uint64_t used, struct err *e)
{
	if (!r->num)
		return err_set(e, ERR_ENV, "ring has an address before it has a size");
	if (desc % 16 || avail % 2 || used % 4)
		return err_set(e, ERR_ENV, "ring is not aligned");
	void *d = guestmem_at(mem, desc, r->num * sizeof(struct vring_desc));
	void *a = guestmem_at(mem, avail, (RING_ENTRIES + r->num + 1u) * 2);
	void *u = guestmem_at(mem, used, (RING_ENTRIES + r->num * 4u + 1u) * 2);

	if (!d || !a || !u)
		return err_set(e, ERR_ENV, "ring is not in the guest's memory");
	r->mem = mem;
	r->desc = d;
	r->avail = a;
	r->used = u;
	r->used_idx = r->called_idx = r->used[RING_IDX];
	r->broken = NULL;
	return 0;
}

void vring_set_base(struct virtq *r, uint16_t base)
{
	r->last_avail = r->seen_avail = base;
}

void vring_resume(struct virtq *r, const struct virtq *kept)
{
	r->last_avail = kept->last_avail;
	r->seen_avail = kept->seen_avail;
	r->used_idx = kept->used_idx;
	r->called_idx = kept->called_idx;
	r->broken = kept->broken;
}

void vring_resume_answered(struct virtq *r)
{
	r->last_avail = r->seen_avail = r->used_idx = r->called_idx = r->used[1];
}

void vring_clear(struct virtq *r)
{
	memset(r, 0, sizeof(*r));
}

static int add_buffer(struct virtq *r, struct vring_chain *c, const struct vring_desc *d)
{
	unsigned n = c->n_out + c->n_in;
	uint32_t *total = d->flags & VRING_DESC_F_WRITE ? &c->in_len : &c->out_len;

	if (n == VRING_IOV_MAX)
		return break_ring(r, "too many buffers in a chain");
	if (!d->len || __builtin_add_overflow(*total, d->len, total))
		return break_ring(r, "bad length of a buffer");
	void *p = guestmem_at(r->mem, d->addr, d->len);

	if (!p)
		return break_ring(r, "a buffer is not in the guest's memory");
	if (d->flags & VRING_DESC_F_WRITE)
		c->n_in++;
	else if (c->n_in)
		return break_ring(r, "a buffer to read behind one to write");
	else
		c->n_out++;
	c->iov[n] = (struct iovec){.iov_base = p, .iov_len = d->len};
	return 0;
}

static struct vring_desc read_desc(volatile struct vring_desc *table, uint16_t i)
{
	return (struct vring_desc){.addr = table[i].addr,
				   .len = table[i].len,
				   .flags = table[i].flags,
				   .next = table[i].next};
}

/* Follows a chain in a table of n entries; a chain longer than its table is a loop. */
static int walk(struct virtq *r, struct vring_chain *c, volatile struct vring_desc *table,
		uint32_t n, uint16_t i, bool indirect)
{
	for (uint32_t steps = 0; steps < n; steps++) {
		if (i >= n)
			return break_ring(r, "descriptor out of range");
		struct vring_desc d = read_desc(table, i);

		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (indirect || d.flags & VRING_DESC_F_NEXT || !d.len ||
			    d.len % sizeof(d) || d.len / sizeof(d) > VRING_NUM_MAX)
				return break_ring(r, "bad indirect descriptor");
			void *inner = guestmem_at(r->mem, d.addr, d.len);

			if (!inner || d.addr % 16)
				return break_ring(r, "bad address of an indirect descriptor");
			/* One level: a table of a table is refused above. */
			return walk(r, c, inner, (uint32_t)(d.len / sizeof(d)), 0, true);
		}
		if (add_buffer(r, c, &d) < 0)
			return -1;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return 1;
		i = d.next;
	}
	return break_ring(r, "loop of descriptors");
}

/*
 * Counts are compared by their difference in 16 bits, which holds over the wrap as long as no more
 * than the ring's size is outstanding; more than that is a driver that lies.
 */
int vring_take(struct virtq *r, struct vring_chain *c)
{
	if (r->broken || !r->desc)
		return r->broken ? -1 : 0;
	uint16_t idx = __atomic_load_n(&r->avail[RING_IDX], __ATOMIC_ACQUIRE);

	if (r->limited)
		idx = r->limit;
	uint16_t waiting = (uint16_t)(idx - r->last_avail);

	r->seen_avail = idx;
	if (!waiting)
		return 0;
	if (waiting > r->num)
		return break_ring(r, "more chains available than the ring holds");
	if (r->mem->broken)
		return break_ring(r, "the guest's memory shrank");
	uint16_t head = r->avail[RING_ENTRIES + (r->last_avail & (r->num - 1))];

	c->head = head;
	c->n_out = c->n_in = 0;
	c->out_len = c->in_len = 0;
	if (walk(r, c, r->desc, r->num, head, false) < 0)
		return -1;
	r->last_avail++;
	return 1;
}

bool vring_has(const struct virtq *r)
{
	return r->avail && r->avail[RING_IDX] != r->last_avail;
}

/*
 * A frame that needs three buffers when there are two gives both back: they were read, and not yet
 * given to the guest as used, so counting back is all that is needed.
 */
void vring_untake(struct virtq *r, unsigned n)
{
	r->last_avail = (uint16_t)(r->last_avail - n);
}

void vring_give(struct virtq *r, uint16_t head, uint32_t len)
{
	volatile uint32_t *entry = (volatile uint32_t *)&r->used[RING_ENTRIES] +
				   (size_t)(r->used_idx & (r->num - 1)) * 2;

	entry[0] = head;
	entry[1] = len;
	r->used_idx++;
}

void vring_publish(struct virtq *r)
{
	if (r->used)
		__atomic_store_n(&r->used[RING_IDX], r->used_idx, __ATOMIC_RELEASE);
}

bool vring_wants_call(struct virtq *r)
{
	if (!r->used || r->used_idx == r->called_idx)
		return false;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	uint16_t old = r->called_idx;

	r->called_idx = r->used_idx;
	/* Has the driver's mark been passed since it was asked last? */
	if (r->event_idx)
		return vring_need_event(*used_event_of(r), r->used_idx, old);
	return !(r->avail[RING_FLAGS] & VRING_AVAIL_F_NO_INTERRUPT);
}

void vring_will_call(struct virtq *r)
{
	r->called_idx = r->used_idx;
}

/*
 * The mark is put at what was seen, not at what was taken. A frame may wait for more buffers than
 * are there: then it is new ones that must wake us, and not those that were looked at in vain.
 */
bool vring_kicks_on(struct virtq *r)
{
	if (!r->used || r->broken || r->limited)
		return false;
	if (r->event_idx)
		*avail_event_of(r) = r->seen_avail;
	else
		r->used[RING_FLAGS] = 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return r->avail[RING_IDX] != r->seen_avail;
}

void vring_kicks_off(struct virtq *r)
{
	/* With EVENT_IDX a driver kicks when it passes avail_event: that is left behind, and will
	 * do. */
	if (r->used && !r->event_idx)
		r->used[RING_FLAGS] = VRING_USED_F_NO_NOTIFY;
}

void vring_kicks_stop(struct virtq *r)
{
	/* As far away as it can be. */
	if (r->used && r->event_idx)
		*avail_event_of(r) = (uint16_t)(r->avail[RING_IDX] + 0x8000u);
}

/*
 * Virtual time: a kick says how far the ring was filled at its time. What the guest added
 * afterwards is in memory by the time we look, but belongs to a later kick, with a later time.
 */
void vring_limit(struct virtq *r, uint16_t avail)
{
	r->limited = true;
	r->limit = avail;
}

void vring_unlimit(struct virtq *r)
{
	r->limited = false;
}
