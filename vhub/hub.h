/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The hub: what comes in at one port goes out at all others.
 *
 * Parameters:
 *   medium=plain    a repeater without limits (default)
 *   medium=shared   one half-duplex medium for all, with carrier sense and collisions (medium.h)
 *   rate=10Mbit     of the shared medium
 *   propagation=TIME   how long a bit needs from any port to any other: default 64 bit times, at
 *                   most half a slot (256 bit times)
 *   queue=64        frames that a station of the shared medium holds back at most
 *
 * A frame that finds the queue of its station full is dropped by the device; what the medium gives
 * up later, its own counters tell ("excessive_collisions").
 */
#ifndef VHUB_HUB_H
#define VHUB_HUB_H

#include "substrate/device/device.h"

extern const struct device_kind hub_kind;

#endif
