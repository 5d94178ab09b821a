/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The substrate processes of a lab, by their numbers in the plan. */
#ifndef VBET_SERVER_SUBSTRATES_H
#define VBET_SERVER_SUBSTRATES_H

#include "lib/vec.h"
#include "vbet-server/lab/carrier.h"

struct substrates {
	VEC(struct substrate_link *) at; /* owned; [number - 1]; NULL: none has that number */
};

/* The process of that number, started or not; from 1. */
struct substrate_link *substrates_at(const struct substrates *s, unsigned number);
/* Makes room for a process that is about to be started; name is copied. */
struct substrate_link *substrates_add(struct substrates *s, unsigned number, const char *name);
/* Sends a line to one process; answer may be NULL. */
void substrates_send(struct substrates *s, unsigned number, const char *line,
		     substrate_answer_fn answer, void *ctx);
/*
 * Sends a line that one of them will understand to all. There is one answer: the first good one,
 * or else the last.
 */
void substrates_send_all(struct substrates *s, const char *line, substrate_answer_fn answer,
			 void *ctx);
/* The state of all as one: what "status" answers, as JSON that is no word yet. */
void substrates_ask_status(struct substrates *s, substrate_answer_fn answer, void *ctx);
/* Ends one process, or all, and forgets it. */
void substrates_stop(struct substrates *s, unsigned number);
void substrates_stop_all(struct substrates *s);

#endif
