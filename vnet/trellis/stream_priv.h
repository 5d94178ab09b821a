/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the two files of a stream share: stream.c, and stream_control.c for when and how much. */
#ifndef VNET_TRELLIS_STREAM_PRIV_H
#define VNET_TRELLIS_STREAM_PRIV_H

#include "vnet/trellis/stream.h"

enum { STREAM_SYN = 1, STREAM_ACK = 2, STREAM_FIN = 4, STREAM_RST = 8 };

#define STREAM_MS           INT64_C(1000000)
#define STREAM_RTO_FIRST_NS (1000 * STREAM_MS)

struct stream_segment {
	uint8_t flags;
	uint32_t sequence, ack, window, stamp, echo;
	const uint8_t *data;
	uint32_t len;
};

/* Distances on the circle of sequence numbers. */
static inline bool stream_before(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b) < 0;
}

static inline uint32_t stream_stamp(int64_t now_ns)
{
	uint32_t stamp = (uint32_t)(now_ns / STREAM_MS);

	return stamp ? stamp : 1; /* 0 stands for none */
}

/* Ends it for an error (errno value), unless it has ended. */
void stream_fail(struct stream *s, int error);
/* True if something is under way, and could be lost. */
bool stream_outstanding(const struct stream *s);
/* An acknowledgement came: what it says of the window, the round trip time, and of losses. */
void stream_take_ack(struct stream *s, const struct stream_segment *g, int64_t now_ns);

#endif
