/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of libvnet, and the multiplexer, share. */
#ifndef VNET_VNET_PRIV_H
#define VNET_VNET_PRIV_H

#include "lib/err.h"
#include "vnet/vnet.h"

enum {
	VNET_FD_MUX = 3, /* an instance's descriptors: to the multiplexer (the control daemon) or to
			    the control daemon (any other) */
	VNET_FD_LISTENER = 4,   /* of the control daemon */
	VNET_ENDPOINT_HEAD = 4, /* of a message of an endpoint: index of the NIC, three zeros */
	VNET_NIC_ASK = 4,       /* octets of "tell me of the carrier" and of what is told */
	VNET_NIC_TELL = 6,
};

/* Remembers the text for vnet_error() and returns -1 with errno as given. */
int vnet_fail(int number, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same from an error of ours; errno as it is. */
int vnet_fail_err(const struct err *e);

#endif
