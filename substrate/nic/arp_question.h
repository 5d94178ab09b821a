/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an ARP request (RFC 826) asks: a question that all hear, and one is to answer. */
#ifndef SUBSTRATE_NIC_ARP_QUESTION_H
#define SUBSTRATE_NIC_ARP_QUESTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arp_question {
	uint8_t asker[4], asked[4]; /* IPv4 addresses */
};

/* True if it is a request for an IPv4 address of Ethernet, sent to whomever. */
bool arp_is_request(const uint8_t *frame, size_t len);
/* True if the frame, without a VLAN tag, is sent to all and asks for an IPv4 address. */
bool arp_question_read(const uint8_t *frame, size_t len, struct arp_question *q);

#endif
