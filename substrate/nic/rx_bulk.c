/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/nic/rx_bulk.h"

void rx_bulk_put(struct rx_bulk *b, uint32_t len)
{
	if (len < RX_BULK_LEN)
		b->has_short = true;
	else
		b->n_long++;
}

int64_t rx_bulk_tell_ns(struct rx_bulk *b, int64_t now_ns)
{
	bool paused = now_ns - b->told_ns >= RX_BULK_GAP_NS;

	if (paused)
		b->n_long = 0;
	if (paused || b->has_short || b->n_long < RX_BULK_RUN)
		b->told_ns = now_ns;
	else if (b->told_ns < now_ns)
		b->told_ns += RX_BULK_GAP_NS;
	b->has_short = false;
	return b->told_ns;
}
