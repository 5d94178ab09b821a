/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How turns of a guest come and go: a pipe to its kernel and one back (vkernel's patch 0063). A
 * message by a Unix socket, which all else takes, is half again as much work for the host.
 */
#ifndef SUBSTRATE_CLOCK_TURN_PIPES_H
#define SUBSTRATE_CLOCK_TURN_PIPES_H

#include "lib/loop.h"
#include "lib/time_travel.h"

/* Our ends. */
struct turn_pipes {
	struct loop_watch wait; /* fd -1: there are none */
	int run_fd;
};

/* There are none yet; ready: when the guest says that it waits. */
void turn_pipes_init(struct turn_pipes *p,
		     void (*ready)(struct loop_watch *w, uint32_t events, int64_t now_ns));
/* Makes both, in the loop l. guest_fds: the guest's ends, run and wait; the caller's. 0 or -1. */
int turn_pipes_open(struct turn_pipes *p, struct loop *l, int guest_fds[2]);
/* Nothing is heard of the guest any more, which sees no end yet. */
void turn_pipes_leave(struct turn_pipes *p, struct loop *l);
void turn_pipes_close(struct turn_pipes *p, struct loop *l);
/* In a process that was restored: nothing is open. */
void turn_pipes_thaw(struct turn_pipes *p);
/* One that does not read fills its own pipe, and never runs again. */
void turn_pipes_send(const struct turn_pipes *p, const struct time_message *m);
/* 1: a message; 0: none is there, or the end; -1: a piece of one. */
int turn_pipes_receive(const struct turn_pipes *p, struct time_message *m);

#endif
