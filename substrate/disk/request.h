/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One request of a guest for its disk (virtio 1.2, section 5.2.6): buffers to read with a head of
 * 16 bytes and what is to be written, buffers to write for what is read and a last byte that says
 * how it went. Nobody trusts the guest: the head is read once, and then all of it is checked.
 */
#ifndef SUBSTRATE_DISK_REQUEST_H
#define SUBSTRATE_DISK_REQUEST_H

#include "substrate/disk/image.h"
#include "substrate/virtio/vring.h"

enum {
	REQUEST_BYTES_MAX = 4 << 20, /* read or written by one */
	REQUEST_ID_BYTES = 20,       /* VIRTIO_BLK_ID_BYTES */
};

/* What came of all requests so far. */
struct request_counters {
	uint64_t reads, read_bytes, writes, write_bytes, flushes;
	uint64_t refused; /* beyond the end, of no whole sectors, too long, or read-only */
	uint64_t failed;  /* the host could not; the guest sees an I/O error for both */
	int last_errno;   /* of these */
};

/*
 * Carries it out and writes its status. The bytes that the chain's buffers got in all, for
 * vring_give(); or -1 if this is no request: *why (static) says what is wrong with it, and nothing
 * was done. id: what the guest sees as the serial number, zeroes behind it.
 */
int64_t request_run(const struct vring_chain *c, struct image *m, const char id[REQUEST_ID_BYTES],
		    struct request_counters *count, const char **why);

#endif
