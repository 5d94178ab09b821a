/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/nic/rx_bulk.h"

void rx_bulk_put(struct rx_bulk *b, uint32_t len)
{
	b->n_step++;
	if (len < RX_BULK_LEN)
		b->has_short = true;
	else
		b->n_long++;
}

int64_t rx_bulk_tell_ns(struct rx_bulk *b, int64_t now_ns)
{
	int64_t step_ns = 0; /* of the step that begins, if one does */

	if (b->told_ns < now_ns) {
		step_ns = b->n_step > RX_BULK_RUN ? RX_BULK_LONG_STEP_NS : RX_BULK_STEP_NS;
		b->n_step = 1;
		if (now_ns - b->told_ns >= step_ns)
			b->n_long = 0;
	}
	if (b->has_short || b->n_long < RX_BULK_RUN || b->n_step >= RX_BULK_MANY) {
		b->told_ns = now_ns;
		b->n_step = 0;
	} else {
		b->told_ns += step_ns;
	}
	b->has_short = false;
	return b->told_ns;
}
