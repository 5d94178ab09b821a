/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bytes that lie in pieces: buffers of a guest. Pieces may overlap, for a guest says where they
 * are. The caller has checked all lengths.
 */
#ifndef SUBSTRATE_CORE_IOV_H
#define SUBSTRATE_CORE_IOV_H

#include <stddef.h>
#include <sys/uio.h>

/* Copies len bytes out of, or into, iov (n pieces) from byte offset on. */
void iov_read(const struct iovec *iov, unsigned n, size_t offset, void *to, size_t len);
void iov_write(const struct iovec *iov, unsigned n, size_t offset, const void *from, size_t len);
/* Copies len bytes from byte from_offset of one to byte to_offset of the other. */
void iov_copy(const struct iovec *to, unsigned n_to, size_t to_offset, const struct iovec *from,
	      unsigned n_from, size_t from_offset, size_t len);

#endif
