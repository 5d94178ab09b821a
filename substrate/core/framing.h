/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What stands in front of a packet on a cable: an Ethernet header, or that of Cisco HDLC (the
 * frames of drivers/net/wan/hdlc_cisco.c in Linux): 0x0F or, for many, 0x8F; 0; and two octets of
 * protocol, which are an EtherType, or 0xFEFE for the protocols of ISO. Guests have Ethernet NICs
 * at both ends: an end puts frames that it sends into the form of its cable, and turns what it gets
 * into Ethernet again, made out to its own NIC.
 */
#ifndef SUBSTRATE_CORE_FRAMING_H
#define SUBSTRATE_CORE_FRAMING_H

#include "lib/linkspec.h"
#include "substrate/core/frame.h"

enum {
	FRAMING_LINKTYPE_ETHERNET = 1, /* of tcpdump.org/linktypes.html */
	FRAMING_LINKTYPE_C_HDLC = 104,
};

/* The LINKTYPE of frames on such a cable. */
uint16_t framing_linktype(enum link_framing framing);
/* Bytes in front of the packet. */
uint32_t framing_header(enum link_framing framing);
/*
 * An Ethernet frame (kept, with its reference) as HDLC: a frame of one's own. NULL, and the
 * reference is gone: *memory says if there was none; else it has no such form (neither an EtherType
 * nor LLC of ISO), or would be shorter than FRAME_MIN.
 */
struct frame *framing_wrap_hdlc(struct frame *f, bool *memory);
/* The way back; to: the MAC address of the NIC that gets it. NULL as above: it is no HDLC. */
struct frame *framing_unwrap_hdlc(struct frame *f, const uint8_t to[6], bool *memory);

#endif
