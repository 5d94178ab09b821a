/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a substrate link puts in front of a frame of a virtual link, and how a frame on a wire is
 * told apart (docs/substrate.md, "On the wire"; Kuhns, Wilson, Turner, sections III.3 and IV.B).
 * Pure.
 *
 * Ethernet: addresses, [802.1Q tag], type 0x88b5, VLI (4), length (2).
 * UDP: addresses, type 0x0800, IPv4, UDP, VLI (4).
 */
#ifndef SUBSTRATE_SENCAP_H
#define SUBSTRATE_SENCAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sencap_kind { SENCAP_ETHERNET, SENCAP_UDP };

enum {
	SENCAP_TYPE = 0x88b5, /* IEEE 802 local experimental ethertype 1 */
	SENCAP_PORT = 34997,  /* UDP, at both ends */
	SENCAP_MAX = 46,      /* octets in front of a frame, at most */
	SENCAP_VLI_UDP = 4,   /* what is in front of it in a datagram: the VLI alone */
	/*
	 * What a frame of a virtual link counts for beyond its own octets, on all hops alike: as
	 * much as any encapsulation takes. With less, small frames would take more of a wire than
	 * counted.
	 */
	VLINK_OVERHEAD = SENCAP_MAX,
	VLI_CONTROL = 0,
	VLI_FIRST = 16, /* those below are reserved */
};

enum sencap_drop {
	SENCAP_GOOD,
	SENCAP_LEGACY,     /* ordinary traffic: not ours */
	SENCAP_BAD_LENGTH, /* shorter than its headers or than it says */
	SENCAP_BAD_IP,     /* a damaged IPv4 or UDP header, or a fragment */
	SENCAP_DROPS,
};
const char *sencap_drop_name(enum sencap_drop why);

/* The headers of a frame on a wire. */
struct sencap {
	enum sencap_kind kind;
	uint8_t to[6], from[6];
	int vlan;         /* -1: no tag */
	uint8_t priority; /* 0 to 7, of the tag */
	uint32_t to_ip, from_ip;
	uint32_t vli;
};

/*
 * Reads the headers of a frame of len octets that came to an interface with that encapsulation. The
 * frame of the virtual link is the payload_len octets at *payload.
 */
enum sencap_drop sencap_read(enum sencap_kind kind, const uint8_t *data, size_t len,
			     struct sencap *h, const uint8_t **payload, size_t *payload_len);
/* Octets that sencap_write() puts in front. */
uint32_t sencap_size(const struct sencap *h);
/* Writes the headers in front of payload_len octets; at has room for sencap_size(). */
void sencap_write(uint8_t *at, const struct sencap *h, size_t payload_len);
/*
 * The longest frame of a virtual link that fits a wire on which a packet (without Ethernet header
 * and VLAN tag, as mtu of a cable counts) may have mtu octets.
 */
uint32_t sencap_room(enum sencap_kind kind, uint32_t mtu);

#endif
