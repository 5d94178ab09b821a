/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The learning switch (IEEE 802.1Q-2018, clause 8).
 *
 * Parameters of the device:
 *   ageing=300s     how long a station is remembered; 0: for ever
 *   max_entries=8192  how many stations it can remember; when full, the others are flooded to
 *   wire=off        on: also passes 01-80-C2-00-00-00 to -0F (STP, LACP, 802.1X, LLDP), which a
 *                   switch keeps to itself (table 8-1): two routers speak LACP or LLDP through it
 *                   only with wire=on. Other multicast, as of OSPF, is always flooded.
 *   rstp=on         speaks rapid spanning tree (rstp.h), so that loops do no harm
 *   priority=32768  of the bridge, a multiple of 4096: the lowest becomes the root
 * Parameters of a port, the first three of which make the switch VLAN-aware. Until then, tags are
 * just payload; from then on, a port of which nothing is said is an access port of VLAN 1.
 *   vlan=10         access port: frames without a tag, of this VLAN
 *   trunk=10,20-29  trunk: tagged frames of these VLANs ("all")
 *   native=1        trunk: the VLAN of frames without a tag; none (default): they are dropped
 *   mirror=1,3      the port takes no part in switching, but gets a copy of every frame that comes
 *                   in at or goes out by these ports, as it came in; "all", "off"
 *
 *   stations=02:..:01,02:..:02   who lives behind this port and, unless another port names it, too,
 *                   nowhere else: a frame that says so and comes in at another port is dropped
 *                   ("foreign source"); frames to it go to no other port. none: anybody (default)
 *   cost=20000      for rstp: of the way through this port; 20000 is 1 Gbit/s, 200000 100 Mbit/s
 *   point_to_point=on   for rstp: off where a hub joins more than two bridges
 *
 * Why a frame goes nowhere: enum device_drop.
 */
#ifndef VSWITCH_SWITCH_H
#define VSWITCH_SWITCH_H

#include "substrate/device/device.h"

extern const struct device_kind switch_kind;

#endif
