/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest as the virtual clock sees it. With the real clock there are none. */
#ifndef SUBSTRATE_GUEST_H
#define SUBSTRATE_GUEST_H

#include "substrate/core/substrate.h"

struct guest;

/* A virtio device of a guest. Embed it, zeroed but for the functions. */
struct guest_device {
	struct guest *guest; /* NULL: not joined */
	unsigned slot;
	/* The driver put something into a queue, up to an index of its available ring. */
	void (*kicked)(struct guest_device *d, unsigned queue, uint16_t avail, int64_t now_ns);
	/* So long after that something may come back to the guest, at least. */
	int64_t (*answer_ns)(const struct guest_device *d, unsigned queue);
};

/* Where the guest's own clock stands, in time of the lab. */
int64_t guest_now_ns(const struct guest *g);
bool guest_is_running(const struct guest *g);
/* The shortest delay of cables that lead to the guest; INT64_MAX: there are none. */
int64_t guest_in_ns(const struct guest *g);
/*
 * A message of this guest's is about to be handled (on), or was: what it did before comes first,
 * and what follows from the message cuts its turn.
 */
void guest_kicks(struct guest *g, bool on);
/* A device says under which number the guest's kernel knows it. 0 or -1. */
int guest_join(struct guest *g, struct guest_device *d, uint64_t slot, struct err *e);
void guest_part(struct guest_device *d);
/* Interrupts the guest, which must not be running: bits of queues, and MAIL_CONFIG. */
void guest_call(struct guest_device *d, uint32_t calls, int64_t now_ns);

#endif
