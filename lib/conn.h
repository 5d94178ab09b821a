/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stream socket on the loop with buffers on both sides: nothing blocks. Handlers may close the
 * connection, but not free the struct before they return. In one turn of the loop it reads once and
 * has its handler called some hundred times at most: then others have their turn.
 */
#ifndef LIB_CONN_H
#define LIB_CONN_H

#include "lib/loop.h"

#include <stddef.h>

struct conn {
	struct loop *loop; /* borrowed */
	struct loop_watch watch;
	struct loop_timer again; /* set: input is left that was read in an earlier turn */
	char *in, *out;          /* owned */
	size_t in_len, in_cap, out_len, out_sent, out_cap;
	size_t in_max; /* more than this unconsumed closes the connection */
	/* Bytes came: returns how many were used; the rest is kept and offered again with more. */
	size_t (*on_data)(struct conn *c, const char *data, size_t len);
	/* The other side closed, or an error; the descriptor is closed already. Called once. */
	void (*on_close)(struct conn *c);
	void *owner;
	bool closing;
	bool corked; /* what is written waits */
	bool waits; /* what was read waits for the loop's next turn; until then nothing more is read
		     */
};

/* Takes over fd (made non-blocking). Set on_data, on_close and owner before. 0 or -1. */
int conn_open(struct conn *c, struct loop *l, int fd, struct err *e);
/* Queues bytes; written as the socket takes them. Ignored after close. */
void conn_write(struct conn *c, const void *data, size_t len);
void conn_printf(struct conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Reads and handles all that has arrived, now: for when something else says that there is
 * something. */
void conn_poll(struct conn *c);
/* What on_data left is offered again in the loop's next turn, though nothing more has come. */
void conn_offer(struct conn *c);
/* Closes when all queued bytes are written; on_close is called then. */
void conn_close_later(struct conn *c);
/* Until it is taken out again, what is written waits here, and not in the socket. */
void conn_cork(struct conn *c, bool in);
/*
 * In a process that has none of its descriptors (loop_thaw()). Thaw: it goes on with fd (taken
 * over), without a cork, and what waits in both directions is still there; 0 or -1. Hold: until
 * then it keeps what is written. Forget: closed, as by conn_finish(); with nothing in it, it may be
 * thawed all the same.
 */
void conn_hold(struct conn *c);
int conn_thaw(struct conn *c, struct loop *l, int fd, struct err *e);
void conn_forget(struct conn *c);
/* Closes at once, frees buffers, does not call on_close. Safe on a zeroed or closed one. */
void conn_finish(struct conn *c);
bool conn_is_open(const struct conn *c);
size_t conn_pending(const struct conn *c);

#endif
