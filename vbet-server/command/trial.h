/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a check is tried again, and when it is decided. Pure: times are those of the lab's clock. */
#ifndef VBET_SERVER_COMMAND_TRIAL_H
#define VBET_SERVER_COMMAND_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

enum trial_verdict { TRIAL_AGAIN, TRIAL_HELD, TRIAL_MISSED };

struct trial {
	int64_t start_ns, deadline_ns; /* the first try; the last one begins no later */
	int64_t pause_ns;              /* from one try to the next, at the least */
	int64_t stays_ns; /* for how long it must hold, once it does; past the deadline, too */
	bool backs_off;   /* the longer it is tried, the rarer */
	bool is_settling; /* what is asked has no answer, but must stay as it is */
	/* What became of it so far. */
	bool holds;       /* at the last try */
	int64_t since_ns; /* from when on it held */
	char *seen;       /* is_settling: the last answer; owned */
	char *changed; /* the first words of its lines that were other ones before; owned, or NULL
			*/
};

/* The rest is 0: it is to be told by the caller. */
struct trial trial_begin(int64_t start_ns, int64_t deadline_ns);
/*
 * A try that began at began_ns has ended, now. text: what it said (used if is_settling). *next_ns:
 * when the next one begins, if there is one.
 */
enum trial_verdict trial_end_try(struct trial *t, bool held, const char *text, int64_t began_ns,
				 int64_t now_ns, int64_t *next_ns);
/*
 * What came of something that settles, for people: "converged after 2.250 s", or what changed last;
 * malloc'ed. NULL: it does not settle.
 */
char *trial_settled_text(const struct trial *t, bool held);
void trial_finish(struct trial *t);

#endif
