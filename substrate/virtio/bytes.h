/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bytes that wait between two streams. */
#ifndef SUBSTRATE_VIRTIO_BYTES_H
#define SUBSTRATE_VIRTIO_BYTES_H

#include "lib/xalloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Zeroed, it is empty. */
struct bytes {
	uint8_t *at; /* owned */
	size_t start, len, cap;
};

static inline void bytes_clear(struct bytes *b)
{
	free(b->at);
	memset(b, 0, sizeof(*b));
}

/*
 * Bytes are taken at the front and put at the back; they are moved to the front only when the back
 * has run out of room, so that a stream costs no copy for each message.
 */
static inline uint8_t *bytes_room(struct bytes *b, size_t want)
{
	if (b->start && b->start + b->len + want > b->cap) {
		memmove(b->at, b->at + b->start, b->len);
		b->start = 0;
	}
	if (b->len + want > b->cap) {
		b->cap = (b->len + want) * 2;
		b->at = xrealloc(b->at, b->cap);
	}
	return b->at + b->start + b->len;
}

static inline void bytes_take(struct bytes *b, size_t n)
{
	b->start += n;
	b->len -= n;
	if (!b->len)
		b->start = 0;
}

#endif
