/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Commands that the server runs in guests for somebody who asks for the result later: a client
 * could not say exactly when in virtual time its own messages reach the guest.
 */
#ifndef VBET_SERVER_LAB_JOB_H
#define VBET_SERVER_LAB_JOB_H

#include "lib/err.h"
#include "lib/words.h"

#include <stdio.h>

struct lab;
struct job;

struct jobs {
	struct job *first; /* owned */
	unsigned last_id;
};

/*
 * "job NODE [timeout_ms=N] [peer=NODE] -- ARGV...": starts it and prints its number; the address
 * by which NODE calls the peer is in its environment (plan/event.h). "result NUMBER": prints
 * "running", or "done STATUS TEXT" and forgets it. STATUS is as a shell has it; TEXT is the
 * beginning of what it printed. With words want. ... (plan/judge_answer.h) what it printed is
 * judged, too: STATUS is 0 if it is as wanted. "look [timeout_ms=N] ...": the same for what guests
 * know (look.h); STATUS is 0 if it holds, and TEXT says what was seen.
 */
int job_command(struct lab *lab, const struct words *w, FILE *out, struct err *e);
/* Nobody will ask for results any more; what runs in guests goes on. */
void job_forget(struct lab *lab);
void job_finish(struct lab *lab);

#endif
