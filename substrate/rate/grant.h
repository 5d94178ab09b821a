/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a rate is lent: one side asks (a traffic manager the one of the next node; a traffic manager
 * the bandwidth manager), the other gives. Both keep a state and tell the other all of it, each
 * time; messages may be lost, late, repeated or swapped, and after the next one that arrives both
 * are right again. What holds at all times: the asker's have_bps is at most the giver's held_bps.
 *
 * Serials only grow, also over a restart of either side: they begin at the time now in nanoseconds.
 */
#ifndef SUBSTRATE_RATE_GRANT_H
#define SUBSTRATE_RATE_GRANT_H

#include "lib/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define GRANT_MAX_BPS INT64_C(1000000000000000) /* the most that a message may speak of */

/* Asker to giver: "rate" to the next node, "aggregate" to a VBM. */
struct grant_ask {
	uint64_t serial;  /* of the asker's wish */
	uint64_t seen;    /* the giver's serial that the asker has put into effect */
	int64_t min_bps;  /* what it must have */
	int64_t want_bps; /* what it would use, min_bps or more */
	int64_t have_bps; /* what it may be using */
};

/* Giver to asker, in answer or of its own accord. */
struct grant_give {
	uint64_t serial;   /* of the giver's decision */
	uint64_t seen;     /* the asker's serial that it knows */
	int64_t min_bps;   /* the minimum that it has admitted: less than asked for is a no */
	int64_t limit_bps; /* what the asker may use */
};

struct grant_asker {
	struct grant_ask ask;
	int64_t limit_bps;    /* what it may use; less than ask.have_bps until it confirms */
	int64_t admitted_bps; /* the giver's word on the minimum */
	uint64_t known;       /* the giver's last serial; ask.seen follows once it is in effect */
	bool answered;        /* the giver knows ask.serial */
	bool owes;            /* its limit was lowered, and it has not confirmed that yet */
};

struct grant_giver {
	struct grant_give give;
	int64_t want_bps, asked_min_bps;
	int64_t held_bps;   /* what the asker may be using: not yet to be given to others */
	uint64_t lowered;   /* the serial of the last decrease */
	uint64_t confirmed; /* the last serial that the asker has put into effect */
};

/* min_bps: what it has from the beginning, and wants. */
void grant_asker_init(struct grant_asker *a, int64_t min_bps, int64_t now_ns);
/*
 * Wants something else. True: say so (a->ask). More than it wants it has no longer: the caller
 * keeps to that before it says so.
 */
bool grant_asker_want(struct grant_asker *a, int64_t min_bps, int64_t want_bps);
/* Wants the same, but something else that goes with the wish has changed: say so (a->ask). */
void grant_asker_again(struct grant_asker *a);
/* The giver says. True: limit_bps or admitted_bps is another, or the wish is now answered. */
bool grant_asker_hear(struct grant_asker *a, const struct grant_give *g);
/* No more than the limit is in use now. True: the giver waits to hear that (a->ask). */
bool grant_asker_confirm(struct grant_asker *a);
/* Gives up what is above limit_bps without being told. True: it did; say so. */
bool grant_asker_fall(struct grant_asker *a, int64_t limit_bps);

/* min_bps: what the asker has from the beginning. */
void grant_giver_init(struct grant_giver *g, int64_t min_bps, int64_t now_ns);
/* The asker says. True: something changed. An answer (g->give) is due in any case. */
bool grant_giver_hear(struct grant_giver *g, const struct grant_ask *a);
/* Lends another rate, or admits another minimum. True: say so (g->give). */
bool grant_giver_set(struct grant_giver *g, int64_t min_bps, int64_t limit_bps);

/* As words of a message: "serial=.. seen=.. min=.. want=.. have=..", or "... min=.. limit=..". */
void grant_ask_put(FILE *out, const struct grant_ask *a);
void grant_give_put(FILE *out, const struct grant_give *g);
/* 0, or -1 with the error set: a word is missing, or no number in range. */
int grant_ask_get(const struct words *w, struct grant_ask *a, struct err *e);
int grant_give_get(const struct words *w, struct grant_give *g, struct err *e);

#endif
