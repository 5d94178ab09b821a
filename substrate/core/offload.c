/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that leaves the checksum to its NIC writes the sum of the pseudo-header into the field
 * and says where the field is; the sum over all from there on, field included, is then the checksum
 * (linux/skbuff.h, CHECKSUM_PARTIAL). One that leaves cutting to it sends a TCP segment of up to 64
 * KiB, with headers as for one packet, and says how much payload fits in a frame.
 *
 * Between two guests of a lab nobody can tell whether that was done: a frame that was never on a
 * wire needs no checksum, and a receiver that takes long segments would put together again what was
 * cut (as real machines do, with TSO and GRO). So a frame travels as the guest gave it, with a note
 * of what is left to do (struct offload), until somebody could tell: a cable that does something to
 * frames, a capture, a NIC that takes no such frames. What the guest says is checked when the frame
 * is taken, against a copy of the headers that it cannot change any more: nothing later reads or
 * writes outside of the frame, whatever it said.
 *
 * Cutting is what the kernel does in software (tcp_gso_segment(), inet_gso_segment()): each frame
 * gets the headers, a length, an IPv4 identification that counts up, its sequence number; FIN and
 * PSH are for the last one, CWR for the first (RFC 3168, section 6.1.2).
 */
#include "substrate/core/offload.h"

#include <string.h>

enum {
	MAC_BYTES = 12,
	TAG_BYTES = 4,
	IPV4_BYTES = 20,
	IPV6_BYTES = 40,
	TCP_BYTES = 20,
	TCP_CSUM = 16, /* of the TCP header */
	TCP_FLAGS = 13,
	UDP_BYTES = 8,
	UDP_CSUM = 6, /* of the UDP header */
	TCP_FIN = 0x01,
	TCP_PSH = 0x08,
	TCP_CWR = 0x80,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	TYPE_VLAN = 0x8100,
};

#define BIT(n) (UINT64_C(1) << (n))

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t value)
{
	p[0] = (uint8_t)(value >> 8);
	p[1] = (uint8_t)value;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static void put32(uint8_t *p, uint32_t value)
{
	put16(p, value >> 16);
	put16(p + 2, value);
}

uint64_t offload_features(void)
{
	return BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4) | BIT(VIRTIO_NET_F_HOST_TSO6) |
	       BIT(VIRTIO_NET_F_HOST_ECN) | BIT(VIRTIO_NET_F_GUEST_CSUM) |
	       BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |
	       BIT(VIRTIO_NET_F_GUEST_ECN);
}

uint16_t offload_taken(uint64_t features)
{
	unsigned taken = 0;

	/* A receiver that does not merge buffers has none that are long enough. */
	if (!(features & BIT(VIRTIO_NET_F_GUEST_CSUM)))
		return 0;
	taken |= OFFLOAD_CSUM;
	if (!(features & BIT(VIRTIO_NET_F_MRG_RXBUF)))
		return (uint16_t)taken;
	if (features & BIT(VIRTIO_NET_F_GUEST_TSO4))
		taken |= OFFLOAD_TCP4;
	if (features & BIT(VIRTIO_NET_F_GUEST_TSO6))
		taken |= OFFLOAD_TCP6;
	if (features & BIT(VIRTIO_NET_F_GUEST_ECN))
		taken |= OFFLOAD_ECN;
	return (uint16_t)taken;
}

/* Where the network header begins, behind all VLAN tags, and its type; 0: there is none. */
static uint32_t find_network(const uint8_t *data, uint32_t len, uint16_t *type)
{
	uint32_t at = MAC_BYTES;

	*type = 0;
	while (at + TAG_BYTES <= len && get16(data + at) == TYPE_VLAN)
		at += TAG_BYTES;
	if (at + 2 > len)
		return 0;
	*type = get16(data + at);
	return at + 2;
}

/*
 * Where the header behind IPv4 or IPv6 begins, and of which protocol it is; 0: there is none, or
 * another is in between.
 */
static uint32_t find_transport(const uint8_t *data, uint32_t len, uint32_t ip, uint16_t type,
			       uint8_t *protocol)
{
	if (type == TYPE_IPV6 && ip + IPV6_BYTES <= len && data[ip] >> 4 == 6) {
		*protocol = data[ip + 6];
		return ip + IPV6_BYTES;
	}
	if (type != TYPE_IPV4 || ip + IPV4_BYTES > len || data[ip] >> 4 != 4)
		return 0;
	uint32_t ip_len = (data[ip] & 15u) * 4;

	/* A fragment has no such header, or only a part of what belongs to it. */
	if (ip_len < IPV4_BYTES || get16(data + ip + 6) & 0x3fff)
		return 0;
	*protocol = data[ip + 9];
	return ip + ip_len;
}

/* Where the TCP header begins; 0: there is none, or it is not where TCP of that kind has it. */
static uint32_t find_tcp(const uint8_t *data, uint32_t len, uint16_t want)
{
	uint16_t type;
	uint8_t protocol = 0;
	uint32_t ip = find_network(data, len, &type);
	uint32_t tcp = ip && type == want ? find_transport(data, len, ip, type, &protocol) : 0;

	return protocol == PROTOCOL_TCP ? tcp : 0;
}

/* How long everything in front of the payload is, by the length that the TCP header says it has. */
static uint32_t header_of(const uint8_t *data, uint32_t tcp)
{
	return tcp + (data[tcp + 12] >> 4) * 4u;
}

/* To be cut into frames with `segment` bytes of payload each. False: it cannot be. */
static bool set_cut(struct offload *o, uint16_t kind, uint32_t tcp, uint32_t header,
		    uint32_t segment, uint32_t len)
{
	if (header < tcp + TCP_BYTES || header > OFFLOAD_HEADER_MAX || header >= len ||
	    segment < OFFLOAD_SEGMENT_MIN)
		return false;
	uint32_t segments = (len - header + segment - 1) / segment;

	if (segments > OFFLOAD_SEGMENTS_MAX)
		return false;
	o->flags |= kind;
	o->segment = (uint16_t)segment;
	o->segments = (uint16_t)segments;
	o->header = (uint16_t)header;
	return true;
}

static bool read_cut(const struct virtio_net_hdr *h, uint16_t kind, const uint8_t *data,
		     uint32_t len, struct offload *o)
{
	uint32_t have = len < OFFLOAD_HEADER_MAX ? len : OFFLOAD_HEADER_MAX;
	uint32_t tcp = find_tcp(data, have, kind == OFFLOAD_TCP4 ? TYPE_IPV4 : TYPE_IPV6);

	if (!tcp || tcp + TCP_BYTES > have || h->csum_start != tcp || h->csum_offset != TCP_CSUM)
		return false;
	return set_cut(o, kind, tcp, header_of(data, tcp), h->gso_size, len);
}

bool offload_read(const struct virtio_net_hdr *h, uint64_t features, const uint8_t *data,
		  uint32_t len, struct offload *o)
{
	static const struct {
		uint8_t gso;
		uint16_t kind;
		unsigned feature;
	} kinds[] = {
		{VIRTIO_NET_HDR_GSO_TCPV4, OFFLOAD_TCP4, VIRTIO_NET_F_HOST_TSO4},
		{VIRTIO_NET_HDR_GSO_TCPV6, OFFLOAD_TCP6, VIRTIO_NET_F_HOST_TSO6},
	};
	uint8_t gso = h->gso_type & (uint8_t)~VIRTIO_NET_HDR_GSO_ECN;

	memset(o, 0, sizeof(*o));
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		if (!(features & BIT(VIRTIO_NET_F_CSUM)) ||
		    (uint32_t)h->csum_start + h->csum_offset + 2 > len)
			return false;
		o->flags = OFFLOAD_CSUM;
		o->csum_start = h->csum_start;
		o->csum_offset = h->csum_offset;
	}
	if (h->gso_type == VIRTIO_NET_HDR_GSO_NONE)
		return true;
	if (!o->flags)
		return false;
	if (h->gso_type & VIRTIO_NET_HDR_GSO_ECN) {
		if (!(features & BIT(VIRTIO_NET_F_HOST_ECN)))
			return false;
		o->flags |= OFFLOAD_ECN;
	}
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (kinds[i].gso == gso && features & BIT(kinds[i].feature))
			return read_cut(h, kinds[i].kind, data, len, o);
	return false;
}

void offload_write(const struct offload *o, struct virtio_net_hdr *h)
{
	memset(h, 0, sizeof(*h));
	/* All zero: nothing is left to do, and the checksum is right. */
	if (!(o->flags & OFFLOAD_CSUM))
		return;
	h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	h->csum_start = o->csum_start;
	h->csum_offset = o->csum_offset;
	if (!o->segment)
		return;
	h->gso_type = o->flags & OFFLOAD_TCP4 ? VIRTIO_NET_HDR_GSO_TCPV4 : VIRTIO_NET_HDR_GSO_TCPV6;
	if (o->flags & OFFLOAD_ECN)
		h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	h->gso_size = o->segment;
	h->hdr_len = o->header;
}

/*
 * The sum of RFC 1071 in the order of this machine, eight bytes at a time (section 2, C: parallel
 * summation); folded to 16 bits, not complemented.
 */
static uint32_t sum_bytes(const uint8_t *p, uint32_t len, uint64_t sum)
{
	uint64_t word;
	uint64_t last = 0;

	for (; len >= sizeof(word); p += sizeof(word), len -= (uint32_t)sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		sum += word;
		sum += sum < word;
	}
	memcpy(&last, p, len);
	sum += last;
	sum += sum < last;
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint32_t)sum;
}

/* To where it is stored. UDP sends 0 in its other form, since 0 says that there is no sum. */
static void put_sum(uint8_t *to, uint32_t sum, bool is_udp)
{
	uint16_t value = (uint16_t)~sum;

	if (!value && is_udp)
		value = 0xffff;
	memcpy(to, &value, sizeof(value));
}

void offload_sum(const struct offload *o, uint8_t *data, uint32_t len)
{
	/* The field holds the sum of the pseudo-header already. */
	put_sum(data + o->csum_start + o->csum_offset,
		sum_bytes(data + o->csum_start, len - o->csum_start, 0),
		o->csum_offset == UDP_CSUM);
}

uint32_t offload_segment_len(const struct offload *o, uint32_t len, unsigned i)
{
	uint32_t left = len - o->header - i * o->segment;

	return o->header + (left < o->segment ? left : o->segment);
}

/* Length, identification and checksum of the i-th IPv4 header. */
static void cut_ipv4(uint8_t *ip, uint32_t ip_len, uint32_t total, unsigned i)
{
	put16(ip + 2, total);
	put16(ip + 4, get16(ip + 4) + i);
	memset(ip + 10, 0, 2);
	uint16_t sum = (uint16_t)~sum_bytes(ip, ip_len, 0);

	memcpy(ip + 10, &sum, sizeof(sum));
}

/* RFC 793, section 3.1; RFC 8200, section 8.1: addresses, protocol, length. */
static uint32_t sum_pseudo(const uint8_t *ip, bool is_v4, uint8_t protocol, uint32_t len)
{
	uint8_t rest[8] = {0};

	put32(rest, len);
	rest[7] = protocol;
	return sum_bytes(is_v4 ? ip + 12 : ip + 8, is_v4 ? 8 : 32, sum_bytes(rest, 8, 0));
}

void offload_cut(const struct offload *o, const uint8_t *data, uint32_t len, unsigned i,
		 uint8_t *out)
{
	uint32_t out_len = offload_segment_len(o, len, i);
	bool is_v4 = o->flags & OFFLOAD_TCP4;
	bool is_last = i + 1u == o->segments;
	uint32_t tcp_len = out_len - o->csum_start;
	uint16_t type;
	uint32_t at = find_network(data, len, &type);
	uint8_t *ip = out + at;
	uint8_t *tcp = out + o->csum_start;

	memcpy(out, data, o->header);
	memcpy(out + o->header, data + o->header + i * o->segment, out_len - o->header);
	if (is_v4)
		cut_ipv4(ip, o->csum_start - at, out_len - at, i);
	else
		put16(ip + 4, out_len - at - IPV6_BYTES);
	put32(tcp + 4, get32(tcp + 4) + i * o->segment);
	if (!is_last)
		tcp[TCP_FLAGS] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
	if (i)
		tcp[TCP_FLAGS] &= (uint8_t)~TCP_CWR;
	/* What stands there is the sum of the pseudo-header of the long segment. */
	memset(tcp + TCP_CSUM, 0, 2);
	put_sum(tcp + TCP_CSUM,
		sum_bytes(tcp, tcp_len, sum_pseudo(ip, is_v4, PROTOCOL_TCP, tcp_len)), false);
}

/* A TCP segment that is longer than a packet of mtu bytes, which begins at ip. */
static void find_cut(const uint8_t *data, uint32_t len, uint32_t ip, bool is_v4, uint32_t mtu,
		     struct offload *o)
{
	uint32_t header = header_of(data, o->csum_start);
	uint32_t segment = ip + mtu > header ? ip + mtu - header : 0;

	set_cut(o, is_v4 ? OFFLOAD_TCP4 : OFFLOAD_TCP6, o->csum_start, header, segment, len);
}

void offload_find(uint8_t *data, uint32_t len, uint32_t mtu, struct offload *o)
{
	uint16_t type;
	uint8_t protocol = 0;
	uint32_t ip = find_network(data, len, &type);
	uint32_t at = ip ? find_transport(data, len, ip, type, &protocol) : 0;
	bool is_v4 = type == TYPE_IPV4;
	bool is_tcp = protocol == PROTOCOL_TCP;
	uint16_t offset = is_tcp ? TCP_CSUM : UDP_CSUM;

	memset(o, 0, sizeof(*o));
	if (!at || (!is_tcp && protocol != PROTOCOL_UDP) ||
	    at + (is_tcp ? TCP_BYTES : UDP_BYTES) > len)
		return;
	/* What is padded came over a wire, where nothing is left to do. */
	uint32_t said = is_v4 ? get16(data + ip + 2) : (uint32_t)get16(data + ip + 4) + IPV6_BYTES;

	if (len - ip != said)
		return;
	uint16_t pseudo = (uint16_t)sum_pseudo(data + ip, is_v4, protocol, len - at);
	/* No sum over the data yet: it was never on a wire. */
	bool is_left = memcmp(data + at + offset, &pseudo, sizeof(pseudo)) == 0;

	o->csum_start = (uint16_t)at;
	o->csum_offset = offset;
	if (is_tcp && len - ip > mtu)
		find_cut(data, len, ip, is_v4, mtu, o);
	if (!o->segments && !is_left) {
		memset(o, 0, sizeof(*o));
		return;
	}
	o->flags |= OFFLOAD_CSUM;
	memcpy(data + at + offset, &pseudo, sizeof(pseudo));
}
