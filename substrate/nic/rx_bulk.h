/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Virtual time: when a guest is told of frames that its NIC has received. Each time costs it two
 * turns, so in a bulk transfer it is told of long frames together, in steps, as NICs do it (drivers
 * of Intel's allow themselves 125 to 250 us for it, which of them depends on what came in the last
 * step: igb_update_itr() of Linux); of all others at once.
 */
#ifndef SUBSTRATE_NIC_RX_BULK_H
#define SUBSTRATE_NIC_RX_BULK_H

#include <stdbool.h>
#include <stdint.h>

enum {
	RX_BULK_LEN = 1000, /* octets: a frame from here on is long */
	/* So many long ones, none of which comes a step after the guest was told last, are a bulk
	 * transfer. With more than so many in a step, the next is a long one. */
	RX_BULK_RUN = 4,
	RX_BULK_STEP_NS = 100000,
	RX_BULK_LONG_STEP_NS = 250000,
	RX_BULK_MANY = 64, /* frames end a step: a quarter of the guest's ring */
};

/* Zeroed: nothing has come. */
struct rx_bulk {
	int64_t told_ns; /* when it was, or will be, told */
	bool has_short;  /* there is a short one of which it has not been told */
	unsigned n_long; /* without a pause */
	unsigned n_step; /* frames of this step */
};

/* A frame of len octets is where the guest will find it. */
void rx_bulk_put(struct rx_bulk *b, uint32_t len);
/* It is to be told of what was put by now_ns: when? Never before now_ns. */
int64_t rx_bulk_tell_ns(struct rx_bulk *b, int64_t now_ns);

#endif
