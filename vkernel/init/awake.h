/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A guest whose memory is that of one that booted earlier, and perhaps of others, too. */
#ifndef VKERNEL_INIT_AWAKE_H
#define VKERNEL_INIT_AWAKE_H

#include "lib/err.h"

/*
 * Sets the time of day ("1767225600.000000000"), and stirs random octets (two hexadecimal digits
 * for each) into what the kernel draws its own from (random(4): RNDADDENTROPY, RNDRESEEDCRNG). 0
 * or -1.
 */
int awake(const char *time, const char *random, struct err *e);

#endif
