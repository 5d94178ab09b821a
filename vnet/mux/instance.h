/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A protocol instance: a process in a sandbox, watched, and unloaded when it exceeds its limits.
 * The only file of this room that starts processes.
 */
#ifndef VNET_MUX_INSTANCE_H
#define VNET_MUX_INSTANCE_H

#include "lib/loop.h"
#include "lib/spawn.h"
#include "vnet/mux/limits.h"

struct instance {
	char *name;  /* owned; "control" is the control daemon */
	char **argv; /* owned, as are its strings; argv[0] a program's name or path */
	struct limits limits;
	struct limits_state state;
	struct loop *loop;  /* borrowed */
	struct child child; /* pid 0: does not run */
	struct loop_watch exit_watch;
	struct loop_timer check_timer;
	int64_t cpu_ns, memory_bytes, memory_peak_bytes; /* as last seen */
	uint64_t times_stopped;
	bool open_files;  /* see sandbox_create() */
	unsigned layers;  /* of its sandbox */
	bool clean;       /* it has ended by itself, with status 0 */
	bool killed;      /* somebody has ended it by a signal that is no fault of its own */
	char reason[256]; /* why it does not run; "" while it does */
	/* It has ended, or was unloaded; the reason is set. May destroy nothing of it. */
	void (*on_end)(struct instance *i);
	void *owner;
};

/* Takes copies of the name and argv. */
struct instance *instance_create(struct loop *l, const char *name, const struct limits *limits,
				 char *const *argv);
void instance_destroy(struct instance *i);
/*
 * Starts it: descriptor 3 is `channel`, 4 `listener` (-1: none), its output ours. environment ends
 * with NULL. 0 or -1.
 */
int instance_start(struct instance *i, int channel, int listener, char *const *environment,
		   struct err *e);
/* Ends it at once, if it runs; nobody is told. */
void instance_stop(struct instance *i, const char *reason);
/* Is it loaded? */
bool instance_runs(const struct instance *i);
/* "running", "stopped" (waits for CPU time), "ended". */
const char *instance_state(const struct instance *i);

#endif
