/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which multicast frames a guest's NIC hands over: what virtio-net's control queue says of it
 * (virtio 1.2, section 5.1.6.5; virtnet_rx_mode_work() in Linux). Frames to one station and to all
 * pass always.
 */
#ifndef SUBSTRATE_NIC_RX_FILTER_H
#define SUBSTRATE_NIC_RX_FILTER_H

#include "substrate/virtio/vring.h"

enum { RX_FILTER_GROUPS = 64 }; /* a driver with more groups gets them all */

/* Zeroed: the driver has said nothing, and everything passes. */
struct rx_filter {
	bool is_set; /* the driver has sent its table */
	bool promisc, allmulti;
	bool overflow; /* the table has more groups than fit here */
	unsigned n;
	uint8_t group[RX_FILTER_GROUPS][6];
};

/* Whether a frame to this address (6 bytes) passes. */
bool rx_filter_passes(const struct rx_filter *f, const uint8_t *to);
/*
 * Carries out the commands in the control queue, which come from a driver that nobody trusts, and
 * gives them back with their answers, to be published. One that is not known, or damaged, changes
 * nothing, and the answer says so. True: there may be more, and others had better have their turn
 * first.
 */
bool rx_filter_serve(struct rx_filter *f, struct virtq *r);

#endif
