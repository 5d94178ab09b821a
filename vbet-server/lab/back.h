/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Snapshots that a lab in virtual time takes of itself as it goes, so that going back repeats no
 * more than what came after one of them (docs/snapshots.md, "Going back").
 */
#ifndef VBET_SERVER_LAB_BACK_H
#define VBET_SERVER_LAB_BACK_H

#include "lib/err.h"
#include "lib/words.h"
#include "vbet-server/store/back_dir.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct guest;
struct lab;
struct lab_options;

struct back {
	int64_t every_ns;    /* of the lab's clock; 0: the lab takes none */
	int64_t limit_bytes; /* that all of them may take */
	bool due;            /* the clock stands for one */
	bool saving;
	int64_t began_ns, ended_ns, took_ns; /* the last one, by the wall */
	struct back_points kept;
};

/* back_every_ns and back_bytes of the options; 0 bytes: a quarter of what is free. */
void back_set(struct lab *lab, const struct lab_options *opt);
/* The lab is ready, or has come to the end of a record: plans the next stand. */
void back_plan(struct lab *lab);
/* "stand", for the table of verb.c: the clock stands, which is an input. */
int back_stand(struct lab *lab, const struct words *w, FILE *out, struct err *e);
/* After a stand, when its line is in the record: true if a snapshot has been begun. */
bool back_save(struct lab *lab);
/* A snapshot has come to its end. */
void back_ended(struct lab *lab);
/* In a server that was restored, whatever from: what is in its run directory is kept. */
void back_thaw(struct lab *lab);
/*
 * In a server that was restored from one of them, before the lab goes on: it follows the record
 * `text` of its run from there up to to_ns. The record goes on in the run directory. 0 or -1.
 */
int back_follow(struct lab *lab, const char *text, int64_t to_ns, struct err *e);
void back_finish(struct lab *lab);

#endif
