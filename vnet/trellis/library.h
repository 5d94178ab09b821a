/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of libtrellis share. */
#ifndef VNET_TRELLIS_LIBRARY_H
#define VNET_TRELLIS_LIBRARY_H

#include "vnet/trellis/table.h"
#include "vnet/trellis/trellis.h"
#include "vnet/vnet.h"

struct trellis {
	int control;              /* to the daemon */
	struct vnet_table *table; /* its routes */
	uint32_t version;         /* of `copy` */
	uint8_t *copy;            /* owned: struct trellis_table and its routes */
	char self[TRELLIS_NAME_MAX];
};

struct trellis_socket {
	struct trellis *t; /* borrowed */
	int fd;            /* the endpoint */
	uint16_t port;
	uint8_t hops;
	uint8_t frame[VNET_FRAME_MAX];
};

/* The daemon's table, as it is now. NULL: it has ended. */
const struct trellis_table *library_table(struct trellis *t);
const struct trellis_route *library_route(struct trellis *t, const struct trellis_address *to);
int library_resolve(struct trellis *t, const char *name, struct trellis_address *a);
/* Asks the daemon for an endpoint: the descriptor, and the port that it has. -1. */
int library_bind(struct trellis *t, const char *request, uint16_t *port);
/* Sends by the route to the packet's destination; waits a little for room. 0 or -1. */
int library_send(struct trellis *t, int fd, struct trellis_packet *p, uint8_t *frame);
/* The next packet of an endpoint; false: none now, or the endpoint has gone (*gone). */
bool library_receive(int fd, uint8_t *frame, struct trellis_packet *p, bool *gone);
/* The errno value that an error packet stands for. */
int library_errno(enum trellis_error_code code);
/* Waits for descriptors. False: the time is over. */
bool library_wait(int fd, int timeout_ms);
/* What is left of a time, in ms; -1: without end. */
int library_left(int64_t begin_ns, int timeout_ms);
int64_t library_now_ns(void);

#endif
