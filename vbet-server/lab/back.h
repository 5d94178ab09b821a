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

/* The newest snapshot of the lab's own that has a guest as it is, if it has not moved since. */
struct back_kept {
	bool is_set;
	int64_t time_ns; /* of that snapshot */
	char moves[24];  /* what the substrate said then: it changes when the guest may have */
};

struct back {
	int64_t every_ns;    /* of the lab's clock; 0: the lab takes none */
	int64_t limit_bytes; /* that all of them may take */
	bool due;            /* the clock stands for one */
	bool rests;          /* none is planned while no guest runs: nothing happens */
	bool asked;          /* how many guests it has to write, and the answer is to come */
	unsigned moved;      /* the answer */
	bool saving;
	bool follows;      /* it goes on from one of them, and a record leads it */
	unsigned failures; /* in a row */
	int64_t began_ns, ended_ns, took_ns; /* the last one, by the wall */
	unsigned written;                    /* guests that it had to write */
	int64_t written_bytes;               /* and what they took */
	struct back_points kept;
};

/* back_every_ns and back_bytes of the options; 0 bytes: a quarter of what is free. */
void back_set(struct lab *lab, const struct lab_options *opt);
/* The lab is ready, or has come to the end of a record: plans the next stand. */
void back_plan(struct lab *lab);
/* A guest boots. */
void back_wake(struct lab *lab);
/* "stand", for the table of verb.c: the clock stands, which is an input. */
int back_stand(struct lab *lab, const struct words *w, FILE *out, struct err *e);
/* After a stand, when its line is in the record: true if a snapshot has been begun, or may be. */
bool back_save(struct lab *lab);
/* It is decided whether there is one. */
bool back_is_settled(const struct lab *lab);
/*
 * A guest's file of the newest snapshot but one, malloc'ed, if one is being taken and that is
 * there: a guest that has not moved since (gu->kept.moves) need not be written again. NULL: it must
 * be.
 */
char *back_last_file(const struct guest *gu);
/* It is in the one that is being taken; moves: NULL: as it was. */
void back_note_guest(struct guest *gu, const char *moves);
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
