/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One direction of a cable: arithmetic on (state, frame length, now, random stream). It keeps no
 * frames: for each frame it says when it arrives at the far end, or why it does not.
 */
#ifndef SUBSTRATE_CABLE_CABLE_DIR_H
#define SUBSTRATE_CABLE_CABLE_DIR_H

#include "lib/linkspec.h"
#include "lib/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum cable_drop {
	CABLE_PASS,
	CABLE_DROP_DOWN,  /* cut */
	CABLE_DROP_LOSS,  /* random loss */
	CABLE_DROP_QUEUE, /* the queue in front of the rate is full */
	CABLE_DROP_AQM,   /* RED or CoDel */
	CABLE_DROP_MTU,   /* larger than the cable's MTU */
	CABLE_DROPS,
};
const char *cable_drop_name(enum cable_drop why);

struct cable_copy {
	int64_t due_ns;      /* when it reaches the far end */
	int64_t corrupt_bit; /* index of the bit to flip, or -1 */
	bool mark_ce;        /* set the ECN congestion mark: cable_mark_ce() */
};

struct cable_verdict {
	enum cable_drop drop; /* CABLE_PASS: copies are valid */
	unsigned n_copies;    /* 1, or 2 when duplicated */
	struct cable_copy copy[2];
};

struct cable_dir; /* opaque: spec, queue of departure times, models, counters, random stream */

struct cable_dir *cable_dir_create(const struct linkspec *spec, uint64_t seed, const char *name);
void cable_dir_destroy(struct cable_dir *d);
/*
 * New parameters from now on; frames already under way keep their due times, and none overtakes
 * them (unless jitter may). A schedule that is new, or another one, starts at now_ns; the schedule
 * given to cable_dir_create() starts at 0, or when cable_dir_start() says.
 */
void cable_dir_change(struct cable_dir *d, const struct linkspec *spec, int64_t now_ns);
void cable_dir_start(struct cable_dir *d, int64_t now_ns);
void cable_dir_set_up(struct cable_dir *d, bool up);
/*
 * The files that the parameters name (a table of jitter, traces): the i-th path, or NULL. Their
 * content is given as text after create and change; until then the cable does without. 0 or -1.
 */
const char *cable_dir_file(const struct cable_dir *d, size_t i);
int cable_dir_give_file(struct cable_dir *d, size_t i, const char *text, size_t len, struct err *e);
/* Reads all of them from disk (the only function of a cable that touches it). 0 or -1. */
int cable_dir_load_files(struct cable_dir *d, struct err *e);
/*
 * Offers a frame of len bytes (without FCS; data may be NULL if the caller does not know it) that
 * begins to enter the cable at now_ns, which never goes backwards.
 */
struct cable_verdict cable_dir_offer(struct cable_dir *d, uint32_t len, const uint8_t *data,
				     int64_t now_ns);
/* So many frames pass at once, if it is plain. False: it is not, and nothing has happened. */
bool cable_dir_pass(struct cable_dir *d, unsigned frames, uint64_t bytes);
/* The shortest time any frame can take from now on: the lookahead of the virtual clock. */
int64_t cable_dir_min_delay_ns(const struct cable_dir *d);
/* True if it delays and drops nothing at all: frames may go from ring to ring. */
bool cable_dir_is_plain(const struct cable_dir *d);

/*
 * Sets the congestion mark (RFC 3168) in a frame of one's own and mends the IPv4 checksum (RFC
 * 1624). False: the frame is not IP or its sender does not take part.
 */
bool cable_mark_ce(enum link_framing framing, uint8_t *data, uint32_t len);

/*
 * frames and bytes: those that passed, a duplicated frame once. What was offered is that plus
 * dropped.
 */
struct cable_counters {
	uint64_t frames, bytes, duplicated, corrupted, reordered, marked;
	uint64_t dropped[CABLE_DROPS];
};
const struct cable_counters *cable_dir_counters(const struct cable_dir *d);
/* The parameters as given, and as they are now by the schedule. */
const struct linkspec *cable_dir_spec(const struct cable_dir *d);
const struct linkspec *cable_dir_spec_now(const struct cable_dir *d);
/* The largest rate that a link with these parameters ever has by the schedule; 0: unlimited. */
int64_t cable_dir_top_rate_bps(const struct cable_dir *d, const struct linkspec *asked);
/* Frames and bytes waiting in front of the rate at now_ns. */
void cable_dir_queue(struct cable_dir *d, int64_t now_ns, uint32_t *frames, uint64_t *bytes);

#endif
