/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Active queue management: which frames the queue gives up before it is full.
 *
 * RED (Floyd and Jacobson, IEEE/ACM ToN 1(4), 1993; tc-red(8)) decides as a frame arrives, from the
 * average of the bytes that wait. CoDel (RFC 8289) decides as a frame leaves the queue, from the
 * time it waited. A cable knows that time when the frame arrives, since the link is first in first
 * out, so frames are asked about in that order and CoDel's state runs through the same sequence of
 * times. The one thing it cannot know is what will come behind the frame: where CoDel spares the
 * last packet of a queue, this one looks at what waits in front of it instead.
 */
#ifndef SUBSTRATE_CABLE_CABLE_AQM_H
#define SUBSTRATE_CABLE_CABLE_AQM_H

#include "lib/linkspec.h"
#include "lib/rng.h"

#include <stdbool.h>
#include <stdint.h>

struct cable_aqm {
	struct {
		uint64_t average; /* bytes * 2^20 */
		int64_t count;    /* frames let through since the last one taken, less one */
	} red;
	struct {
		int64_t above_ns; /* when the wait has been long for an interval; 0: it is not */
		int64_t next_ns;  /* when to take the next frame */
		uint32_t count, last_count;
		bool dropping;
		bool first;   /* the frame after the one that began the dropping is let through */
		bool pending; /* next_ns moves on if the next frame waited too long as well */
	} codel;
};

/* A frame that arrives, and the queue it finds. */
struct cable_arrival {
	int64_t now_ns, start_ns; /* when it comes, and when it may leave the queue */
	int64_t idle_ns;          /* for how long the link had nothing to do; 0: it is busy */
	uint64_t waiting_bytes;
	uint32_t len;
	int64_t limit_bytes; /* of the queue */
};

/* True: the frame is to be marked or dropped. */
bool cable_aqm_takes(struct cable_aqm *q, const struct linkspec *spec, struct rng *random,
		     const struct cable_arrival *a);

/*
 * True if the frame is IPv4 or IPv6, behind up to two VLAN tags, from a sender that takes part in
 * ECN (RFC 3168): one that may be marked.
 */
bool cable_ecn_capable(enum link_framing framing, const uint8_t *data, uint32_t len);

#endif
