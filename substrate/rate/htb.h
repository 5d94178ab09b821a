/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The scheduler in front of a substrate interface: a hierarchical token bucket. Pure: it knows no
 * clock, socket or frame; items are opaque and have lengths, time is an argument, all arithmetic is
 * exact in integers (a bucket counts in units of 1e-9 bit).
 *
 *   wire ----- control
 *          |-- virtual links, per vNet, below it per link: a minimum and a ceiling
 *          `-- best effort, per vNet
 *
 * Whenever the wire is free, the first of these that has something to send:
 *   1. control, within its own small bucket;
 *   2. conforming: a link whose minimum's bucket, when the frame arrived, held enough for it and
 *      for all in front of it (by arrival);
 *   3. assured: a link with a backlog, whose minimum holds enough tokens by now (by the time since
 *      which it does);
 *   4. control beyond its bucket;
 *   5. borrowing: a link below its ceiling. First among vNets in proportion to the sums of their
 *      minima, then among the links of the vNet in proportion to theirs (start-time fair queueing,
 *      Goyal, Vin, Cheng 1996, over all that they sent);
 *   6. best effort, fair among vNets.
 *
 * What follows, with W the rate of the wire, the sum of minima and control at most W, L the longest
 * frame, b a burst: over any time in which a link has a backlog it sends at least its minimum, less
 * (sum of bursts + L); a conforming frame waits at most (sum of the bursts of all links and control
 * + L) / W whatever links that do not conform offer, and if no other link conforms, L / W.
 */
#ifndef SUBSTRATE_RATE_HTB_H
#define SUBSTRATE_RATE_HTB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct htb;
struct htb_class; /* a queue: control, one virtual link, or the best effort of one vNet */

/* Which rule let a frame go. */
enum htb_mode {
	HTB_MODE_CONTROL,
	HTB_MODE_CONFORMING,
	HTB_MODE_ASSURED,
	HTB_MODE_BORROWED,
	HTB_MODE_BEST_EFFORT,
	HTB_MODES,
};

enum htb_drop {
	HTB_QUEUED,     /* not dropped */
	HTB_DROP_QUEUE, /* the queue of its class is full */
	HTB_DROP_GONE,  /* its class was removed while it waited */
	HTB_DROPS,
};
const char *htb_drop_name(enum htb_drop why);

struct htb_params {
	int64_t rate_bps; /* of the wire; 0: it is always free */
	/*
	 * Real time: how late dequeue() may come without the wire losing time for it; virtual: 0.
	 * What it makes up for leaves at once, so what is behind needs a queue of that time.
	 */
	int64_t slack_ns;
	/* Gives back an item that was dropped after it was taken (HTB_DROP_GONE). */
	void (*release)(void *owner, void *item);
	void *owner;
};

/* Of a virtual link. min <= ceil. */
struct htb_rates {
	int64_t min_bps;  /* guaranteed, and its weight when it borrows; 0: no guarantee */
	int64_t ceil_bps; /* its current rate; 0: no ceiling */
	/*
	 * Depths of the two buckets; 0: HTB_MIN_BURST_BYTES, HTB_BURST_BYTES, or 2 ms of the rate
	 * if that is more.
	 */
	uint32_t min_burst_bytes, ceil_burst_bytes;
	uint32_t limit_bytes; /* of the queue; 0: HTB_LIMIT_BYTES or 50 ms of the ceiling if more */
};

enum {
	HTB_MIN_BURST_BYTES = 8 * 1664, /* what a link may send at once and still conform */
	HTB_BURST_BYTES = 2 * 1664,     /* two of the longest frames with their encapsulation */
	HTB_LIMIT_BYTES = 64 * 1024,    /* default of a class's queue */
	HTB_LEAST_WEIGHT_BPS = 8000     /* of a link without a minimum, when it borrows */
};

struct htb_counters {
	uint64_t offered_frames, offered_bytes; /* that were to be queued */
	uint64_t sent_frames[HTB_MODES], sent_bytes[HTB_MODES];
	uint64_t dropped_frames[HTB_DROPS], dropped_bytes[HTB_DROPS];
	int64_t longest_wait_ns; /* of a frame that was sent */
};

struct htb *htb_create(const struct htb_params *p, int64_t now_ns);
/* All items that wait are released. */
void htb_destroy(struct htb *h);
void htb_set_rate(struct htb *h, int64_t rate_bps, int64_t now_ns);

/* The one class for control; it lives as long as h. */
struct htb_class *htb_control(struct htb *h);
/* A class for a virtual link of a vNet (the name is copied). */
struct htb_class *htb_link_create(struct htb *h, const char *vnet, const struct htb_rates *r,
				  int64_t now_ns);
/* New rates from now on; what waits stays. */
void htb_link_set(struct htb_class *c, const struct htb_rates *r, int64_t now_ns);
/* The best effort of a vNet on this interface; limit_bytes as above. */
struct htb_class *htb_best_effort_create(struct htb *h, const char *vnet, uint32_t limit_bytes,
					 int64_t now_ns);
/* A link or best effort goes; what waits in it is released. Others do not notice. NULL is fine. */
void htb_class_destroy(struct htb_class *c, int64_t now_ns);

/*
 * Takes an item: HTB_QUEUED, or why not (the item stays the caller's; it is counted here).
 * wire_bytes: what it takes of the wire. counted_bytes: what it takes of the rates of its link
 * (VLINK_OVERHEAD and the frame of the virtual link, so that a rate means the same on all hops).
 * now_ns never goes backwards, here and below.
 */
enum htb_drop htb_enqueue(struct htb_class *c, void *item, uint32_t wire_bytes,
			  uint32_t counted_bytes, int64_t now_ns);
/* The item that goes onto the wire now, or NULL. from may be NULL. */
void *htb_dequeue(struct htb *h, int64_t now_ns, struct htb_class **from);
/* When dequeue() will next have something, if nothing else comes; INT64_MAX: nothing waits. */
int64_t htb_due_ns(const struct htb *h);

const struct htb_counters *htb_class_counters(const struct htb_class *c);
const struct htb_rates *htb_class_rates(const struct htb_class *c);
/* What waits. */
void htb_class_queue(const struct htb_class *c, uint32_t *frames, uint64_t *bytes);
/* For whoever feeds it: an owner of the class's, NULL at first. */
void htb_class_set_owner(struct htb_class *c, void *owner);
void *htb_class_owner(const struct htb_class *c);

#endif
