/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a substrate link puts in front of a frame of a virtual link, and how a frame on a wire is
 * told apart (docs/substrate.md, "On the wire"; Kuhns, Wilson, Turner, sections III.3 and IV.B).
 * Pure.
 *
 * Ethernet: addresses, [802.1Q tag], type 0x88b5, VLI (4), length (2).
 * UDP: addresses, type 0x0800, IPv4, UDP, VLI (4).
 * GRE: addresses, type 0x0800, IPv4, GRE with the VLI as its key (RFC 2784, RFC 2890). The protocol
 * is Ethernet (0x6558), for VLI 0 that of our messages (0x88b5). MPLS: addresses, type 0x8847, one
 * label (RFC 3032), which is the VLI, and a control word (RFC 4385, RFC 4448). VLI 0 is the
 * associated channel of the wire (RFC 5586): label 13, and a channel header of an experimental
 * type.
 */
#ifndef SUBSTRATE_OVERLAY_ENCAPSULATION_H
#define SUBSTRATE_OVERLAY_ENCAPSULATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum encapsulation_kind {
	ENCAPSULATION_ETHERNET,
	ENCAPSULATION_UDP,
	ENCAPSULATION_GRE,
	ENCAPSULATION_MPLS,
	ENCAPSULATION_KINDS,
};

enum {
	ENCAPSULATION_TYPE = 0x88b5, /* IEEE 802 local experimental ethertype 1 */
	ENCAPSULATION_PORT = 34997,  /* UDP, at both ends */
	ENCAPSULATION_MAX = 46,      /* octets in front of a frame, at most */
	ENCAPSULATION_VLI_UDP = 4,   /* what is in front of it in a datagram: the VLI alone */
	/*
	 * What a frame of a virtual link counts for beyond its own octets, on all hops alike: as
	 * much as any encapsulation takes. With less, small frames would take more of a wire than
	 * counted.
	 */
	VLINK_OVERHEAD = ENCAPSULATION_MAX,
	VLI_CONTROL = 0,
	VLI_FIRST = 16, /* those below are reserved */
};

enum encapsulation_drop {
	ENCAPSULATION_GOOD,
	ENCAPSULATION_LEGACY,     /* ordinary traffic: not ours */
	ENCAPSULATION_BAD_LENGTH, /* shorter than its headers or than it says */
	ENCAPSULATION_BAD_IP,     /* a damaged IPv4 header, or a fragment */
	ENCAPSULATION_DROPS,
};

/* "ethernet", "udp", "gre", "mpls"; false: there is none of that name. */
const char *encapsulation_name(enum encapsulation_kind kind);
bool encapsulation_find(const char *name, enum encapsulation_kind *kind);
/* True if the ends of the wire have IPv4 addresses. */
bool encapsulation_has_ip(enum encapsulation_kind kind);
/* The highest VLI that there is room for. */
uint32_t encapsulation_max_vli(enum encapsulation_kind kind);

/* The headers of a frame on a wire. */
struct encapsulation {
	enum encapsulation_kind kind;
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
enum encapsulation_drop encapsulation_read(enum encapsulation_kind kind, const uint8_t *data,
					   size_t len, struct encapsulation *h,
					   const uint8_t **payload, size_t *payload_len);
/* Octets that encapsulation_write() puts in front. */
uint32_t encapsulation_size(const struct encapsulation *h);
/* Writes the headers in front of payload_len octets; at has room for encapsulation_size(). */
void encapsulation_write(uint8_t *at, const struct encapsulation *h, size_t payload_len);
/*
 * The longest frame of a virtual link that fits a wire on which a packet (without Ethernet header
 * and VLAN tag, as mtu of a cable counts) may have mtu octets.
 */
uint32_t encapsulation_room(enum encapsulation_kind kind, uint32_t mtu);

#endif
