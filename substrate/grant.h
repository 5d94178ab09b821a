/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a rate is lent: one side asks (a traffic manager of the downstream node; a traffic manager of
 * the bandwidth manager), the other gives. Both keep a state and tell the other all of it, each
 * time; messages may be lost, late, repeated or swapped, and after the next one that arrives both
 * are right again. What holds at all times: the asker uses no more than the giver counts as held,
 * if the asker keeps to its limit (a property of the pair, tested with all kinds of disorder).
 *
 * Serials only grow, also over a restart of either side: they begin at the time now in nanoseconds.
 */
#ifndef SUBSTRATE_GRANT_H
#define SUBSTRATE_GRANT_H

#include <stdbool.h>
#include <stdint.h>

/* Asker to giver: "rate" upstream to downstream, "aggregate" to a VBM. */
struct grant_ask {
	uint64_t serial;  /* of the asker's state */
	uint64_t seen;    /* the giver's serial that the asker has put into effect */
	int64_t min_bps;  /* what it must have */
	int64_t want_bps; /* what it would use, min_bps or more */
	int64_t have_bps; /* the limit that it keeps to */
};

/* Giver to asker, in answer or of its own accord. */
struct grant_give {
	uint64_t serial;   /* of the giver's state */
	uint64_t seen;     /* the asker's serial that it knows */
	int64_t min_bps;   /* the minimum that it has admitted: less than asked for is a no */
	int64_t limit_bps; /* what the asker may use */
};

struct grant_asker {
	struct grant_ask ask;
	int64_t admitted_bps; /* the giver's word on the minimum */
	uint64_t known;       /* the giver's last serial; ask.seen follows once it is in effect */
	bool answered;        /* the giver knows ask.serial */
};

struct grant_giver {
	struct grant_give give;
	int64_t want_bps, asked_min_bps;
	int64_t held_bps; /* what the asker may be using: not yet to be given to others */
	uint64_t lowered; /* the serial of the last decrease */
};

void grant_asker_init(struct grant_asker *a, int64_t limit_bps, int64_t now_ns);
/* Asks for something else. True: say so (a->ask). A limit above the new wish is given up at once.
 */
bool grant_asker_want(struct grant_asker *a, int64_t min_bps, int64_t want_bps);
/* The giver says. True: something changed; have_bps may be lower or higher than before. */
bool grant_asker_hear(struct grant_asker *a, const struct grant_give *g);
/* The limit is in effect. True: the giver waits for this to be said (a->ask). */
bool grant_asker_confirm(struct grant_asker *a);

void grant_giver_init(struct grant_giver *g, int64_t limit_bps, int64_t now_ns);
/* The asker says. True: it is news; answer with g->give in any case. */
bool grant_giver_hear(struct grant_giver *g, const struct grant_ask *a);
/* Lends another rate, or admits another minimum. True: say so (g->give). */
bool grant_giver_set(struct grant_giver *g, int64_t min_bps, int64_t limit_bps);

#endif
