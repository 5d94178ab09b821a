/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The device side of a split virtqueue (virtio 1.2, section 2.7), over memory that an untrusted
 * driver writes while we read it: everything is read once, then checked. A ring in which something
 * is wrong is broken for good, with a reason; nothing outside of the guest's memory is ever
 * touched.
 */
#ifndef SUBSTRATE_VIRTIO_VRING_H
#define SUBSTRATE_VIRTIO_VRING_H

#include "lib/err.h"
#include "substrate/core/iov.h"
#include "substrate/virtio/guestmem.h"

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	VRING_NUM_MAX = 1024,
	VRING_IOV_MAX = 128, /* buffers of one chain */
};

struct virtq {
	const struct guestmem *mem; /* borrowed */
	uint16_t num;               /* size; 0: not set up */
	bool event_idx;             /* VIRTIO_RING_F_EVENT_IDX was negotiated */
	const char *broken;         /* why nothing works any more, or NULL; static */
	volatile struct vring_desc *desc;
	volatile uint16_t *avail; /* flags, idx, ring[num], used_event */
	volatile uint16_t *used;  /* flags, idx, then elements, then avail_event */
	uint16_t last_avail;      /* next available entry to take */
	uint16_t seen_avail;      /* the driver's index when we last looked */
	uint16_t used_idx;        /* next used entry to write */
	bool limited;             /* what comes at or after limit is not there yet */
	uint16_t limit;
	uint16_t called_idx; /* used_idx when the driver was asked last whether it wants a call */
};

/* One chain of buffers: n_out ones to read, then n_in ones to write. */
struct vring_chain {
	uint16_t head;
	unsigned n_out, n_in;
	uint32_t out_len, in_len; /* bytes in all */
	struct iovec iov[VRING_IOV_MAX];
};

/* Sets the size: a power of two up to VRING_NUM_MAX. 0 or -1. */
int vring_set_num(struct virtq *r, uint32_t num, struct err *e);
/* Looks the three parts up in mem. 0 or -1. */
int vring_set_addr(struct virtq *r, const struct guestmem *mem, uint64_t desc, uint64_t avail,
		   uint64_t used, struct err *e);
/* Starts at an index, as SET_VRING_BASE says. */
void vring_set_base(struct virtq *r, uint16_t base);
/* Goes on counting where the same ring was when it was kept. */
void vring_resume(struct virtq *r, const struct virtq *kept);
/* The same behind the last thing that the driver has an answer to, by its memory. */
void vring_resume_answered(struct virtq *r);
/* Not set up any more. */
void vring_clear(struct virtq *r);

/* Takes the next chain. 1, or 0: there is none, or -1: the ring is broken. */
int vring_take(struct virtq *r, struct vring_chain *c);
/* True if the driver has offered something that was not taken. */
bool vring_has(const struct virtq *r);
/* Puts n chains that were taken last back, as if they had not been taken. */
void vring_untake(struct virtq *r, unsigned n);
/* Gives a chain back of which len bytes were written; seen by the driver after vring_publish(). */
void vring_give(struct virtq *r, uint16_t head, uint32_t len);
void vring_publish(struct virtq *r);
/* True if the driver wants to be called for what was published since it was asked last. */
bool vring_wants_call(struct virtq *r);
/* It will be called for that, whether it wants to be or not: it need not be asked. */
void vring_will_call(struct virtq *r);
/*
 * Asks the driver for a kick when it adds to what the last vring_take() saw; returns true if it has
 * done so by now. Or asks for no kicks.
 */
bool vring_kicks_on(struct virtq *r);
void vring_kicks_off(struct virtq *r);
/*
 * Looks at the ring as it was when the driver's index was avail, until vring_unlimit(). The driver
 * looks after its kicks itself then, and vring_kicks_on() does nothing.
 */
void vring_limit(struct virtq *r, uint16_t avail);
/* Asks for no more of the kicks that the driver looks after itself. */
void vring_kicks_stop(struct virtq *r);
void vring_unlimit(struct virtq *r);

#endif
