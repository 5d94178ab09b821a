/* SPDX-License-Identifier: GPL-3.0-or-later */
/* SipHash-2-4 (Aumasson, Bernstein 2012): a keyed 64-bit hash that authenticates short messages. */
#ifndef LIB_SIPHASH_H
#define LIB_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

enum { SIPHASH_KEY = 16 }; /* octets */

uint64_t siphash24(const uint8_t key[SIPHASH_KEY], const void *data, size_t len);

#endif
