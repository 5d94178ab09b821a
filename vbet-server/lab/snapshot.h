/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A lab is kept in a directory, and goes on from there (docs/snapshots.md): files of its guests,
 * of its substrate process and of its server, and of what was in its run directory.
 */
#ifndef VBET_SERVER_LAB_SNAPSHOT_H
#define VBET_SERVER_LAB_SNAPSHOT_H

#include "lib/err.h"
#include "lib/words.h"
#include "vbet-server/lab/move.h"
#include "vbet-server/lab/still.h"

#include <stdbool.h>

struct carrier;
struct guest;
struct lab;

enum { SNAPSHOT_NO_RECORD = -1 };

enum snapshot_step {
	SNAPSHOT_NONE,
	SNAPSHOT_ASKED,     /* move.h: it waits for its turn (input.h) */
	SNAPSHOT_GUESTS,    /* they write themselves */
	SNAPSHOT_SUBSTRATE, /* so does the substrate process */
	SNAPSHOT_SERVER,    /* the server is to do so now */
	SNAPSHOT_MOVING,    /* no snapshot, but a guest goes to another process (move.h) */
	SNAPSHOT_THAWING,   /* restored: not all is back */
};

struct snapshot {
	enum snapshot_step step;
	char *asked;       /* owned: where one will be that waits for its turn (input.h), or NULL */
	bool asked_shares; /* of that one, what `shares` will be */
	char *dir;         /* owned: where it will be */
	char *made;        /* owned: where it is made, beside that */
	bool shares;       /* guests give back memory that is in their files by then */
	long recorded;     /* octets of the record of inputs (input.h), or SNAPSHOT_NO_RECORD */
	unsigned guests;   /* that have not written themselves */
	unsigned carriers; /* that have not: stood (hold), written themselves, thawed */
	int64_t went_on_ns; /* real clock: of a restored lab, when it did, by the host's clock */
	struct still still;
	struct move move;
	struct err failed;
};

/*
 * Asks for one. shares: nobody will change its files, and guests need not have what is in them
 * twice. -1: there can be none, and why. Its end is snapshot_is_over(), with `failed`. The
 * clock stands meanwhile, and nothing else is done to the lab.
 */
int snapshot_ask(struct lab *lab, const char *dir, bool shares, struct err *e);
bool snapshot_is_over(const struct lab *lab);
/*
 * It is its turn, or the lab is being set up; the clock stands, and none is under way: begins one
 * at once.
 */
void snapshot_begin(struct lab *lab, const char *dir, bool shares);
/* True while one is being taken, or the lab is not whole again. */
bool snapshot_is_under_way(const struct lab *lab);
/* SNAPSHOT_SERVER: the path of the server's file; then whether that is written. */
char *snapshot_server_file(const struct lab *lab);
void snapshot_end(struct lab *lab, const struct err *failed);
/* The file of a guest in a snapshot's directory; malloc'ed. */
char *snapshot_guest_file(const char *dir, const struct guest *gu);
/* That of a substrate process. */
char *snapshot_carrier_file(const char *dir, const struct carrier *c);
/* The real clock: its kernel stands, waits, or has gone (freezer.h). */
void snapshot_hear_guest(struct guest *gu);
/*
 * A process of the lab has ended: a snapshot that is being taken would not be whole. none_answers:
 * it is the one that all answers come from.
 */
void snapshot_spoil(struct lab *lab, const char *name, bool none_answers);
/* The real clock: a substrate process does not stand, and says why. */
void snapshot_hear_refusal(struct lab *lab, const char *why);
/* "frozen", "saved", "thawed"... of the substrate. */
void snapshot_hear(struct lab *lab, const struct words *w);
/* One that is being taken goes: the lab is about to end. */
void snapshot_drop(struct lab *lab);
void snapshot_finish(struct lab *lab);

#endif
