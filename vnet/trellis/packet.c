/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Everything that is read is bounded by what is there before it is looked at, and a packet whose
 * CRC is wrong is none. The hop limit is left out of the CRC, or each hop would have to compute it
 * anew.
 */
#include "vnet/trellis/packet.h"

#include "lib/octets.h"

#include <string.h>

enum { ETHERNET = 14, AT_KIND = 15, AT_LEN = 16, AT_HOPS = 18, AT_PORTS = 20, AT_CRC = 24 };

/* CRC-32C (Castagnoli), bit by bit reflected; RFC 3720, appendix B.4, has test vectors. */
uint32_t trellis_crc(uint32_t crc, const uint8_t *data, size_t len)
{
	static uint32_t table[256]; /* the same whoever fills it */

	if (!table[1])
		for (uint32_t i = 256; i-- > 0;) {
			uint32_t c = i;

			for (int k = 0; k < 8; k++)
				c = c & 1 ? c >> 1 ^ 0x82f63b78 : c >> 1;
			table[i] = c;
		}
	crc = ~crc;
	for (size_t i = 0; i < len; i++)
		crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xff];
	return ~crc;
}

/* Hop limit and CRC count as zeros. */
static uint32_t crc_of(const uint8_t *frame, size_t end)
{
	static const uint8_t zeros[4];
	uint32_t crc = trellis_crc(0, frame + ETHERNET, AT_HOPS - ETHERNET);

	crc = trellis_crc(crc, zeros, 1);
	crc = trellis_crc(crc, frame + AT_HOPS + 1, AT_CRC - AT_HOPS - 1);
	crc = trellis_crc(crc, zeros, 4);
	return trellis_crc(crc, frame + TRELLIS_HEAD, end - TRELLIS_HEAD);
}

/*
 * The ports stand in front of the addresses, at a fixed place, so that packet filters find them
 * without knowing how long the addresses are.
 */
bool trellis_packet_read(struct trellis_packet *p, const uint8_t *frame, size_t len)
{
	size_t at = TRELLIS_HEAD;

	if (len < TRELLIS_HEAD || get_be16(frame + 12) != TRELLIS_ETHERTYPE ||
	    frame[ETHERNET] != TRELLIS_VERSION)
		return false;
	p->kind = frame[AT_KIND];
	p->len = get_be16(frame + AT_LEN);
	p->hop_limit = frame[AT_HOPS];
	p->source_port = get_be16(frame + AT_PORTS);
	p->destination_port = get_be16(frame + AT_PORTS + 2);
	size_t n = trellis_address_read(&p->destination, frame + at, len - at);

	at += n;
	size_t m = n ? trellis_address_read(&p->source, frame + at, len - at) : 0;

	at += m;
	if (!n || !m || len - at < p->len)
		return false;
	p->payload = frame + at;
	return crc_of(frame, at + p->len) == get_be32(frame + AT_CRC);
}

size_t trellis_packet_overhead(const struct trellis_address *destination,
			       const struct trellis_address *source)
{
	return TRELLIS_HEAD - ETHERNET + 2u + destination->len + source->len;
}

/* The payload may lie in the same buffer as the frame that is written: hence memmove(). */
size_t trellis_packet_write(const struct trellis_packet *p, const uint8_t to[6],
			    const uint8_t from[6], uint8_t *frame, size_t room)
{
	size_t at = TRELLIS_HEAD;

	if (room < ETHERNET + trellis_packet_overhead(&p->destination, &p->source) + p->len)
		return 0;
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	put_be16(frame + 12, TRELLIS_ETHERTYPE);
	frame[ETHERNET] = TRELLIS_VERSION;
	frame[AT_KIND] = p->kind;
	put_be16(frame + AT_LEN, p->len);
	frame[AT_HOPS] = p->hop_limit;
	frame[AT_HOPS + 1] = 0;
	put_be16(frame + AT_PORTS, p->source_port);
	put_be16(frame + AT_PORTS + 2, p->destination_port);
	at += trellis_address_write(&p->destination, frame + at, room - at);
	at += trellis_address_write(&p->source, frame + at, room - at);
	if (p->len)
		memmove(frame + at, p->payload, p->len);
	put_be32(frame + AT_CRC, crc_of(frame, at + p->len));
	return at + p->len;
}

bool trellis_error_read(struct trellis_error *e, const uint8_t *payload, size_t len)
{
	if (len < 8 || payload[0] < TRELLIS_ERROR_ROUTE || payload[0] > TRELLIS_ERROR_PORT)
		return false;
	e->code = (enum trellis_error_code)payload[0];
	e->kind = payload[1];
	e->mtu = get_be16(payload + 2);
	e->source_port = get_be16(payload + 4);
	e->destination_port = get_be16(payload + 6);
	return trellis_address_read(&e->destination, payload + 8, len - 8) != 0;
}

size_t trellis_error_write(const struct trellis_error *e, uint8_t *payload, size_t room)
{
	if (room < 8)
		return 0;
	payload[0] = (uint8_t)e->code;
	payload[1] = e->kind;
	put_be16(payload + 2, e->mtu);
	put_be16(payload + 4, e->source_port);
	put_be16(payload + 6, e->destination_port);
	size_t n = trellis_address_write(&e->destination, payload + 8, room - 8);

	return n ? 8 + n : 0;
}

const char *trellis_error_text(enum trellis_error_code code)
{
	switch (code) {
	case TRELLIS_ERROR_ROUTE:
		return "nobody knows the way";
	case TRELLIS_ERROR_HOPS:
		return "the hop limit is used up";
	case TRELLIS_ERROR_SIZE:
		return "too long for a link on the way";
	case TRELLIS_ERROR_PORT:
		return "nobody there has that port";
	}
	return "unknown error";
}
