/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Things of a graph in words, for people who see only a part of it. */
#ifndef VBET_SERVER_PLAN_DESCRIBE_H
#define VBET_SERVER_PLAN_DESCRIBE_H

#include "topo/graph.h"

/*
 * "eth0 of r1 (router), 10.0.0.1/24, cable to s1:3" for "r1:eth0", in the arena. What does not
 * exist is given back as it is.
 */
const char *describe_nic(const struct graph *g, const char *nic, struct arena *a);
/* The end of a cable or of a virtual link that is not this one, "s1:3". NULL: the NIC is not
 * plugged. */
const char *describe_far_end(const struct graph *g, struct graph_end end, struct arena *a);

#endif
