/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files by their descriptors. */
#ifndef LIB_FILE_H
#define LIB_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Writes all of it from octet `at` on; the descriptor's offset stays. 0, or -1 with errno. */
int file_write_at(int fd, uint64_t at, const void *data, size_t len);
/*
 * Makes the file `to`, which is empty, equal to the file `from`, with its holes; where the file
 * system can, they share their blocks until one of them is written. Offsets of the descriptors are
 * moved. 0, or -1 with errno.
 */
int file_copy(int from, int to);

#endif
