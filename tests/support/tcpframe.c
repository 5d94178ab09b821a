/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/tcpframe.h"

#include <string.h>

enum { SEQ = 0xfffff000, ID = 0xfffe, TCP = 32 };

static uint32_t network_at(const struct tcpframe *t)
{
	return t->tagged ? 18 : 14;
}

static uint32_t tcp_at(const struct tcpframe *t)
{
	return network_at(t) + (t->v6 ? 40 : 24);
}

uint32_t tcpframe_header(const struct tcpframe *t)
{
	return tcp_at(t) + TCP;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

/* RFC 1071, as it is written: word by word. */
static uint32_t sum(const uint8_t *p, uint32_t len, uint32_t start)
{
	for (uint32_t i = 0; i < len; i++)
		start += i % 2 ? p[i] : (uint32_t)p[i] << 8;
	while (start >> 16)
		start = (start & 0xffff) + (start >> 16);
	return start;
}

static uint32_t pseudo(const struct tcpframe *t, const uint8_t *ip, uint32_t tcp_len)
{
	return t->v6 ? sum(ip + 8, 32, 6 + tcp_len) : sum(ip + 12, 8, 6 + tcp_len);
}

static void make_ip(const struct tcpframe *t, uint8_t *ip, uint32_t rest)
{
	if (t->v6) {
		ip[0] = 0x60;
		put16(ip + 4, rest);
		ip[6] = 6;
		ip[7] = 64;
		for (int i = 8; i < 40; i++)
			ip[i] = (uint8_t)(i * 3);
		return;
	}
	/* With an option: no operation, four times. */
	ip[0] = 0x46;
	put16(ip + 2, 24 + rest);
	put16(ip + 4, ID);
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = 6;
	memcpy(ip + 12, (uint8_t[]){10, 0, 0, 1, 10, 0, 0, 2}, 8);
	memset(ip + 20, 1, 4);
	put16(ip + 10, ~sum(ip, 24, 0));
}

uint32_t tcpframe_make(const struct tcpframe *t, uint8_t *frame, struct virtio_net_hdr *h)
{
	uint32_t header = tcpframe_header(t);
	uint8_t *ip = frame + network_at(t);
	uint8_t *tcp = frame + tcp_at(t);

	memset(frame, 0, header);
	memcpy(frame, (uint8_t[]){2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1}, 12);
	if (t->tagged)
		memcpy(frame + 12, (uint8_t[]){0x81, 0, 0, 7}, 4);
	put16(ip - 2, t->v6 ? 0x86dd : 0x0800);
	make_ip(t, ip, TCP + t->payload);
	put16(tcp, 1000);
	put16(tcp + 2, 2000);
	put16(tcp + 4, SEQ >> 16);
	put16(tcp + 6, SEQ & 0xffff);
	tcp[12] = TCP / 4 << 4;
	tcp[13] = t->flags;
	put16(tcp + 14, 500);
	put16(tcp + 16, pseudo(t, ip, TCP + t->payload));
	for (uint32_t i = 0; i < t->payload; i++)
		frame[header + i] = (uint8_t)(i * 7);
	*h = (struct virtio_net_hdr){.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				     .csum_start = (uint16_t)tcp_at(t),
				     .csum_offset = 16};
	if (t->mss) {
		h->gso_type = t->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
		h->gso_size = t->mss;
		h->hdr_len = (uint16_t)header;
	}
	return header + t->payload;
}

bool tcpframe_is_real(const struct tcpframe *t, const uint8_t *frame, uint32_t len, uint32_t at)
{
	uint32_t header = tcpframe_header(t);
	const uint8_t *ip = frame + network_at(t);
	const uint8_t *tcp = frame + tcp_at(t);
	uint32_t tcp_len = len - tcp_at(t);
	uint32_t seq = get16(tcp + 4) << 16 | get16(tcp + 6);
	uint32_t number = t->mss ? at / t->mss : 0;

	if (len < header || seq != SEQ + at || sum(tcp, tcp_len, pseudo(t, ip, tcp_len)) != 0xffff)
		return false;
	if (t->v6 ? get16(ip + 4) != tcp_len
		  : get16(ip + 2) != tcp_len + 24 || sum(ip, 24, 0) != 0xffff ||
			    get16(ip + 4) != ((ID + number) & 0xffff))
		return false;
	for (uint32_t i = 0; i < len - header; i++)
		if (frame[header + i] != (uint8_t)((at + i) * 7))
			return false;
	return true;
}
