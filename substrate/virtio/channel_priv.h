/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A channel as channel.c (how it works) and channel_kept.c (how it is kept) know it. */
#ifndef SUBSTRATE_VIRTIO_CHANNEL_PRIV_H
#define SUBSTRATE_VIRTIO_CHANNEL_PRIV_H

#include "substrate/virtio/bytes.h"
#include "substrate/virtio/vhost.h"

#include <linux/virtio_console.h>

/* Queues with VIRTIO_CONSOLE_F_MULTIPORT: those of port 0 (not used), control, those of port 1. */
enum {
	CONTROL_RX = 2,
	CONTROL_TX = 3,
	RX = 4,
	TX = 5,
	QUEUES = 6,
	PORT = 1,
	IN_MAX = 256 << 10,  /* bytes kept for the guest: real clock */
	IN_END = 64 << 20,   /* the same with the virtual clock: all of it comes at one instant */
	OUT_MAX = 256 << 10, /* bytes kept for the client: real clock */
	OUT_END = 256 << 20, /* the same with the virtual clock: then the client is cut off */
	BACKLOG_MAX = 256,   /* strangers that are sent away before others get their turn */
	CONTROL_MAX = 16,    /* messages kept for the guest */
	/*
	 * Chains taken from a guest before others get their turn. In virtual time it stands still
	 * meanwhile, so all that it offers is taken at once: no more than a ring holds.
	 */
	BATCH = VRING_NUM_MAX + 1,
};

struct control {
	struct virtio_console_control head;
	bool named; /* the name of the port follows */
};

struct channel {
	struct object object;
	struct vhost vhost;
	struct loop_watch listener, client;
	uint32_t client_events;
	char *stream;     /* owned */
	bool client_open; /* as the guest shall see it */
	bool port_there, guest_open;
	bool awaited; /* it was restored, and its client has not come anew */
	bool arrives; /* so it is, and nobody else waits for that */
	bool left;    /* the client of this boot has gone: who connects now is for the next one */
	struct bytes in, out; /* to the guest, to the client */
	struct control control[CONTROL_MAX];
	unsigned n_control;
	struct flush again;  /* a queue of the guest's has more than one batch */
	struct event inject; /* virtual clock: when the guest hears what came in */
	uint64_t in_bytes, out_bytes;
};

/* Reads what the client sent, until so much is kept. */
void channel_read_client(struct channel *c, size_t max, int64_t now_ns);
/* Whoever awaited the client does not any more. */
void channel_came(struct channel *c);
/* Something waits for the guest that it would hear. */
bool channel_has_news(const struct channel *c);
/* Of object_kind. */
int channel_sleep(struct object *o, struct err *e);
int channel_freeze(struct object *o, struct err *e);
int channel_thaw(struct object *o, const struct thaw *t, struct err *e);
int channel_move(struct object *o, struct mover *m, struct err *e);

#endif
