/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The substrate processes of a lab, by their numbers in the plan. */
#ifndef VBET_SERVER_LAB_CARRIERS_H
#define VBET_SERVER_LAB_CARRIERS_H

#include "lib/vec.h"
#include "vbet-server/lab/carrier.h"
#include "vbet-server/lab/status.h"

struct carriers {
	VEC(struct carrier *) at; /* owned; [number - 1]; NULL: none has that number */
	/* Owned: stopped, but they had ended by themselves: one may just be telling so. */
	VEC(struct carrier *) ended;
};

/* The process of that number, started or not; from 1. */
struct carrier *carriers_at(const struct carriers *s, unsigned number);
/* Makes room for a process that is about to be started; name is copied. */
struct carrier *carriers_add(struct carriers *s, unsigned number, const char *name);
/* Sends a line to one process; answer may be NULL. */
void carriers_send(struct carriers *s, unsigned number, const char *line, carrier_answer_fn answer,
		   void *ctx);
/* Sends a line to each; each answers, unless answer is NULL. */
void carriers_send_each(struct carriers *s, const char *line, carrier_answer_fn answer, void *ctx);
/* How many there are. */
unsigned carriers_count(const struct carriers *s);
/*
 * Sends a line that one of them will understand to all. There is one answer: the first good one,
 * or else the last.
 */
void carriers_send_all(struct carriers *s, const char *line, carrier_answer_fn answer, void *ctx);
/* status: NULL if nobody answered; the caller's, gone when this returns. */
typedef void carriers_status_fn(void *ctx, struct json_object *status);
/* The state of all as one (status.h). */
void carriers_ask_status(struct carriers *s, carriers_status_fn *answer, void *ctx);
/* ok: all lived after they were asked; else the answer is the name of one that has ended. */
void carriers_ask_whole(struct carriers *s, carrier_answer_fn answer, void *ctx);
/* True if nobody waits for an answer. */
bool carriers_are_idle(const struct carriers *s);
/* Ends one process, or all, and forgets it. */
void carriers_stop(struct carriers *s, unsigned number);
void carriers_stop_all(struct carriers *s);

#endif
