/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any segments into a stream, with the application's calls between them. Numbers in segments are
 * near those that the stream expects, so that they matter. Whatever comes, the stream keeps within
 * its buffers, sends only what was written, and gives its reader only octets that some segment
 * carried.
 */
#include "lib/octets.h"
#include "vnet/trellis/stream.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MSS = 200 };

static void demand(bool true_)
{
	if (!true_)
		abort();
}

static void check(const struct stream *s)
{
	demand((int32_t)(s->next - s->unacked) >= 0);
	demand((int32_t)(s->highest - s->next) >= 0);
	demand((int32_t)(s->end + 1 - s->highest) >= 0);
	demand(s->end - s->unacked <= STREAM_BUFFER + 1u || s->end + 1 == s->unacked);
	demand(s->expected - s->taken <= STREAM_BUFFER + 1u);
	demand(s->n_pieces <= STREAM_GAPS);
	demand(s->rto_ns > 0 && s->congestion > 0);
}

static void emit(struct stream *s, int64_t now_ns)
{
	uint8_t segment[STREAM_HEAD + MSS];
	size_t len;
	int n = 0;

	while ((len = stream_emit(s, segment, sizeof(segment), now_ns))) {
		demand(len >= STREAM_HEAD && len <= sizeof(segment));
		/* Octet k of what is written is its sequence number. */
		for (size_t i = STREAM_HEAD; i < len; i++)
			demand(segment[i] == (uint8_t)(get_be32(segment + 4) + (i - STREAM_HEAD)));
		demand(++n < 5000);
	}
	check(s);
}

static void receive(struct stream *s, const uint8_t *d, size_t len, int64_t now_ns)
{
	uint8_t segment[STREAM_HEAD + 256] = {d[0]};

	put_be32(segment + 4, s->expected + (uint32_t)(int8_t)d[1] * (d[0] & 0x80 ? 3000u : 1u));
	put_be32(segment + 8, (d[0] & 0x40 ? s->highest : s->unacked) + (uint32_t)(int8_t)d[2]);
	put_be32(segment + 12, (uint32_t)d[3] << (d[4] % 32));
	put_be32(segment + 16, d[5]);
	put_be32(segment + 20, (uint32_t)(now_ns / 1000000) - d[6]);
	memset(segment + STREAM_HEAD, 0x55, 256);
	stream_receive(s, segment, STREAM_HEAD + (len > 7 ? d[7] : 0), now_ns);
}

static void read_some(struct stream *s, size_t size)
{
	static uint8_t buf[4096];
	size_t n = stream_read(s, buf, size < sizeof(buf) ? size : sizeof(buf));

	for (size_t i = 0; i < n; i++)
		demand(buf[i] == 0x55);
}

static void write_some(struct stream *s, size_t size)
{
	uint8_t buf[4096];

	for (size_t i = 0; i < sizeof(buf); i++)
		buf[i] = (uint8_t)(s->end + i);
	stream_write(s, buf, size < sizeof(buf) ? size : sizeof(buf));
}

static void one_step(struct stream *s, const uint8_t *d, size_t len, int64_t now_ns)
{
	uint8_t raw[64] = {0};

	switch (d[0] % 8) {
	case 0:
		write_some(s, d[1] * 17u);
		break;
	case 1:
		read_some(s, d[1] * 17u);
		break;
	case 2:
		if (d[1] == 7)
			stream_end(s, now_ns);
		else if (d[1] == 8)
			stream_set_mss(s, 64u + d[2]);
		else if (d[1] == 9)
			stream_network_error(s, 1 + d[2]);
		break;
	case 3:
		memset(raw + STREAM_HEAD, 0x55, sizeof(raw) - STREAM_HEAD);
		memcpy(raw, d + 1, len - 1 < STREAM_HEAD ? len - 1 : STREAM_HEAD);
		stream_receive(s, raw, len - 1, now_ns);
		break;
	default:
		if (len >= 8)
			receive(s, d + 1, len - 1, now_ns);
	}
	check(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t call[STREAM_HEAD] = {1, [7] = 77, [14] = 1};
	struct stream s = {.state = STREAM_CLOSED};
	int64_t now_ns = 1000000000;

	if (size < 1)
		return 0;
	if (data[0] & 1)
		stream_connect(&s, 0xffffff80, MSS, now_ns);
	else
		demand(stream_answer(&s, call, sizeof(call), 0xffffff80, MSS, now_ns));
	/* The octets that are sent are their numbers: the first is that behind the SYN. */
	data++;
	size--;
	while (size >= 10) {
		size_t len = 8 + data[9] % 32;

		if (len > size - 2)
			len = size - 2;
		one_step(&s, data + 1, len, now_ns);
		now_ns += (int64_t)data[0] * 5000000;
		stream_tick(&s, now_ns);
		emit(&s, now_ns);
		data += 2 + len;
		size -= 2 + len;
	}
	stream_finish(&s);
	return 0;
}
