/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest as the virtual clock sees it. With the real clock there are none. */
#ifndef SUBSTRATE_CLOCK_VCLOCK_GUEST_H
#define SUBSTRATE_CLOCK_VCLOCK_GUEST_H

#include "substrate/core/substrate.h"

struct vclock_guest;

/* A virtio device of a guest. Embed it, zeroed but for the functions. */
struct vclock_guest_device {
	struct vclock_guest *guest; /* NULL: not joined */
	unsigned slot;
	/* The driver put something into a queue, up to an index of its available ring. */
	void (*kicked)(struct vclock_guest_device *d, unsigned queue, uint16_t avail,
		       int64_t now_ns);
	/* So long after that something may come back to the guest, at least. */
	int64_t (*answer_ns)(const struct vclock_guest_device *d, unsigned queue);
};

/* Where the guest's own clock stands, in time of the lab. */
int64_t vclock_guest_now_ns(const struct vclock_guest *g);
bool vclock_guest_is_running(const struct vclock_guest *g);
/* The shortest delay of cables that lead to the guest; INT64_MAX: there are none. */
int64_t vclock_guest_in_ns(const struct vclock_guest *g);
/*
 * A message of this guest's is about to be handled (on), or was: what it did before comes first,
 * and what follows from the message cuts its turn.
 */
void vclock_guest_kicks(struct vclock_guest *g, bool on);
/* A device says under which number the guest's kernel knows it. 0 or -1. */
int vclock_guest_join(struct vclock_guest *g, struct vclock_guest_device *d, uint64_t slot,
		      struct err *e);
void vclock_guest_part(struct vclock_guest_device *d);
/*
 * A device of a restored guest awaits its kernel; it has come, or nobody awaits it any more. g
 * NULL: the real clock.
 */
void vclock_guest_await_device(struct vclock_guest *g, struct substrate *s);
void vclock_guest_device_came(struct vclock_guest *g, struct substrate *s);
/* A device has written into its memory. */
void vclock_guest_note_move(struct vclock_guest *g);
/* Interrupts the guest, which must not be running: bits of queues, and MAIL_CONFIG. */
void vclock_guest_call(struct vclock_guest_device *d, uint32_t calls, int64_t now_ns);

#endif
