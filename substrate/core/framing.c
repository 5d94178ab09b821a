/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The two octets of an EtherType are also the last two of the HDLC header in front of the same
 * packet; with ISO, the two of the LLC are. So nothing is moved: the start of the frame is, and
 * what comes to stand in front is written.
 */
#include "substrate/core/framing.h"

#include <string.h>

enum {
	ETHER_HEADER = 14,
	HDLC_HEADER = 4,
	HDLC_ONE = 0x0f,
	HDLC_MANY = 0x8f,
	TYPE_AT = 12,
	TYPE_LEAST = 0x600, /* smaller ones are lengths of 802.3 */
	ISO = 0xfefe,       /* DSAP and SSAP */
};

/* HDLC has no addresses: this is whom Ethernet frames out of it are from. */
static const uint8_t sender[6] = {0x02, 0, 0, 0, 0, HDLC_ONE};

static unsigned read16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

uint16_t framing_linktype(enum link_framing framing)
{
	return framing == LINK_HDLC ? FRAMING_LINKTYPE_C_HDLC : FRAMING_LINKTYPE_ETHERNET;
}

uint32_t framing_header(enum link_framing framing)
{
	return framing == LINK_HDLC ? HDLC_HEADER : ETHER_HEADER;
}

/*
 * Where the protocol of HDLC stands in the Ethernet frame; 0: it has none. The length of 802.3 says
 * where the packet ends: what is behind is padding.
 */
static uint32_t find_protocol(const uint8_t *d, uint32_t *len)
{
	unsigned type = read16(d + TYPE_AT);

	if (type >= TYPE_LEAST)
		return type == ISO ? 0 : TYPE_AT;
	if (type < 2 || ETHER_HEADER + type > *len || read16(d + ETHER_HEADER) != ISO)
		return 0;
	*len = ETHER_HEADER + type;
	return ETHER_HEADER;
}

/* One's own, or NULL with *memory set. */
static struct frame *own(struct frame *f, bool *memory)
{
	f = frame_own(f);
	*memory = !f;
	return f;
}

static struct frame *refuse(struct frame *f)
{
	frame_unref(f);
	return NULL;
}

struct frame *framing_wrap_hdlc(struct frame *f, bool *memory)
{
	uint32_t len = f->len;
	uint32_t at = find_protocol(f->data, &len);
	bool many = f->data[0] & 1;

	*memory = false;
	if (!at || len + 2 < at + FRAME_MIN)
		return refuse(f);
	f = own(f, memory);
	if (!f)
		return NULL;
	f->len = len;
	frame_pull(f, at - 2);
	f->data[0] = many ? HDLC_MANY : HDLC_ONE;
	f->data[1] = 0;
	return f;
}

struct frame *framing_unwrap_hdlc(struct frame *f, const uint8_t to[6], bool *memory)
{
	unsigned address = f->data[0];
	unsigned protocol = read16(f->data + 2);
	uint32_t len = f->len - 2; /* of ISO: LLC and packet */

	*memory = false;
	if ((address != HDLC_ONE && address != HDLC_MANY) || f->data[1] || protocol < TYPE_LEAST ||
	    (protocol == ISO && len >= TYPE_LEAST))
		return refuse(f);
	f = own(f, memory);
	if (!f)
		return NULL;
	if (!frame_push(f, protocol == ISO ? TYPE_AT : TYPE_AT - 2))
		return refuse(f);
	memset(f->data, 0xff, 6);
	if (address == HDLC_ONE)
		memcpy(f->data, to, 6);
	memcpy(f->data + 6, sender, 6);
	if (protocol == ISO) {
		f->data[TYPE_AT] = (uint8_t)(len >> 8);
		f->data[TYPE_AT + 1] = (uint8_t)len;
	}
	return f;
}
