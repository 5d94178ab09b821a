/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines that a running lab's script grows by. */
#ifndef VBET_SERVER_LAB_STATEMENT_H
#define VBET_SERVER_LAB_STATEMENT_H

#include "lib/err.h"

#include <stdio.h>

struct lab;

/*
 * One more line of the script, in a change that is being said. -1, with the error set: it is not
 * understood, or cannot be planned.
 */
int statement_add(struct lab *lab, const char *text, struct err *e);
/* The last line that was added was never said. 0 or -1. */
int statement_take_back(struct lab *lab, struct err *e);
/*
 * What "at TIME TEXT" would do, as the words of a request: "link a:eth0 b:eth0 down". Nothing is
 * changed. 0, or -1 with the error set.
 */
int statement_read_action(struct lab *lab, const char *text, FILE *out, struct err *e);
/*
 * What "expect TEXT" would try, as words: "is|not", for how long it is tried, the pause between two
 * tries and for how long it must hold (all in ns), "holds|settles" (command/trial.h), and the
 * request that begins a try. Nothing is changed. 0, or -1 with the error set.
 */
int statement_read_check(struct lab *lab, const char *text, FILE *out, struct err *e);

#endif
