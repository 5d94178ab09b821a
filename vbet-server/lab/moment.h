/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A moment of a run that is repeated (docs/snapshots.md, "What if"): the lab is kept as it was
 * then, and goes on. What is restored from it is another run from there on, with captures and a
 * record of its own.
 */
#ifndef VBET_SERVER_LAB_MOMENT_H
#define VBET_SERVER_LAB_MOMENT_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct lab;
struct lab_options;

struct moment {
	int64_t at_ns;
	char *dir; /* owned: where the lab is to be kept; NULL: nowhere, or it has been */
	bool saving;
	struct err refused; /* why it is not kept; kind 0: it is, or will be */
};

/* moment_ns and moment_dir of the options. */
void moment_init(struct lab *lab, const struct lab_options *opt);
/* Where the clock is to stand for it; INT64_MAX: nowhere. */
int64_t moment_next_ns(const struct lab *lab);
/* The clock stands, and all that the record has of that time is done: true if a snapshot has been
 * begun. */
bool moment_save(struct lab *lab);
/* A snapshot has come to its end. */
void moment_ended(struct lab *lab);
/* 0 if the lab has been kept, or -1 with the reason. */
int moment_is_kept(const struct lab *lab, struct err *e);
/*
 * In a server that was restored from it: the lab stands where its record ends, and what the other
 * run did later stays planned.
 */
void moment_go_on(struct lab *lab);
void moment_finish(struct lab *lab);

#endif
