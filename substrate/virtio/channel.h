/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A byte stream between a guest and one client of a socket: a virtio console (virtio 1.2,
 * section 5.3) with one port, number 1, called "vbet.agent". The port is open on our side while a
 * client is connected. Neither side can make us keep more than a bounded number of bytes with the
 * real clock; with the virtual clock the guest must never wait for the client, and what it writes
 * is kept.
 */
#ifndef SUBSTRATE_VIRTIO_CHANNEL_H
#define SUBSTRATE_VIRTIO_CHANNEL_H

#include "lib/words.h"
#include "substrate/core/substrate.h"

#define CHANNEL_PORT_NAME "vbet.agent"

/* words: path=, stream=, guest=. NULL with the error set. */
struct object *channel_create(struct substrate *s, const char *name, const struct words *w,
			      struct err *e);

#endif
