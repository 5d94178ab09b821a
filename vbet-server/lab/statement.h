/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines that a running lab's script grows by. */
#ifndef VBET_SERVER_LAB_STATEMENT_H
#define VBET_SERVER_LAB_STATEMENT_H

#include "lib/err.h"
#include "lib/words.h"
#include "topo/topo.h"

#include <stdio.h>

struct lab;

/* Of "statement TEXT [before=TEXT] [name=NAME] [line=N]", and of the like. Borrowed from the words.
 */
struct topo_place statement_place(const struct words *w);
/*
 * One more line of the script, in a change that is being said. -1, with the error set: it is not
 * understood, or cannot be planned. place NULL: of our own making.
 */
int statement_add(struct lab *lab, const char *text, const struct topo_place *place, struct err *e);
/* The last line that was added was never said. 0 or -1. */
int statement_take_back(struct lab *lab, struct err *e);
/*
 * What "expect TEXT" would try (TEXT may have that word in front), as words: "is|not", for how long
 * it is tried, the pause between two tries and for how long it must hold (all in ns),
 * "holds|settles" (command/trial.h), and the request that begins a try. Nothing is changed. 0, or
 * -1 with the error set.
 */
int statement_read_check(struct lab *lab, const char *text, const struct topo_place *place,
			 FILE *out, struct err *e);

#endif
