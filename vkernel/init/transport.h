/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stream to the server: a virtio console's port, or a serial line. */
#ifndef VKERNEL_INIT_TRANSPORT_H
#define VKERNEL_INIT_TRANSPORT_H

#include "lib/err.h"

/*
 * Opens the virtio port that is named vbet.agent, else the terminal that the kernel argument
 * vbet.agent=ttyS0 names. Needs /sys, /dev and /proc. A descriptor, or -1.
 */
int transport_open(struct err *e);

#endif
