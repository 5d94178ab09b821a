/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/nic/rx_filter.h"

#include "substrate/core/iov.h"

#include <linux/virtio_net.h>
#include <string.h>

enum {
	MAC_LEN = 6,
	COUNT_LEN = 4,
	BATCH = VRING_NUM_MAX,
};

bool rx_filter_passes(const struct rx_filter *f, const uint8_t *to)
{
	static const uint8_t all[MAC_LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

	if (!(to[0] & 1) || !f->is_set || f->promisc || f->allmulti || f->overflow)
		return true;
	for (unsigned i = 0; i < f->n; i++)
		if (!memcmp(f->group[i], to, MAC_LEN))
			return true;
	return !memcmp(to, all, MAC_LEN);
}

static uint8_t set_mode(struct rx_filter *f, uint8_t command, const struct iovec *iov, unsigned n,
			uint32_t len)
{
	uint8_t on;

	if (len != sizeof(struct virtio_net_ctrl_hdr) + sizeof(on))
		return VIRTIO_NET_ERR;
	iov_read(iov, n, sizeof(struct virtio_net_ctrl_hdr), &on, sizeof(on));
	if (command == VIRTIO_NET_CTRL_RX_PROMISC)
		f->promisc = on;
	else if (command == VIRTIO_NET_CTRL_RX_ALLMULTI)
		f->allmulti = on;
	else
		return VIRTIO_NET_ERR;
	return VIRTIO_NET_OK;
}

/* Behind one of the two tables of the command that begins at *at. False: it is not whole. */
static bool skip_table(const struct iovec *iov, unsigned n, uint32_t len, uint32_t *at,
		       uint32_t *entries)
{
	if (len - *at < COUNT_LEN)
		return false;
	iov_read(iov, n, *at, entries, COUNT_LEN);
	*at += COUNT_LEN;
	if (*entries > (len - *at) / MAC_LEN)
		return false;
	*at += *entries * MAC_LEN;
	return true;
}

/* Two tables: of stations, which are not looked at, and of groups. */
static uint8_t set_table(struct rx_filter *f, const struct iovec *iov, unsigned n, uint32_t len)
{
	uint32_t at = sizeof(struct virtio_net_ctrl_hdr);
	uint32_t entries = 0;

	for (int tables = 0; tables < 2; tables++)
		if (!skip_table(iov, n, len, &at, &entries))
			return VIRTIO_NET_ERR;
	f->is_set = true;
	f->overflow = entries > RX_FILTER_GROUPS;
	f->n = f->overflow ? 0 : entries;
	iov_read(iov, n, at - entries * MAC_LEN, f->group, (size_t)f->n * MAC_LEN);
	return VIRTIO_NET_OK;
}

static uint8_t carry_out(struct rx_filter *f, const struct iovec *iov, unsigned n, uint32_t len)
{
	struct virtio_net_ctrl_hdr h;

	if (len < sizeof(h))
		return VIRTIO_NET_ERR;
	iov_read(iov, n, 0, &h, sizeof(h));
	if (h.class == VIRTIO_NET_CTRL_RX)
		return set_mode(f, h.cmd, iov, n, len);
	if (h.class == VIRTIO_NET_CTRL_MAC && h.cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET)
		return set_table(f, iov, n, len);
	return VIRTIO_NET_ERR;
}

bool rx_filter_serve(struct rx_filter *f, struct virtq *r)
{
	struct vring_chain c;

	for (int i = 0; i < BATCH; i++) {
		if (vring_take(r, &c) <= 0) {
			if (vring_kicks_on(r))
				continue;
			return false;
		}
		if (!c.n_in) {
			r->broken = "a command without room for its answer";
			return false;
		}
		uint8_t answer = carry_out(f, c.iov, c.n_out, c.out_len);

		iov_write(c.iov + c.n_out, c.n_in, 0, &answer, sizeof(answer));
		vring_give(r, c.head, sizeof(answer));
	}
	return true;
}
