/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Carries plans out: one function per operation, done, changed and undone. */
#ifndef VBET_SERVER_LAB_STEP_H
#define VBET_SERVER_LAB_STEP_H

#include "lib/err.h"

struct lab;
struct plan;

/*
 * Turns what `from` has made into what `to` says. Answers to it come later (change.h). -1, with the
 * error set, at the first step that cannot be taken at all: the rest is left undone.
 */
int step_apply(struct lab *lab, const struct plan *from, const struct plan *to, struct err *e);

#endif
