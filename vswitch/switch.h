/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The learning switch (IEEE 802.1Q-2018, clause 8). */
#ifndef VSWITCH_SWITCH_H
#define VSWITCH_SWITCH_H

#include "substrate/device.h"

extern const struct device_kind switch_kind;

#endif
