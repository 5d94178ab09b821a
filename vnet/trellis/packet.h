/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Packets of Trellis in Ethernet frames of type 0x88b6 (IEEE 802 local experimental 2). Numbers are
 * in network order:
 *
 *   octet of the frame
 *   14  version, 1
 *   15  kind
 *   16  length of the payload (2); what follows in the frame is padding
 *   18  hop limit
 *   19  0
 *   20  source port (2)
 *   22  destination port (2)
 *   24  CRC-32C (4) of all from 14 to the end of the payload, hop limit and CRC taken as 0
 *   28  destination: its length (1), its labels
 *   ..  source: its length (1), its labels
 *   ..  payload
 *
 * The destination comes first so that a packet filter finds it, and whatever it wants to compare of
 * a packet whose destination it knows, at fixed places.
 */
#ifndef VNET_TRELLIS_PACKET_H
#define VNET_TRELLIS_PACKET_H

#include "vnet/trellis/address.h"

enum {
	TRELLIS_ETHERTYPE = 0x88b6,
	TRELLIS_VERSION = 1,
	TRELLIS_HEAD = 28, /* octets before the destination */
	TRELLIS_HOPS = 32, /* hop limit of what sets out */
	TRELLIS_PACKET_MAX = 65535,
};

enum trellis_kind {
	TRELLIS_HELLO = 1, /* to the neighbours on a link */
	TRELLIS_STATE = 2, /* link states, hop by hop */
	TRELLIS_STATE_ACK = 3,
	TRELLIS_DATAGRAM = 16,
	TRELLIS_STREAM = 17,
	TRELLIS_ERROR = 18, /* a packet could not be delivered */
};

enum trellis_error_code {
	TRELLIS_ERROR_ROUTE = 1, /* nobody knows the way */
	TRELLIS_ERROR_HOPS = 2,  /* the hop limit is used up */
	TRELLIS_ERROR_SIZE = 3,  /* too long for a link on the way */
	TRELLIS_ERROR_PORT = 4,  /* nobody there has that port */
};

struct trellis_packet {
	uint8_t kind, hop_limit;
	uint16_t source_port, destination_port;
	struct trellis_address destination, source;
	const uint8_t *payload; /* borrowed: where it was read from, or is to be copied from */
	uint16_t len;
};

/* Reads a frame, head and all. False: not a packet of ours, damaged, or cut short. */
bool trellis_packet_read(struct trellis_packet *p, const uint8_t *frame, size_t len);
/* Writes a whole frame: its length, or 0: no room. */
size_t trellis_packet_write(const struct trellis_packet *p, const uint8_t to[6],
			    const uint8_t from[6], uint8_t *frame, size_t room);
/* How many octets a packet takes besides its payload, without the 14 of the Ethernet header. */
size_t trellis_packet_overhead(const struct trellis_address *destination,
			       const struct trellis_address *source);
/* CRC-32C (RFC 3720, section 12.1), begun with 0; in pieces: the last result goes in again. */
uint32_t trellis_crc(uint32_t crc, const uint8_t *data, size_t len);

/* The payload of an error: what it is about (without payload), and what fits if it was too long. */
struct trellis_error {
	enum trellis_error_code code;
	uint16_t mtu; /* TRELLIS_ERROR_SIZE: octets behind the Ethernet header */
	uint8_t kind;
	uint16_t source_port, destination_port;
	struct trellis_address destination;
};
bool trellis_error_read(struct trellis_error *e, const uint8_t *payload, size_t len);
size_t trellis_error_write(const struct trellis_error *e, uint8_t *payload, size_t room);
/* "no way there", ... */
const char *trellis_error_text(enum trellis_error_code code);

#endif
