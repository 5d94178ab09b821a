/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A frame in the receive buffers of a virtio-net driver (virtio 1.2, section 5.1.6.4). */
#ifndef SUBSTRATE_NIC_RX_FILL_H
#define SUBSTRATE_NIC_RX_FILL_H

#include "substrate/core/frame.h"
#include "substrate/virtio/vring.h"

/*
 * Copies bytes [done, ...) of header (10 or 12 bytes) and frame into a chain; returns how many fit.
 */
uint32_t rx_fill(const struct vring_chain *c, const struct frame *f, uint32_t header,
		 uint32_t done);
/* The two bytes of num_buffers in the first buffer of a chain: over how many chains it goes. */
void rx_fill_count(const struct vring_chain *c, uint16_t count);

#endif
