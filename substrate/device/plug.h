/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Clients that come by themselves: a device that is a program of its own gives every client that
 * connects a port of its own, and takes the port back when the client goes (vBET: connect to the
 * control socket, a port is made, the NIC is connected through it). Real clock only.
 */
#ifndef SUBSTRATE_DEVICE_PLUG_H
#define SUBSTRATE_DEVICE_PLUG_H

#include "substrate/core/substrate.h"

struct plug; /* a socket that listens, and its clients */

enum plug_protocol {
	PLUG_SEQPACKET, /* one frame per message, as UML's vector transport "bess" speaks */
	PLUG_UML,       /* the protocol of uml_switch (umlswitch.h) */
};

/* Listens at path and plugs clients into the device, at most max_ports of it. NULL: error. */
struct plug *plug_open(struct substrate *s, struct object *device, enum plug_protocol how,
		       const char *path, unsigned max_ports, struct err *e);
/* Unplugs all clients and removes the socket. */
void plug_close(struct plug *p);

/*
 * The whole main program of a device: options, signals, ready descriptor, status. Returns the exit
 * status.
 */
int plug_main(const struct device_kind *kind, int argc, char **argv);

#endif
