/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "substrate/nic/arp_question.h"

#include <net/ethernet.h>
#include <netinet/if_ether.h>
#include <string.h>

bool arp_question_read(const uint8_t *frame, size_t len, struct arp_question *q)
{
	/* Of Ethernet and IPv4, with addresses of 6 and 4 octets. */
	static const uint8_t head[] = {0, ARPHRD_ETHER, 8, 0, ETH_ALEN, 4, 0, ARPOP_REQUEST};
	static const uint8_t type[] = {ETHERTYPE_ARP >> 8, ETHERTYPE_ARP & 0xff};
	static const uint8_t all[ETH_ALEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
	struct ether_arp arp;

	if (len < ETH_HLEN + sizeof(arp) || memcmp(frame, all, sizeof(all)) != 0 ||
	    memcmp(frame + ETH_HLEN - sizeof(type), type, sizeof(type)) != 0 ||
	    memcmp(frame + ETH_HLEN, head, sizeof(head)) != 0)
		return false;
	memcpy(&arp, frame + ETH_HLEN, sizeof(arp));
	memcpy(q->asker, arp.arp_spa, sizeof(q->asker));
	memcpy(q->asked, arp.arp_tpa, sizeof(q->asked));
	return true;
}
