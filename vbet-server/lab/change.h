/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A change to a running lab is one value; how it lives is told in change.c. */
#ifndef VBET_SERVER_LAB_CHANGE_H
#define VBET_SERVER_LAB_CHANGE_H

#include "lib/err.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stdio.h>

struct lab;

enum change_state {
	CHANGE_NONE,         /* none is under way */
	CHANGE_BEGINS,       /* it is being said: change_do() runs */
	CHANGE_DOING,        /* all is said, answers are outstanding */
	CHANGE_REFUSED,      /* the same, and one of them was no */
	CHANGE_ROLLING_BACK, /* a refused statement is taken back: refusals do not count */
};

/* Whose it is: who hears that it was refused, and what is in a record already. */
enum change_origin {
	CHANGE_OF_CLIENT, /* somebody waits for change_take_refusal() */
	CHANGE_OF_LAB,    /* planned by the script, or the server's own */
	CHANGE_OF_RECORD, /* what came of it in the run that is repeated is in the record, too */
};

struct change_run {
	enum change_state state;
	enum change_origin origin; /* of this one, or of the last */
	bool is_statement;         /* the script has become longer */
	unsigned outstanding;      /* answers to plan steps; also while the lab is set up */
	struct err refused;        /* the first no, until somebody takes it or the next begins */
};

/*
 * Does one, and records it: "link A B down", "plug A B", "unplug A", "statement TEXT", "start
 * NODE", "stop NODE" ... (verb.c has them all). None is under way, and the clock stands (input.h),
 * or is the real one. 0, or -1 with the error set: then nothing was changed, or it is being rolled
 * back. Answers come later.
 */
int change_do(struct lab *lab, enum change_origin origin, const struct words *w, FILE *out,
	      struct err *e);
/* True if none is under way and nothing is outstanding. */
bool change_is_over(const struct lab *lab);
/* What the last one was refused for, once: e is left alone if it was not. */
void change_take_refusal(struct lab *lab, struct err *e);

/* step.c and outside.c: one more answer is owed; one has come, which was no if refused is set. */
void change_ask(struct lab *lab);
void change_answered(struct lab *lab, const struct err *refused);
/* Something that was asked for cannot be had: fails the set-up, or the change. */
void change_refuse(struct lab *lab, const struct err *e);

#endif
