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
	PROTOCOL_GRE = 47,
	GRE = 8,               /* with a key, and neither checksum nor sequence number */
	GRE_KEY = 0x2000,      /* flags and version of such a one */
	GRE_ETHERNET = 0x6558, /* transparent Ethernet bridging */
	TYPE_MPLS = 0x8847,
	LABEL = 4,
	LABEL_BOTTOM = 0x100, /* of the stack */
	LABEL_MAX = 0xfffff,
	LABEL_CHANNEL = 13, /* generic associated channel */
	CONTROL_WORD = 4,
	WORD_LENGTH_MAX = 63, /* longer ones are said by the frame */
	CHANNEL = 0x10007ff8, /* associated channel header, experimental type (RFC 4446) */
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

static enum encapsulation_drop read_udp(const uint8_t *udp, size_t len, struct encapsulation *h,
					const uint8_t **payload, size_t *payload_len)
{
	if (len < UDP)
		return ENCAPSULATION_BAD_LENGTH;
	if (get_be16(udp + 2) != ENCAPSULATION_PORT)
		return ENCAPSULATION_LEGACY;
	if (get_be16(udp + 4) != len || len < UDP + ENCAPSULATION_VLI_UDP)
		return ENCAPSULATION_BAD_LENGTH;
	h->vli = get_be32(udp + UDP);
	*payload = udp + UDP + ENCAPSULATION_VLI_UDP;
	*payload_len = len - UDP - ENCAPSULATION_VLI_UDP;
	return ENCAPSULATION_GOOD;
}

/* A tunnel without a key, or of another protocol, is somebody else's. */
static enum encapsulation_drop read_gre(const uint8_t *p, size_t len, struct encapsulation *h,
					const uint8_t **payload, size_t *payload_len)
{
	if (len < GRE)
		return ENCAPSULATION_BAD_LENGTH;
	uint32_t vli = get_be32(p + 4);

	if (get_be16(p) != GRE_KEY ||
	    get_be16(p + 2) != (vli == VLI_CONTROL ? ENCAPSULATION_TYPE : GRE_ETHERNET))
		return ENCAPSULATION_LEGACY;
	h->vli = vli;
	*payload = p + GRE;
	*payload_len = len - GRE;
	return ENCAPSULATION_GOOD;
}

/*
 * One label, the last of its stack. Frames short enough to be padded have their length, with the
 * control word, in it; sequence numbers are not used.
 */
static enum encapsulation_drop read_mpls(const uint8_t *p, size_t len, struct encapsulation *h,
					 const uint8_t **payload, size_t *payload_len)
{
	if (len < LABEL + CONTROL_WORD)
		return ENCAPSULATION_BAD_LENGTH;
	uint32_t label = get_be32(p) >> 12;
	uint32_t word = get_be32(p + LABEL);
	size_t said = word >> 16 & WORD_LENGTH_MAX;
	size_t there = len - LABEL;
	bool is_control = label == LABEL_CHANNEL;

	if (!(get_be32(p) & LABEL_BOTTOM) || !(get_be32(p) & 0xff) ||
	    (is_control ? word != CHANNEL : label < VLI_FIRST || word >> 22 || word & 0xffff))
		return ENCAPSULATION_LEGACY;
	if (!is_control && said && (said < CONTROL_WORD || said > there))
		return ENCAPSULATION_BAD_LENGTH;
	h->vli = is_control ? VLI_CONTROL : label;
	*payload = p + LABEL + CONTROL_WORD;
	*payload_len = (is_control || !said ? there : said) - CONTROL_WORD;
	return ENCAPSULATION_GOOD;
}

static enum encapsulation_drop read_ipv4(const uint8_t *p, size_t len, struct encapsulation *h,
					 const uint8_t **payload, size_t *payload_len)
{
	if (len < IPV4 || p[9] != (h->kind == ENCAPSULATION_UDP ? PROTOCOL_UDP : PROTOCOL_GRE))
		return ENCAPSULATION_LEGACY;
	size_t head = (size_t)(p[0] & 15) * 4;
	size_t total = get_be16(p + 2);

	if (p[0] >> 4 != 4 || head < IPV4 || head > len || checksum(p, head))
		return ENCAPSULATION_BAD_IP;
	/* Ours are never fragmented (DF is set): a fragment is somebody's attempt. */
	if (get_be16(p + 6) & FRAGMENT)
		return ENCAPSULATION_BAD_IP;
	if (total > len || total < head)
		return ENCAPSULATION_BAD_LENGTH;
	h->from_ip = get_be32(p + 12);
	h->to_ip = get_be32(p + 16);
	return h->kind == ENCAPSULATION_UDP
		       ? read_udp(p + head, total - head, h, payload, payload_len)
		       : read_gre(p + head, total - head, h, payload, payload_len);
}

/* ---- all kinds ---- */

typedef enum encapsulation_drop read_fn(const uint8_t *p, size_t len, struct encapsulation *h,
					const uint8_t **payload, size_t *payload_len);
typedef void write_fn(uint8_t *p, const struct encapsulation *h, size_t payload_len);

static write_fn write_ethernet, write_udp, write_gre, write_mpls;

static const struct {
	const char *name;
	uint16_t type;
	bool has_ip;
	uint32_t size; /* behind the type */
	uint32_t max_vli;
	read_fn *read;
	write_fn *write;
} kinds[ENCAPSULATION_KINDS] = {
	[ENCAPSULATION_ETHERNET] = {"ethernet", ENCAPSULATION_TYPE, false, HEAD, UINT32_MAX,
				    read_ethernet, write_ethernet},
	[ENCAPSULATION_UDP] = {"udp", TYPE_IPV4, true, IPV4 + UDP + ENCAPSULATION_VLI_UDP,
			       UINT32_MAX, read_ipv4, write_udp},
	[ENCAPSULATION_GRE] = {"gre", TYPE_IPV4, true, IPV4 + GRE, UINT32_MAX, read_ipv4,
			       write_gre},
	[ENCAPSULATION_MPLS] = {"mpls", TYPE_MPLS, false, LABEL + CONTROL_WORD, LABEL_MAX,
				read_mpls, write_mpls},
};

const char *encapsulation_name(enum encapsulation_kind kind)
{
	return kinds[kind].name;
}

bool encapsulation_find(const char *name, enum encapsulation_kind *kind)
{
	for (int i = 0; i < ENCAPSULATION_KINDS; i++) {
		if (strcmp(kinds[i].name, name) != 0)
			continue;
		*kind = (enum encapsulation_kind)i;
		return true;
	}
	return false;
}

bool encapsulation_has_ip(enum encapsulation_kind kind)
{
	return kinds[kind].has_ip;
}

uint32_t encapsulation_max_vli(enum encapsulation_kind kind)
{
	return kinds[kind].max_vli;
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
	return type == kinds[kind].type ? kinds[kind].read(p, len, h, payload, payload_len)
					: ENCAPSULATION_LEGACY;
}

uint32_t encapsulation_size(const struct encapsulation *h)
{
	uint32_t tag = h->vlan >= 0 ? TAG : 0;

	return ETHERNET + tag + kinds[h->kind].size;
}

static void write_ethernet(uint8_t *p, const struct encapsulation *h, size_t payload_len)
{
	put_be32(p, h->vli);
	put_be16(p + 4, (uint16_t)payload_len);
}

static void write_ipv4(uint8_t *p, const struct encapsulation *h, uint8_t protocol, size_t len)
{
	memset(p, 0, IPV4);
	p[0] = 0x45;
	put_be16(p + 2, (uint16_t)(IPV4 + len));
	put_be16(p + 6, DONT_FRAGMENT);
	p[8] = TTL;
	p[9] = protocol;
	put_be32(p + 12, h->from_ip);
	put_be32(p + 16, h->to_ip);
	put_be16(p + 10, checksum(p, IPV4));
}

static void write_udp(uint8_t *p, const struct encapsulation *h, size_t payload_len)
{
	size_t len = UDP + ENCAPSULATION_VLI_UDP + payload_len;

	write_ipv4(p, h, PROTOCOL_UDP, len);
	p += IPV4;
	put_be16(p, ENCAPSULATION_PORT);
	put_be16(p + 2, ENCAPSULATION_PORT);
	put_be16(p + 4, (uint16_t)len);
	put_be16(p + 6, 0); /* RFC 768: no checksum */
	put_be32(p + UDP, h->vli);
}

static void write_gre(uint8_t *p, const struct encapsulation *h, size_t payload_len)
{
	write_ipv4(p, h, PROTOCOL_GRE, GRE + payload_len);
	p += IPV4;
	put_be16(p, GRE_KEY);
	put_be16(p + 2, h->vli == VLI_CONTROL ? ENCAPSULATION_TYPE : GRE_ETHERNET);
	put_be32(p + 4, h->vli);
}

static void write_mpls(uint8_t *p, const struct encapsulation *h, size_t payload_len)
{
	uint32_t label = h->vli == VLI_CONTROL ? LABEL_CHANNEL : h->vli;
	size_t len = CONTROL_WORD + payload_len;
	uint32_t word = len <= WORD_LENGTH_MAX ? (uint32_t)len << 16 : 0;

	put_be32(p, label << 12 | LABEL_BOTTOM | TTL);
	put_be32(p + LABEL, h->vli == VLI_CONTROL ? CHANNEL : word);
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
	put_be16(p, kinds[h->kind].type);
	kinds[h->kind].write(p + 2, h, payload_len);
}

/* The Ethernet header of the wire is not part of its MTU, what is behind it is. */
uint32_t encapsulation_room(enum encapsulation_kind kind, uint32_t mtu)
{
	return mtu > kinds[kind].size ? mtu - kinds[kind].size : 0;
}
