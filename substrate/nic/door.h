/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A socket at which one client at a time is let in; the next when that has gone. */
#ifndef SUBSTRATE_NIC_DOOR_H
#define SUBSTRATE_NIC_DOOR_H

#include "lib/loop.h"

#include <stdbool.h>
#include <sys/types.h>

struct thaw;

struct door {
	struct loop *loop; /* borrowed */
	struct loop_watch listener;
	struct loop_watch client; /* fd -1: nobody is there */
	char *path;               /* owned */
	int type;                 /* of the socket */
	/* A client has come (may be NULL); its descriptor can be read. Both may hang up. */
	void (*came)(struct door *d);
	void (*ready)(struct door *d, int64_t now_ns);
};

/* Listens at path, with a socket of that type. came and ready are set before. 0 or -1. */
int door_open(struct door *d, struct loop *l, const char *path, int type, struct err *e);
/* In a process that was restored (thaw.h): listens again, and nobody is in. 0 or -1. */
int door_thaw(struct door *d, const struct thaw *t, struct err *e);
/* Shows the client out, and lets the next one in. */
void door_hang_up(struct door *d);
/* The client has to go, and the socket is removed. Safe on one that could not be opened. */
void door_close(struct door *d);
/*
 * One message of a client's socket: its length; 0: there is none now; -1: the client has gone, and
 * all that it sent before has been read. connected: it is a SOCK_SEQPACKET socket; else it takes
 * datagrams, of which empty ones are passed over, and never ends by itself. At most DOOR_BATCH of
 * them are read at a time.
 */
ssize_t door_read(int fd, bool connected, void *buf, size_t size);
enum { DOOR_BATCH = 64 };
/* Stops watching a descriptor and closes it; fd becomes -1. */
void door_close_watch(struct loop *l, struct loop_watch *w);

#endif
