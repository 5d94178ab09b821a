/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Any frames into a node of Trellis. The input is a run of records: what, length, that many bytes;
 * as a frame, or as the payload of a packet of a neighbour with a good checksum. Whatever comes,
 * what the node sends can be read again, is from itself or has one hop less left than what came,
 * and fits the link.
 */
#include "vnet/trellis/node.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t mac[6] = {2, 0, 0, 0, 0, 1};
static const uint8_t theirs[6] = {2, 0, 0, 0, 0, 2};
static struct node n;
static struct trellis_address self;
static int hops_in; /* of what is being received; -1: nothing */

static void demand(bool true_)
{
	if (!true_)
		abort();
}

static void check_sent(void *ctx, unsigned nic, const uint8_t *frame, size_t len)
{
	struct trellis_packet p;

	demand(nic < 2 && len <= 1514 && trellis_packet_read(&p, frame, len));
	demand(!memcmp(frame + 6, mac, 6));
	if (!trellis_address_equal(&p.source, &self))
		demand(p.kind >= TRELLIS_DATAGRAM && p.hop_limit == hops_in - 1 && p.hop_limit > 0);
}

static void receive(unsigned nic, const uint8_t *frame, size_t len, int64_t now_ns)
{
	struct trellis_packet p;
	uint8_t again[70000];

	hops_in = -1;
	if (trellis_packet_read(&p, frame, len)) {
		hops_in = p.hop_limit;
		size_t m = trellis_packet_write(&p, frame, frame + 6, again, sizeof(again));

		demand(m && m <= len && !memcmp(again + 14, frame + 14, 5) &&
		       !memcmp(again + 20, frame + 20, m - 20));
	}
	node_receive(&n, nic, frame, len, now_ns);
}

/* A good packet of kind data[0] with what follows as its payload. */
static void receive_packet(const uint8_t *data, size_t len, int64_t now_ns)
{
	static const char *const names[] = {"/a", "/b", "/c/d", "/self"};
	static const uint8_t kinds[] = {1, 2, 3, 16, 17, 18};
	uint8_t frame[600];
	struct trellis_packet p = {
		.kind = kinds[data[0] % 6],
		.hop_limit = data[1],
		.source_port = data[2],
		.destination_port = data[2] / 16,
		.payload = data + 3,
		.len = (uint16_t)(len - 3),
	};

	trellis_address_parse(&p.source, names[data[0] / 6 % 4]);
	trellis_address_parse(&p.destination, names[data[0] / 24 % 4]);
	size_t m = trellis_packet_write(&p, mac, theirs, frame, sizeof(frame));

	if (m)
		receive(data[1] & 1, frame, m, now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct node_options o = {
		.transit = true, .hello_ns = 1000000000, .refresh_ns = 20000000000};
	int64_t now_ns = 1000000000;

	memset(&n, 0, sizeof(n));
	trellis_address_parse(&self, "/self");
	o.address = self;
	n.send = check_sent;
	node_init(&n, &o, now_ns);
	node_set_nic(&n, 0, mac, 1500, true, now_ns);
	node_set_nic(&n, 1, mac, 200, true, now_ns);
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		if (data[0] % 4 == 0)
			receive(data[0] >> 7, data + 2, len, now_ns);
		else if (len >= 3)
			receive_packet(data + 2, len, now_ns);
		now_ns += (int64_t)(data[0] >> 2) * 50000000;
		hops_in = -1;
		node_tick(&n, now_ns);
		data += 2 + len;
		size -= 2 + len;
	}
	node_finish(&n);
	return 0;
}
