/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ring of records in memory that two processes share, for one writer and one reader. head and
 * tail count bytes for ever, modulo 2^32; what is between them is what waits. Each side also keeps
 * its own count in memory that the other cannot touch (at), and believes of the shared ones only
 * what is possible.
 *
 * A record has a head of eight bytes and lies in one piece, so that it can be read where it is.
 * Where one does not fit in front of the end of the ring, what is left there is filled by a record
 * that is skipped. Records are written with shmring_room() and shmring_put(), and shown all
 * together with shmring_publish(), which also says whether the reader must be woken: a reader that
 * is at work finds them by itself, and costs no system call.
 */
#include "substrate/trunk/shmring.h"

#include <assert.h>

enum { SKIP = 0xffffffff }; /* id of what fills the end of the ring */

/*
 * head and tail only grow, and run over. Each is written by one side, and is in a cache line of its
 * own: else both would fetch the line anew for each record.
 */
struct shmring_shared {
	_Alignas(64) uint32_t head; /* the writer's */
	_Alignas(64) uint32_t tail; /* the reader's */
	uint32_t asleep;            /* the reader wants to be woken */
};
_Static_assert(sizeof(struct shmring_shared) <= SHMRING_HEAD, "the head is too long");

/* In front of each record; records begin at multiples of its size. */
struct head {
	uint32_t id, len;
};

void shmring_init(struct shmring *r, void *mem, uint32_t size)
{
	assert(!(size & (size - 1)) && size >= 2 * SHMRING_RECORD_MAX);
	*r = (struct shmring){.shared = mem, .data = (uint8_t *)mem + SHMRING_HEAD, .size = size};
}

static uint32_t space_of(uint32_t len)
{
	uint32_t unit = sizeof(struct head);

	return (uint32_t)sizeof(struct head) + (len + unit - 1) / unit * unit;
}

static struct head *head_at(const struct shmring *r)
{
	return (struct head *)(r->data + (r->at & (r->size - 1)));
}

uint8_t *shmring_room(struct shmring *r, uint32_t len)
{
	uint32_t tail = __atomic_load_n(&r->shared->tail, __ATOMIC_ACQUIRE);
	uint32_t to_end = r->size - (r->at & (r->size - 1));
	uint32_t need = space_of(len);
	uint32_t skip = need > to_end ? to_end : 0;

	assert(len <= SHMRING_RECORD_MAX);
	/* The reader may write any tail: what it loses by that is its own. */
	if (r->size - (r->at - tail) < need + skip || r->at - tail > r->size)
		return NULL;
	/* A record lies in one piece: what is left at the end is skipped. */
	if (skip) {
		*head_at(r) = (struct head){SKIP, to_end - (uint32_t)sizeof(struct head)};
		r->at += skip;
	}
	return (uint8_t *)(head_at(r) + 1);
}

void shmring_put(struct shmring *r, uint32_t id, uint32_t len)
{
	*head_at(r) = (struct head){id, len};
	r->at += space_of(len);
}

bool shmring_publish(struct shmring *r)
{
	/*
	 * The writer writes and then looks whether the reader sleeps; the reader says that it
	 * sleeps and then looks whether there is something. With a fence in between on either side,
	 * one of them sees the other.
	 */
	__atomic_store_n(&r->shared->head, r->at, __ATOMIC_RELEASE);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&r->shared->asleep, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&r->shared->asleep, 0, __ATOMIC_ACQ_REL);
}

static int break_ring(struct shmring *r)
{
	r->broken = true;
	return -1;
}

int shmring_take(struct shmring *r, struct shmring_record *rec)
{
	uint32_t waiting = __atomic_load_n(&r->shared->head, __ATOMIC_ACQUIRE) - r->at;

	if (r->broken)
		return -1;
	while (waiting) {
		uint32_t to_end = r->size - (r->at & (r->size - 1));
		/* Read once: the writer could change it between check and use. */
		volatile const struct head *h = head_at(r);
		uint32_t id = h->id;
		uint32_t len = h->len;

		if (waiting > r->size || waiting % sizeof(*h) || len > r->size)
			return break_ring(r);
		uint32_t space = space_of(len);

		if (space > waiting || space > to_end)
			return break_ring(r);
		if (id != SKIP && len > SHMRING_RECORD_MAX)
			return break_ring(r);
		*rec = (struct shmring_record){
			.id = id, .len = len, .data = (const uint8_t *)(head_at(r) + 1)};
		r->at += space;
		waiting -= space;
		if (id != SKIP)
			return 1;
	}
	return 0;
}

/* The writer may overwrite what was taken from here on: whoever took a record has copied it. */
void shmring_give_back(struct shmring *r)
{
	__atomic_store_n(&r->shared->tail, r->at, __ATOMIC_RELEASE);
}

bool shmring_sleep(struct shmring *r)
{
	__atomic_store_n(&r->shared->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return __atomic_load_n(&r->shared->head, __ATOMIC_ACQUIRE) != r->at;
}
