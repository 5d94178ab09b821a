/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One table, one place for each hash, no chains: a station that collides with another takes its
 * place, and the other is learnt again with its next packet. So the table has a bound whatever is
 * sent, and no look into it takes longer than another.
 *
 * IPv4 addresses are kept as IPv6 maps them (RFC 4291, section 2.5.5.2): one table for both. What
 * is learnt is the address of the sender alone, from packets that it sends anyway; whoever lies
 * about it harms itself.
 */
#include "substrate/nic/stations.h"

#include "lib/rng.h"
#include "substrate/nic/arp_question.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <string.h>

enum {
	TYPE_AT = 12,
	NET_AT = 14, /* where the packet begins */
	ARP_LEN = NET_AT + 28,
	IPV4_MIN = NET_AT + 20,
	IPV6_MIN = NET_AT + 40,
	SOLICIT_LEN = IPV6_MIN + 24,     /* without options */
	ADVERTISE_LEN = SOLICIT_LEN + 8, /* with the target's link-layer address */
};

static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

static unsigned type_of(const uint8_t *frame, size_t len)
{
	return len >= NET_AT ? (unsigned)frame[TYPE_AT] << 8 | frame[TYPE_AT + 1] : 0;
}

static void map(uint8_t to[16], const uint8_t v4[4])
{
	memcpy(to, mapped, sizeof(mapped));
	memcpy(to + 12, v4, 4);
}

/* The source (or destination) of an IP packet. False if the frame holds none. */
static bool get_address(const uint8_t *frame, size_t len, bool source, uint8_t addr[16])
{
	switch (type_of(frame, len)) {
	case ETHERTYPE_IP:
		if (len < IPV4_MIN)
			return false;
		map(addr, frame + NET_AT + (source ? 12 : 16));
		return true;
	case ETHERTYPE_IPV6:
		if (len < IPV6_MIN)
			return false;
		memcpy(addr, frame + NET_AT + (source ? 8 : 24), 16);
		return true;
	default:
		return false;
	}
}

static size_t place_of(const uint8_t addr[16])
{
	return hash_fnv1a(addr, 16, HASH_FNV1A_START) % STATIONS_MAX;
}

void stations_learn(struct stations *n, const uint8_t *frame, size_t len)
{
	uint8_t addr[16];

	if (!get_address(frame, len, true, addr) || frame[6] & 1)
		return;
	struct station *at = &n->at[place_of(addr)];

	memcpy(at->addr, addr, sizeof(at->addr));
	memcpy(at->mac, frame + 6, sizeof(at->mac));
	at->known = true;
}

static const struct station *find(const struct stations *n, const uint8_t addr[16])
{
	const struct station *at = &n->at[place_of(addr)];

	return at->known && !memcmp(at->addr, addr, 16) ? at : NULL;
}

static void begin_answer(uint8_t *answer, const uint8_t *frame, const struct station *who)
{
	memcpy(answer, frame + 6, 6);
	memcpy(answer + 6, who->mac, 6);
	memcpy(answer + TYPE_AT, frame + TYPE_AT, 2);
}

static size_t answer_arp(const struct stations *n, const uint8_t *frame, uint8_t *answer)
{
	const uint8_t *arp = frame + NET_AT;
	uint8_t addr[16];

	map(addr, arp + 24);
	const struct station *who = find(n, addr);

	if (!who)
		return 0;
	begin_answer(answer, frame, who);
	memcpy(answer + NET_AT, arp, 8);
	answer[NET_AT + 7] = 2; /* a reply */
	memcpy(answer + NET_AT + 8, who->mac, 6);
	memcpy(answer + NET_AT + 14, arp + 24, 4);
	memcpy(answer + NET_AT + 18, arp + 8, 10);
	return ARP_LEN;
}

/* The checksum of ICMPv6 with its pseudo-header (RFC 8200, section 8.1), over `len` bytes of it. */
static uint16_t icmp6_sum(const uint8_t *packet, uint32_t len)
{
	uint32_t sum = len + IPPROTO_ICMPV6;

	for (uint32_t i = 8; i < 40 + len; i += 2)
		sum += (uint32_t)packet[i] << 8 | packet[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t answer_solicitation(const struct stations *n, const uint8_t *frame, uint8_t *answer)
{
	const uint8_t *ip = frame + NET_AT;
	const uint8_t *target = ip + 48;
	const struct station *who = find(n, target);
	uint8_t *p = answer + NET_AT;

	if (!who || ip[6] != IPPROTO_ICMPV6 || ip[40] != ND_NEIGHBOR_SOLICIT)
		return 0;
	memset(answer, 0, ADVERTISE_LEN);
	begin_answer(answer, frame, who);
	p[0] = 0x60;
	p[5] = ADVERTISE_LEN - IPV6_MIN;
	p[6] = IPPROTO_ICMPV6;
	p[7] = 255; /* hop limit: a router would have lowered it (RFC 4861, 7.1.2) */
	memcpy(p + 8, target, 16);
	memcpy(p + 24, ip + 8, 16);
	p[40] = ND_NEIGHBOR_ADVERT;
	p[44] = 0x60; /* solicited, override */
	memcpy(p + 48, target, 16);
	p[64] = ND_OPT_TARGET_LINKADDR;
	p[65] = 1;
	memcpy(p + 66, who->mac, 6);
	uint16_t sum = icmp6_sum(p, ADVERTISE_LEN - IPV6_MIN);

	p[42] = (uint8_t)(sum >> 8);
	p[43] = (uint8_t)sum;
	return ADVERTISE_LEN;
}

size_t stations_answer(const struct stations *n, const uint8_t *frame, size_t len,
		       uint8_t answer[STATIONS_ANSWER_MAX])
{
	unsigned type = type_of(frame, len);

	if (arp_is_request(frame, len))
		return answer_arp(n, frame, answer);
	if (type == ETHERTYPE_IPV6 && len >= SOLICIT_LEN)
		return answer_solicitation(n, frame, answer);
	return 0;
}

/*
 * Addresses by which a connection of libslirp's would end at this machine itself: 127.0.0.0/8, and
 * 0.0.0.0/8, of which Linux takes 0.0.0.0 for the loopback; :: and ::1; and all of IPv4 in the form
 * of IPv6, behind which these could hide.
 */
bool stations_is_loopback(const uint8_t *frame, size_t len)
{
	static const uint8_t zero[16];
	uint8_t addr[16];

	if (!get_address(frame, len, false, addr))
		return false;
	if (type_of(frame, len) == ETHERTYPE_IP)
		return addr[12] == 127 || addr[12] == 0;
	return !memcmp(addr, mapped, sizeof(mapped)) || (!memcmp(addr, zero, 15) && addr[15] <= 1);
}
