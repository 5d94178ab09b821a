/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last bytes for a pipe whose reader is slow, after what wrote them has gone. */
#ifndef SUBSTRATE_CORE_LINGER_H
#define SUBSTRATE_CORE_LINGER_H

#include "lib/loop.h"

#include <stddef.h>
#include <stdint.h>

struct linger;

/*
 * Writes buf (len bytes, malloc'ed) to fd as the reader reads, until all is
 * written or the reader has gone; then closes fd. Takes both over.
 */
void linger_add(struct linger **list, struct loop *l, int fd, uint8_t *buf, size_t len);
/* In a process that was restored: the descriptors are none of its own. */
void linger_forget(struct linger **list);
/* Gives up what is left of all. */
void linger_finish(struct linger **list);

#endif
