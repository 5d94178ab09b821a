/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The congestion mark of RFC 3168 in frames: where it stands, and how it is set. Up to two VLAN
 * tags may stand in front of the IP header, an outer and an inner one (802.1ad), as on real ports.
 * Frames whose sender does not take part, or that are no IP, are not marked but dropped by whoever
 * asked: that is what the answer is for.
 */
#include "substrate/cable/cable_aqm.h"
#include "substrate/cable/cable_dir.h"
#include "substrate/core/framing.h"

enum {
	ECN_NOT = 0,
	ECN_CE = 3,
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	IPV4_CHECKSUM = 10, /* offset in the header */
};

enum ip_version { IP_NONE, IP_V4, IP_V6 };

static unsigned read16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Finds the IP header behind up to two VLAN tags; *at gets its offset. */
static enum ip_version find_ip(enum link_framing framing, const uint8_t *data, uint32_t len,
			       uint32_t *at)
{
	uint32_t i = framing_header(framing) - 2;

	for (int tags = 0; tags < 2 && i + 2 <= len; tags++) {
		unsigned type = read16(data + i);

		if (type != 0x8100 && type != 0x88a8)
			break;
		i += 4;
	}
	if (i + 2 > len)
		return IP_NONE;
	*at = i + 2;
	if (read16(data + i) == 0x0800 && *at + IPV4_HEADER <= len && data[*at] >> 4 == 4)
		return IP_V4;
	if (read16(data + i) == 0x86dd && *at + IPV6_HEADER <= len && data[*at] >> 4 == 6)
		return IP_V6;
	return IP_NONE;
}

static unsigned get_ecn(const uint8_t *ip, enum ip_version v)
{
	return v == IP_V4 ? ip[1] & 3 : ip[1] >> 4 & 3;
}

bool cable_ecn_capable(enum link_framing framing, const uint8_t *data, uint32_t len)
{
	uint32_t at = 0;
	enum ip_version v = data ? find_ip(framing, data, len, &at) : IP_NONE;

	return v != IP_NONE && get_ecn(data + at, v) != ECN_NOT;
}

bool cable_mark_ce(enum link_framing framing, uint8_t *data, uint32_t len)
{
	uint32_t at = 0;
	enum ip_version v = find_ip(framing, data, len, &at);
	uint8_t *ip = data + at;

	if (v == IP_NONE || get_ecn(ip, v) == ECN_NOT)
		return false;
	/* IPv6 has no checksum of its header. */
	if (v == IP_V6) {
		ip[1] |= ECN_CE << 4;
		return true;
	}
	/* HC' = ~(~HC + ~m + m'), RFC 1624, equation 3 */
	unsigned old = read16(ip);

	ip[1] |= ECN_CE;
	unsigned sum = (~read16(ip + IPV4_CHECKSUM) & 0xffff) + (~old & 0xffff) + read16(ip);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	ip[IPV4_CHECKSUM] = (uint8_t)(~sum >> 8);
	ip[IPV4_CHECKSUM + 1] = (uint8_t)~sum;
	return true;
}
