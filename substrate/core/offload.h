/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a guest leaves to its NIC: the checksum of a frame, and cutting one long TCP segment into
 * frames (virtio 1.2, section 5.1.6: CSUM, HOST_TSO). A frame for which some of this is still to be
 * done is carried as it is where nobody can tell, and made real where somebody can. Pure.
 */
#ifndef SUBSTRATE_CORE_OFFLOAD_H
#define SUBSTRATE_CORE_OFFLOAD_H

#include <linux/virtio_net.h>
#include <stdbool.h>
#include <stdint.h>

enum {
	OFFLOAD_CSUM = 1, /* the checksum is to be filled in */
	OFFLOAD_TCP4 = 2, /* one TCP segment, to be cut; always with OFFLOAD_CSUM */
	OFFLOAD_TCP6 = 4,
	OFFLOAD_ECN = 8, /* CWR is set: only the first frame may have it */
	OFFLOAD_WORK = OFFLOAD_CSUM | OFFLOAD_TCP4 | OFFLOAD_TCP6 | OFFLOAD_ECN, /* all of that */
	OFFLOAD_LENT = 16, /* its bytes still lie with who sent it (frame.h); no guest is told */

	OFFLOAD_SEGMENTS_MAX = 2048,
	OFFLOAD_SEGMENT_MIN = 8,  /* bytes of payload; Linux's TCP sends no shorter ones */
	OFFLOAD_HEADER_MAX = 192, /* bytes in front of the payload: a dozen tags, and all options */
};

/* All zero: nothing is to be done. Offsets are from the start of the frame. */
struct offload {
	uint16_t flags;
	uint16_t segment;     /* payload of each frame but the last */
	uint16_t segments;    /* frames that it stands for, if it is to be cut */
	uint16_t header;      /* bytes in front of the payload, in each of them */
	uint16_t csum_start;  /* the sum is over all from here ... */
	uint16_t csum_offset; /* ... and is stored here, from csum_start */
};

/*
 * Reads what a guest says of a frame of len bytes, believing nothing. False: it cannot be so. data
 * is a copy that the guest cannot change any more, of OFFLOAD_HEADER_MAX bytes at least if the
 * frame is not shorter; what it says must have been negotiated by the bits of `features`.
 */
bool offload_read(const struct virtio_net_hdr *h, uint64_t features, const uint8_t *data,
		  uint32_t len, struct offload *o);
/*
 * Finds out what is left to do in a frame of len bytes that an interface of the host handed over,
 * which says nothing of it: its kernel has put TCP segments together (GRO), or a neighbor in the
 * machine never cut them, to more than the mtu bytes of a packet; or left the checksum, of which
 * the field then holds the sum of the pseudo-header (skbuff.h, CHECKSUM_PARTIAL). One real checksum
 * in 65,536 is the same as that, and is filled in again. The field of what is to be cut is
 * prepared.
 */
void offload_find(uint8_t *data, uint32_t len, uint32_t mtu, struct offload *o);
/* The same as a guest is told of it. */
void offload_write(const struct offload *o, struct virtio_net_hdr *h);
/* The bits of OFFLOAD_* that a guest with these features takes. */
uint16_t offload_taken(uint64_t features);
/* Features to offer. */
uint64_t offload_features(void);

/* Fills the checksum in; for what is to be cut, as if it were one packet. */
void offload_sum(const struct offload *o, uint8_t *data, uint32_t len);
/* The length of the i-th frame of one that is to be cut; it is at most header + segment. */
uint32_t offload_segment_len(const struct offload *o, uint32_t len, unsigned i);
/* Writes the i-th frame, whole and with its checksums, to out. */
void offload_cut(const struct offload *o, const uint8_t *data, uint32_t len, unsigned i,
		 uint8_t *out);

#endif
