/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What frames say of who sends them. libslirp looks for every station on its own network by ARP
 * (RFC 826) and neighbour discovery (RFC 4861), also for those behind a router, which do not answer
 * there. So we learn from what they send through which MAC they are reached, and answer for them.
 * Pure; every length is checked.
 */
#ifndef SUBSTRATE_NIC_STATIONS_H
#define SUBSTRATE_NIC_STATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STATIONS_MAX = 1024, /* stations; the oldest place is taken when they collide */
	STATIONS_ANSWER_MAX = 96,
};

struct station {
	uint8_t addr[16]; /* IPv4: its last four bytes, after ten of 0 and two of 0xff */
	uint8_t mac[6];
	bool known;
};

/* Zero-initialise. */
struct stations {
	struct station at[STATIONS_MAX];
};

/* Remembers the sender of an IP packet in a frame. */
void stations_learn(struct stations *n, const uint8_t *frame, size_t len);
/*
 * If the frame asks for the MAC of a station that is known: writes the frame that answers, and
 * returns its length. Else 0.
 */
size_t stations_answer(const struct stations *n, const uint8_t *frame, size_t len,
		       uint8_t answer[STATIONS_ANSWER_MAX]);
/*
 * True for an IP packet to an address that means the receiving machine itself: 127.0.0.0/8, ::1,
 * unspecified, IPv4 mapped into IPv6.
 */
bool stations_is_loopback(const uint8_t *frame, size_t len);

#endif
