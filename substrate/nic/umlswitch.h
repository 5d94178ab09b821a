/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The protocol of uml_switch, version 3, from the switch's side (arch/um/drivers/daemon_user.c up
 * to Linux 6.15; native byte order): over a stream the client sends struct { u32 magic 0xfeedface,
 * version 3, type 0; struct sockaddr_un its_data_socket; } and gets the switch's data socket as a
 * struct sockaddr_un; then frames are datagrams between the two. The client stays as long as the
 * stream.
 */
#ifndef SUBSTRATE_NIC_UMLSWITCH_H
#define SUBSTRATE_NIC_UMLSWITCH_H

#include "lib/err.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

struct umlswitch_request {
	uint32_t magic, version, type;
	struct sockaddr_un sock;
};

/* What has come of a request. Zero-initialise. */
struct umlswitch_session {
	struct umlswitch_request request;
	size_t n_request;
	struct sockaddr_un own; /* our data socket, once it is there */
};

enum umlswitch_step {
	UMLSWITCH_WAIT,  /* nothing to do */
	UMLSWITCH_READY, /* the request is complete, and *data_fd a socket for this client alone */
	UMLSWITCH_OVER,  /* the client has gone (the error is empty), or is refused */
};

/* Reads what the stream has. */
enum umlswitch_step umlswitch_read(struct umlswitch_session *u, int stream, int *data_fd,
				   struct err *e);
/* Tells the client where to send its frames: after it has got its port. 0 or -1. */
int umlswitch_answer(const struct umlswitch_session *u, int stream, struct err *e);

#endif
