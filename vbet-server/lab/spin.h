/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Guests that compute in virtual time and never let their clock go on: they are noticed, named, and
 * left alone (spin = report), ended (spin = stop), or pay with their own time for that of the
 * machine (spin = charge), which is vsubstrate's business.
 */
#ifndef VBET_SERVER_LAB_SPIN_H
#define VBET_SERVER_LAB_SPIN_H

#include "lib/words.h"

#include <stdbool.h>

struct err;
struct guest;
struct lab;

/* What the substrate says: "spin NAME" it begins, "spun NAME" it has ended. */
void spin_hear(struct lab *lab, const struct words *w);
/* Ends a guest that spins: the clock cannot be stopped for it. False: it does not spin. */
bool spin_kill(struct lab *lab, struct guest *gu);
/* It does not any more. */
void spin_end(struct guest *gu);
/* Who spins, as a sentence, malloc'ed; NULL: nobody. */
char *spin_describe(const struct lab *lab);
/* True, and the error set, if a guest spins for longer than it may take to boot: nobody should wait
 * any longer. */
bool spin_is_stuck(const struct lab *lab, struct err *e);

#endif
