/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/nic/arp_question.h"

#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <string.h>

bool arp_is_request(const uint8_t *frame, size_t len)
{
	/* The type of the frame; of Ethernet and IPv4, with addresses of 6 and 4 octets. */
	static const uint8_t head[] = {
		ETHERTYPE_ARP >> 8, ETHERTYPE_ARP & 0xff, 0, ARPHRD_ETHER, 8, 0, ETH_ALEN, 4, 0,
		ARPOP_REQUEST};

	return len >= ETH_HLEN + sizeof(struct ether_arp) &&
	       !memcmp(frame + ETH_HLEN - sizeof(uint16_t), head, sizeof(head));
}

bool arp_question_read(const uint8_t *frame, size_t len, struct arp_question *q)
{
	static const uint8_t all[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct ether_arp arp;

	if (!arp_is_request(frame, len) || memcmp(frame, all, sizeof(all)) != 0)
		return false;
	memcpy(&arp, frame + ETH_HLEN, sizeof(arp));
	memcpy(q->asker, arp.arp_spa, sizeof(q->asker));
	memcpy(q->asked, arp.arp_tpa, sizeof(q->asked));
	return true;
}
