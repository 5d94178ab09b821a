/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Programs of end systems: commands of the script that run on the host, as the user, attached to
 * virtual links by libvnet. They begin when the lab is ready and end with it.
 */
#ifndef VBET_SERVER_LAB_PROGRAM_H
#define VBET_SERVER_LAB_PROGRAM_H

#include "lib/err.h"
#include "lib/vec.h"

struct lab;
struct program;

struct programs {
	VEC(struct program *) all; /* owned */
};

/* Takes copies. It is started by the next programs_start(). */
void programs_add(struct programs *p, const char *name, const char *node, const char *command);
/* Starts what was added, by /bin/sh, in the script's directory, with VNET_CONF and VBET_NODE;
 * output goes to the node's console.log. 0, or -1 with the error set: the first that could not be
 * started. */
int programs_start(struct programs *p, struct lab *lab, struct err *e);
/* Ends one, and all that belongs to its session; nothing happens if there is none of that name. */
void programs_stop(struct programs *p, const char *name);
void programs_finish(struct programs *p);

#endif
