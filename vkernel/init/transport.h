/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The stream to the server: a virtio console's port, or a serial line. */
#ifndef VKERNEL_INIT_TRANSPORT_H
#define VKERNEL_INIT_TRANSPORT_H

#include "lib/loop.h"

/*
 * Opens the terminal that the kernel argument vbet.agent=ttyS0 names, or else the virtio port that
 * is named vbet.agent, as soon as it is there. Needs /sys, /dev and /proc. Calls `opened` with the
 * descriptor, perhaps before it returns.
 */
int transport_start(struct loop *l, void (*opened)(int fd), struct err *e);

#endif
