/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The end of a guest: all processes get time to end, then it powers off. */
#ifndef VKERNEL_INIT_POWER_H
#define VKERNEL_INIT_POWER_H

#include "lib/loop.h"

/* Ends everything; `how` ("poweroff", "reboot", "halt") is told to the server. Once. */
void power_off(struct loop *l, const char *how);
/* A child was reaped: was it the last? */
void power_child_ended(void);

#endif
