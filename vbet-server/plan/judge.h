/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What guests said of their routes and neighbours against what is expected. Pure. */
#ifndef VBET_SERVER_PLAN_JUDGE_H
#define VBET_SERVER_PLAN_JUDGE_H

#include "lib/addr.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How a routing protocol is asked for its neighbours. */
struct judge_protocol {
	const char *name; /* "ospf" */
	const char *daemon, *command;
	const char *state; /* that a neighbour is to come to */
	bool is_on_wire;   /* all who speak it on one wire become neighbours, with no word of it */
};

/* NULL: no such protocol. */
const struct judge_protocol *judge_find_protocol(const char *name);
/* The i-th name, or NULL past the end. */
const char *judge_protocol_at(size_t i);

/* A node that is to be a neighbour, and all by which a daemon may call it. */
struct judge_peer {
	const char *node, *hostname;
	struct addr *addrs;
	size_t n_addrs;
	const char **devs; /* NICs of the node that is asked, behind which is this one alone */
	size_t n_devs;
	bool is_near; /* on a wire with it */
};

struct judge_neighbors {
	const struct judge_protocol *protocol;
	const char *node;
	const char *state; /* NULL: the protocol's */
	bool is_all;       /* every neighbour that it has, and at least these; else: the first */
	struct judge_peer *peers;
	size_t n_peers;
	bool tells_all; /* also those that are as they should be, beside others that are not */
};

/* text: what the daemon answered; the guest is not trusted. What was seen goes to out. */
bool judge_neighbors(const struct judge_neighbors *q, const char *text, FILE *out);
/*
 * want: "look" "route" NODE DEST [via=] [dev=] [proto=] [metric=]. text: lines
 * "DEST [via=ADDR] [dev=NIC] proto=N metric=N type=N" of the routes to DEST.
 */
bool judge_routes(const struct words *want, const char *text, FILE *out);

#endif
