/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One substrate process and the server's end of the control protocol to it: lines out, answers back
 * in order.
 */
#ifndef VBET_SERVER_LAB_CARRIER_H
#define VBET_SERVER_LAB_CARRIER_H

#include "lib/conn.h"
#include "lib/spawn.h"

#include <stdbool.h>

/* ok: the answer began with "ok", text is the rest; else text is the reason. */
typedef void (*carrier_answer_fn)(void *ctx, bool ok, const char *text);

struct carrier_request {
	carrier_answer_fn answer;
	void *ctx;
	struct carrier_request *next;
};

struct carrier {
	char *name;      /* owned by who made it: "substrate", "substrate.2" */
	unsigned number; /* in the plan, from 1 */
	bool lost;       /* it has ended by itself */
	struct conn conn;
	struct child child;
	struct carrier_request *first, **last;
	void (*on_event)(struct carrier *s, const char *line); /* "up r1:eth0" */
	void (*on_lost)(struct carrier *s);
	void *ctx;
};

/* Starts `program` with its log to log_fd. 0 or -1. */
int carrier_start(struct carrier *s, struct loop *l, const char *program, int log_fd,
		  struct err *e);
/*
 * In a server that was restored: the same, restored from the file `state`; moved: pairs of words,
 * how paths began and how they begin now, then NULL. Nothing was outstanding. 0 or -1.
 */
int carrier_thaw(struct carrier *s, struct loop *l, const char *program, const char *state,
		 char *const moved[], int log_fd, struct err *e);
/* Sends one line (without newline); answer may be NULL. */
void carrier_send(struct carrier *s, const char *line, carrier_answer_fn answer, void *ctx);
/* Ends the process, waits for it, fails what is outstanding. */
void carrier_stop(struct carrier *s);

#endif
