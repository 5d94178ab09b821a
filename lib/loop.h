/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The event loop: descriptors, timers, signals, in one epoll. The clock is read once per turn and
 * passed to every handler. A handler may remove or free any watch, its own too, at any time.
 */
#ifndef LIB_LOOP_H
#define LIB_LOOP_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* One watched descriptor. Embed it in the object that owns the descriptor. */
struct loop_watch {
	/*
	 * Borrowed: the owner closes it, after loop_remove(). One whose file another process has
	 * open, too, can be closed while it is watched, and is -1 then: the events of the file
	 * still come (epoll(7)), until that process closes it; loop_remove() makes them nobody's.
	 */
	int fd;
	void (*ready)(struct loop_watch *w, uint32_t events, int64_t now_ns);
	uint32_t slot; /* the loop's own */
};

/* One timer. Embed it; zero-initialise. */
struct loop_timer {
	int64_t at_ns; /* CLOCK_MONOTONIC */
	void (*fire)(struct loop_timer *t, int64_t now_ns);
	uint32_t heap_index; /* the loop's own; 0: not set */
};

struct loop *loop_create(struct err *e);
void loop_destroy(struct loop *l);
/* Starts watching w->fd for events (EPOLLIN...). 0 or -1. */
int loop_add(struct loop *l, struct loop_watch *w, uint32_t events, struct err *e);
void loop_change(struct loop *l, struct loop_watch *w, uint32_t events);
/*
 * For the handler of a listening socket that is watched for EPOLLIN: the next connection, close on
 * exec and non-blocking, or -1 (errno kept). Without descriptors or memory for it, the socket is
 * left alone for 100 ms: a loop that is told of it again and again would do nothing else.
 */
int loop_accept(struct loop *l, struct loop_watch *w);
/*
 * Blocks SIGINT, SIGTERM, SIGHUP and `also` (0: no other) in this process and watches for them:
 * w->ready is the caller's, w->fd becomes a signalfd(2), which the caller reads and closes; -1 if
 * there is none. As a descriptor a signal is an event like any other and interrupts nothing. 0 or
 * -1.
 */
int loop_add_signals(struct loop *l, struct loop_watch *w, int also, struct err *e);
/* Stops watching; safe on a watch that is not in the loop, if it was zero-initialised. */
void loop_remove(struct loop *l, struct loop_watch *w);
/* Sets (or moves) a timer; cancels it. */
void loop_set_timer(struct loop *l, struct loop_timer *t, int64_t at_ns);
void loop_cancel_timer(struct loop *l, struct loop_timer *t);
/*
 * In a process that has the memory of another and none of its descriptors: nothing is watched any
 * more, all is as it was otherwise, and the clock goes on from then_ns. 0 or -1.
 */
int loop_thaw(struct loop *l, int64_t then_ns, struct err *e);
/* The clock goes on from then_ns, which has been: what was in between has not happened here. */
void loop_set_back(struct loop *l, int64_t then_ns);
/* Waits for and handles one batch of events; at most until_ns (INT64_MAX: no bound). */
int loop_turn(struct loop *l, int64_t until_ns, struct err *e);
/* Turns until loop_stop(). */
int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l);
/* After loop_stop(): turns handle events again. */
void loop_resume(struct loop *l);
/* The time of this turn; outside of a turn, the clock. */
int64_t loop_now_ns(const struct loop *l);
/*
 * CLOCK_MONOTONIC in ns, or what it would be if this process had never been kept in a file: for
 * main programs and the loop only.
 */
int64_t clock_monotonic_ns(void);
/* CLOCK_MONOTONIC in ns, as other processes have it: it does not go back in one that was kept. */
int64_t clock_host_ns(void);

#endif
