/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The hub: what comes in at one port goes out at all others. */
#ifndef VHUB_HUB_H
#define VHUB_HUB_H

#include "substrate/device.h"

extern const struct device_kind hub_kind;

#endif
