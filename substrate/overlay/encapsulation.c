/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Whatever is on a wire can be forged or damaged: no length is believed before it was checked
 * against what is there. Frames of less than 60 octets come padded, so where the payload ends is
 * said by the headers, not by the frame.
 */
#include "substrate/overlay/encapsulation.h"

#include "lib/octets.h"

#include <string.h>

enum {
	ETHERNET = 14,
	TAG = 4,
	TYPE_TAG = 0x8100,
	TYPE_IPV4 = 0x0800,
	HEAD = 6, /* VLI, length */
	IPV4 = 20,
	UDP = 8,
	PROTOCOL_UDP = 17,
	TTL = 64,
	DONT_FRAGMENT = 0x4000,
	FRAGMENT = 0x3fff, /* more fragments, or an offset */
};

/* RFC 1071. Over a header that contains a right checksum it is 0. */
static uint16_t checksum(const uint8_t *data, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += get_be16(data + i);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* p: behind the ethertype. */
static enum encapsulation_drop read_ethernet(const uint8_t *p, size_t len, struct encapsulation *h,
					     const uint8_t **payload, size_t *payload_len)
{
	if (len < HEAD || get_be16(p + 4) > len - HEAD)
		return ENCAPSULATION_BAD_LENGTH;
	h->vli = get_be32(p);
	*payload = p + HEAD;
	*payload_len = get_be16(p + 4);
	return ENCAPSULATION_GOOD;
}

static enum encapsulation_drop read_ipv4(const uint8_t *p, size_t len, struct encapsulation *h,
					 const uint8_t **payload, size_t *payload_len)
{
	if (len < IPV4 || p[9] != PROTOCOL_UDP)
		return ENCAPSULATION_LEGACY;
	size_t head = (size_t)(p[0] & 15) * 4;
	size_t total = get_be16(p + 2);

	if (p[0] >> 4 != 4 || head < IPV4 || head > len || checksum(p, head))
		return ENCAPSULATION_BAD_IP;
	/* Ours are never fragmented (DF is set): a fragment is somebody's attempt. */
	if (get_be16(p + 6) & FRAGMENT)
		return ENCAPSULATION_BAD_IP;
	if (total > len || total < head + UDP)
		return ENCAPSULATION_BAD_LENGTH;
	const uint8_t *udp = p + head;

	if (get_be16(udp + 2) != ENCAPSULATION_PORT)
		return ENCAPSULATION_LEGACY;
	if (get_be16(udp + 4) != total - head || total - head < UDP + ENCAPSULATION_VLI_UDP)
		return ENCAPSULATION_BAD_LENGTH;
	h->from_ip = get_be32(p + 12);
	h->to_ip = get_be32(p + 16);
	h->vli = get_be32(udp + UDP);
	*payload = udp + UDP + ENCAPSULATION_VLI_UDP;
	*payload_len = total - head - UDP - ENCAPSULATION_VLI_UDP;
	return ENCAPSULATION_GOOD;
}

enum encapsulation_drop encapsulation_read(enum encapsulation_kind kind, const uint8_t *data,
					   size_t len, struct encapsulation *h,
					   const uint8_t **payload, size_t *payload_len)
{
	const uint8_t *p = data + ETHERNET;

	if (len < ETHERNET)
		return ENCAPSULATION_BAD_LENGTH;
	*h = (struct encapsulation){.kind = kind, .vlan = -1};
	memcpy(h->to, data, 6);
	memcpy(h->from, data + 6, 6);
	uint16_t type = get_be16(data + 12);

	if (type == TYPE_TAG && len >= ETHERNET + TAG) {
		h->vlan = get_be16(p) & 0xfff;
		h->priority = p[0] >> 5;
		type = get_be16(p + 2);
		p += TAG;
	}
	len -= (size_t)(p - data);
	if (kind == ENCAPSULATION_ETHERNET)
		return type == ENCAPSULATION_TYPE ? read_ethernet(p, len, h, payload, payload_len)
						  : ENCAPSULATION_LEGACY;
	return type == TYPE_IPV4 ? read_ipv4(p, len, h, payload, payload_len)
				 : ENCAPSULATION_LEGACY;
}

uint32_t encapsulation_size(const struct encapsulation *h)
{
	uint32_t tag = h->vlan >= 0 ? TAG : 0;

	return ETHERNET + tag +
	       (h->kind == ENCAPSULATION_ETHERNET ? HEAD : IPV4 + UDP + ENCAPSULATION_VLI_UDP);
}

static void write_ipv4(uint8_t *p, const struct encapsulation *h, size_t payload_len)
{
	memset(p, 0, IPV4 + UDP);
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)(IPV4 + UDP + ENCAPSULATION_VLI_UDP + payload_len));
	put_be16(p + 6, DONT_FRAGMENT);
	p[8] = TTL;
	p[9] = PROTOCOL_UDP;
	put_be32(p + 12, h->from_ip);
	put_be32(p + 16, h->to_ip);
	put_be16(p + 10, checksum(p, IPV4));
	p += IPV4;
	put_be16(p, ENCAPSULATION_PORT);
	put_be16(p + 2, ENCAPSULATION_PORT);
	put_be16(p + 4, (uint16_t)(UDP + ENCAPSULATION_VLI_UDP + payload_len));
	put_be32(p + UDP, h->vli); /* RFC 768: a checksum of 0 is none */
}

void encapsulation_write(uint8_t *at, const struct encapsulation *h, size_t payload_len)
{
	uint8_t *p = at + 12;

	memcpy(at, h->to, 6);
	memcpy(at + 6, h->from, 6);
	if (h->vlan >= 0) {
		put_be16(p, TYPE_TAG);
		put_be16(p + 2, (uint16_t)(h->priority << 13 | h->vlan));
		p += TAG;
	}
	put_be16(p, h->kind == ENCAPSULATION_ETHERNET ? ENCAPSULATION_TYPE : TYPE_IPV4);
	p += 2;
	if (h->kind == ENCAPSULATION_UDP) {
		write_ipv4(p, h, payload_len);
		return;
	}
	put_be32(p, h->vli);
	put_be16(p + 4, (uint16_t)payload_len);
}

/* The Ethernet header of the wire is not part of its MTU, those of IP and UDP are. */
uint32_t encapsulation_room(enum encapsulation_kind kind, uint32_t mtu)
{
	uint32_t more = kind == ENCAPSULATION_ETHERNET ? HEAD : IPV4 + UDP + ENCAPSULATION_VLI_UDP;

	return mtu > more ? mtu - more : 0;
}
