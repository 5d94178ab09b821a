/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A TCP segment of any length in one frame, as a guest leaves it to its NIC; and what it must
 * become. */
#ifndef TESTS_SUPPORT_TCPFRAME_H
#define TESTS_SUPPORT_TCPFRAME_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

struct tcpframe {
	bool v6, tagged;
	uint32_t payload; /* bytes; the i-th is i * 7 */
	uint16_t mss;     /* 0: only the checksum is left to do */
	uint8_t flags;    /* of TCP */
};

/* Writes the frame and what the guest says of it. Returns its length. */
uint32_t tcpframe_make(const struct tcpframe *t, uint8_t *frame, struct virtio_net_hdr *h);
/* Bytes in front of the payload. */
uint32_t tcpframe_header(const struct tcpframe *t);
/*
 * True if a frame is one on a wire, with payload from offset at on: lengths, sequence number and
 * both checksums are right, and the payload is what it was.
 */
bool tcpframe_is_real(const struct tcpframe *t, const uint8_t *frame, uint32_t len, uint32_t at);

#endif
