/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A scheduler (htb.h) of frames in the calendar: what waits in it leaves when it may. */
#ifndef SUBSTRATE_CORE_PACER_H
#define SUBSTRATE_CORE_PACER_H

#include "substrate/core/substrate.h"
#include "substrate/rate/htb.h"

struct pacer {
	struct substrate *sub;
	struct htb *htb; /* owned */
	/* A frame (with its reference) leaves the class. */
	void (*put)(struct pacer *p, struct frame *f, struct htb_class *from, int64_t now_ns);
	struct event event;
	struct event_source source;
	int64_t event_ns; /* INT64_MAX: not in the calendar */
	int64_t last_ns;  /* a scheduler's time does not go backwards */
};

/* rate_bps 0: the wire is always free. */
void pacer_init(struct pacer *p, struct substrate *s, int64_t rate_bps, int64_t now_ns,
		void (*put)(struct pacer *p, struct frame *f, struct htb_class *from,
			    int64_t now_ns));
/* What waits is dropped; classes must have been destroyed, but for control. */
void pacer_finish(struct pacer *p);
/*
 * Takes a frame (with its reference) into a class of p->htb. counted_bytes: of the rate of its
 * link. False: it was dropped and counted there.
 */
bool pacer_send(struct pacer *p, struct htb_class *c, struct frame *f, uint32_t counted_bytes,
		int64_t now_ns);
/* Rates have changed: something may leave sooner. */
void pacer_wake(struct pacer *p, int64_t now_ns);

#endif
