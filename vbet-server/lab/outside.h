/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a lab has of the host: one process (vbet-outside) that makes the interfaces the plan wants
 * and hands them over to the substrate. It is told of them when the substrate knows their NICs.
 */
#ifndef VBET_SERVER_LAB_OUTSIDE_H
#define VBET_SERVER_LAB_OUTSIDE_H

#include "lib/vec.h"
#include "vbet-server/lab/carrier.h"

struct lab;

struct outside_lines {
	char **at; /* owned, and so is each */
	size_t n, cap;
};

struct outside {
	struct carrier link;
	bool started;
	bool is_to_thaw;  /* restored: the other lab had it */
	bool failed;      /* so it was, and could not be */
	unsigned thawing; /* answers that are to come */
	char place[8];    /* "own", "host"; "": not known yet */
	struct outside_lines waiting;
};

/* A line for the process, as soon as all that was asked of the substrate is answered. */
void outside_tell(struct lab *lab, const char *line);
/* Sends what waits. False: nothing did, or the process cannot be started, which is refused then. */
bool outside_pump(struct lab *lab);
void outside_stop(struct lab *lab);
/* In a server that was restored: the process is none of ours. */
void outside_forget(struct lab *lab);
/* When NICs listen: what the lab had of the host is made anew. 0 or -1; snapshot.h hears of the
 * end. */
int outside_thaw(struct lab *lab, struct err *e);

#endif
