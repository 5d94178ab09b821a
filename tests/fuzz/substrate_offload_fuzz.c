/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest says of a frame, and the frame: anything. What is not refused can be cut or summed
 * within its buffers, and none of the frames is longer than was said. The same for what is found in
 * a frame of which nobody says anything.
 */
#include "lib/xalloc.h"
#include "substrate/core/frame.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void cut_all(const struct offload *o, const uint8_t *frame, uint32_t len)
{
	for (unsigned i = 0; i < o->segments; i++) {
		uint32_t n = offload_segment_len(o, len, i);

		if (n > (uint32_t)o->header + o->segment || n <= o->header)
			abort();
		uint8_t *out = xmalloc(n);

		offload_cut(o, frame, len, i, out);
		free(out);
	}
}

static void make_real(const struct offload *o, uint8_t *frame, uint32_t len)
{
	if (o->segments)
		cut_all(o, frame, len);
	else if (o->flags)
		offload_sum(o, frame, len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct virtio_net_hdr h;
	struct offload o;

	if (size < sizeof(h) + FRAME_MIN || size > sizeof(h) + FRAME_MAX)
		return 0;
	memcpy(&h, data, sizeof(h));
	uint32_t len = (uint32_t)(size - sizeof(h));
	uint8_t *frame = xmalloc(len);

	memcpy(frame, data + sizeof(h), len);
	if (offload_read(&h, UINT64_MAX, frame, len, &o)) {
		make_real(&o, frame, len);
		offload_write(&o, &h);
	}
	uint32_t mtu = 68 + h.gso_size % 9000u;

	memcpy(frame, data + sizeof(h), len);
	offload_find(frame, len, mtu, &o);
	if (o.segments && o.header + o.segment > mtu + OFFLOAD_HEADER_MAX)
		abort();
	make_real(&o, frame, len);
	free(frame);
	return 0;
}
