/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes in pieces. A guest's frame lies in as many buffers as its driver liked, and goes into as
 * many as the receiver's driver offered; neither side's pieces match the other's. All three
 * functions take an offset into the whole, as if the pieces were joined, and stop at the end of the
 * last piece: who calls has checked that there is enough room.
 */
#include "substrate/core/iov.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Copies between flat memory and iov; write says into iov. */
static void move(const struct iovec *iov, unsigned n, size_t offset, uint8_t *flat, size_t len,
		 bool write)
{
	/* Most frames are in one buffer. Pieces of a guest may overlap: memmove, not memcpy. */
	if (n && offset + len <= iov[0].iov_len) {
		uint8_t *p = (uint8_t *)iov[0].iov_base + offset;

		memmove(write ? p : flat, write ? flat : p, len);
		return;
	}
	for (unsigned i = 0; i < n && len; i++) {
		if (offset >= iov[i].iov_len) {
			offset -= iov[i].iov_len;
			continue;
		}
		size_t part = iov[i].iov_len - offset;
		uint8_t *p = (uint8_t *)iov[i].iov_base + offset;

		if (part > len)
			part = len;
		if (write)
			memmove(p, flat, part);
		else
			memmove(flat, p, part);
		flat += part;
		len -= part;
		offset = 0;
	}
}

void iov_read(const struct iovec *iov, unsigned n, size_t offset, void *to, size_t len)
{
	move(iov, n, offset, to, len, false);
}

void iov_write(const struct iovec *iov, unsigned n, size_t offset, const void *from, size_t len)
{
	move(iov, n, offset, (uint8_t *)(uintptr_t)from, len, true);
}

/*
 * From pieces to pieces: each piece of the source is written as one flat range. The destination's
 * pieces are walked anew for each, which is no loss with the few pieces that frames have.
 */
void iov_copy(const struct iovec *to, unsigned n_to, size_t to_offset, const struct iovec *from,
	      unsigned n_from, size_t from_offset, size_t len)
{
	for (unsigned i = 0; i < n_from && len; i++) {
		if (from_offset >= from[i].iov_len) {
			from_offset -= from[i].iov_len;
			continue;
		}
		size_t part = from[i].iov_len - from_offset;

		if (part > len)
			part = len;
		iov_write(to, n_to, to_offset, (const uint8_t *)from[i].iov_base + from_offset,
			  part);
		to_offset += part;
		len -= part;
		from_offset = 0;
	}
}
