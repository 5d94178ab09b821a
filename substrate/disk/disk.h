/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest's disk: virtio-blk (virtio 1.2, section 5.2) with one queue, over vhost-user. What it
 * holds is an image (image.h).
 *
 * Real clock: a request is answered when it comes. Virtual clock: DISK_LATENCY_NS later, however
 * long it is and however many are under way, so that a run does not depend on the host's disk.
 */
#ifndef SUBSTRATE_DISK_DISK_H
#define SUBSTRATE_DISK_DISK_H

#include "lib/words.h"
#include "substrate/core/substrate.h"

enum { DISK_LATENCY_NS = 100000 };

/* words: path=, size=, base=, layer=, ro=, guest=. 0 or -1. */
int disk_create(struct substrate *s, const char *name, const struct words *w, struct err *e);

#endif
