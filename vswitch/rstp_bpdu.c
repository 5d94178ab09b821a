/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * BPDUs as frames: 802.3 length, LLC 42-42-03, then clause 9 of 802.1D-2004.
 *
 * Three kinds: Configuration and Topology Change Notification of the old protocol, RST of the rapid
 * one. A port speaks the old one when a bridge at its other end does (migration). What comes from a
 * guest is not trusted: lengths are checked before fields are read, and times are brought into
 * their ranges, for a max age of 0 or 65535 would take the tree apart.
 */
#include "vswitch/rstp_priv.h"

#include <string.h>

enum {
	LENGTH_AT = 12,
	LLC_AT = 14,
	BODY_AT = 17,
	LLC_BYTES = 3,
	TCN_BYTES = 4,
	CONFIG_BYTES = 35,
	RST_BYTES = 36
};

static const uint8_t group_address[6] = {0x01, 0x80, 0xc2, 0x00, 0x00, 0x00};
static const uint8_t llc[LLC_BYTES] = {0x42, 0x42, 0x03};

static uint64_t get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
	for (int i = bytes; i-- > 0; v >>= 8)
		p[i] = (uint8_t)v;
	return p + bytes;
}

/* Times are 256ths of a second; whole seconds are kept, rounded to the nearest. */
static uint16_t get_seconds(const uint8_t *p)
{
	return (uint16_t)((get(p, 2) + 128) >> 8);
}

/* Into the ranges of table 17-1, whatever a guest may send. */
static uint16_t clamp(uint16_t v, uint16_t least, uint16_t most)
{
	return v < least ? least : v > most ? most : v;
}

bool rstp_decode(const uint8_t *frame, size_t len, struct rstp_message *m)
{
	const uint8_t *b = frame + BODY_AT;

	if (len < BODY_AT + TCN_BYTES || memcmp(frame, group_address, 6) != 0 ||
	    memcmp(frame + LLC_AT, llc, LLC_BYTES) != 0 || get(b, 2) != 0)
		return false;
	size_t body = len - BODY_AT;

	*m = (struct rstp_message){.version = b[2], .type = b[3]};
	if (m->type == BPDU_TCN)
		return true; /* it has no more fields */
	if (m->type == BPDU_CONFIG ? body < CONFIG_BYTES
				   : m->type != BPDU_RST || m->version < 2 || body < RST_BYTES)
		return false;
	m->flags = b[4];
	m->vector = (struct rstp_vector){.root = get(b + 5, 8),
					 .cost = (uint32_t)get(b + 13, 4),
					 .bridge = get(b + 17, 8),
					 .port = (uint16_t)get(b + 25, 2)};
	m->times = (struct rstp_times){.age = get_seconds(b + 27),
				       .max_age = get_seconds(b + 29),
				       .hello = get_seconds(b + 31),
				       .delay = get_seconds(b + 33)};
	m->times.max_age = clamp(m->times.max_age, 6, 40);
	m->times.hello = clamp(m->times.hello, 1, 10);
	m->times.delay = clamp(m->times.delay, 4, 30);
	return true;
}

/* A backup port says "alternate": the two have one value on the wire (9.3.3). */
static uint8_t flags_of(const struct rstp_port *p, enum rstp_bpdu_type type)
{
	static const uint8_t roles[] = {
		[RSTP_DISABLED] = 0,
		[RSTP_ROOT] = FLAG_ROLE_ROOT,
		[RSTP_DESIGNATED] = FLAG_ROLE_DESIGNATED,
		[RSTP_ALTERNATE] = FLAG_ROLE_ALTERNATE,
		[RSTP_BACKUP] = FLAG_ROLE_ALTERNATE,
	};
	unsigned flags = p->tc_while ? FLAG_TC : 0;

	if (type == BPDU_CONFIG)
		return (uint8_t)(flags | (p->tc_ack ? FLAG_TC_ACK : 0));
	flags |= roles[p->role];
	flags |= p->proposing ? FLAG_PROPOSAL : 0;
	flags |= p->agree ? FLAG_AGREEMENT : 0;
	flags |= p->learning ? FLAG_LEARNING : 0;
	flags |= p->forwarding ? FLAG_FORWARDING : 0;
	return (uint8_t)flags;
}

size_t rstp_encode(const struct rstp *r, const struct rstp_port *p, enum rstp_bpdu_type type,
		   uint8_t *frame)
{
	const struct rstp_vector *v = &p->designated_priority;
	uint8_t *b = frame + BODY_AT;

	memset(frame, 0, RSTP_FRAME_MAX);
	memcpy(frame, group_address, 6);
	put(frame + 6, r->id & UINT64_C(0xffffffffffff), 6);
	memcpy(frame + LLC_AT, llc, LLC_BYTES);
	b = put(b, 0, 2);
	b = put(b, type == BPDU_RST ? 2 : 0, 1);
	b = put(b, type, 1);
	if (type != BPDU_TCN) {
		b = put(b, flags_of(p, type), 1);
		b = put(b, v->root, 8);
		b = put(b, v->cost, 4);
		b = put(b, v->bridge, 8);
		b = put(b, v->port, 2);
		b = put(b, (uint64_t)p->designated_times.age << 8, 2);
		b = put(b, (uint64_t)p->designated_times.max_age << 8, 2);
		b = put(b, (uint64_t)p->designated_times.hello << 8, 2);
		b = put(b, (uint64_t)p->designated_times.delay << 8, 2);
		b += type == BPDU_RST; /* length of version 1: 0 */
	}
	put(frame + LENGTH_AT, (uint64_t)(b - frame - LLC_AT), 2);
	return RSTP_FRAME_MAX; /* padded to the shortest frame of Ethernet */
}
