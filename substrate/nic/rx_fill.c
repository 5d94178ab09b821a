/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/nic/rx_fill.h"

#include <linux/virtio_net.h>
#include <stddef.h>

void rx_fill_count(const struct vring_chain *c, uint16_t count)
{
	iov_write(c->iov, c->n_in, offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers), &count,
		  sizeof(count));
}

uint32_t rx_fill(const struct vring_chain *c, const struct frame *f, uint32_t header, uint32_t done)
{
	uint32_t total = header + f->len;
	uint32_t n = c->in_len < total - done ? c->in_len : total - done;

	if (done == 0) {
		struct virtio_net_hdr_mrg_rxbuf h = {.num_buffers = 0};

		if (frame_is_raw(f))
			offload_write(&f->offload, (struct virtio_net_hdr *)&h);
		iov_write(c->iov, c->n_in, 0, &h, header);
		frame_write(f, 0, n - header, c->iov, c->n_in, header);
	} else {
		frame_write(f, done - header, n, c->iov, c->n_in, 0);
	}
	return n;
}
