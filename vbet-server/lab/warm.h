/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Warm start (docs/snapshots.md): a lab is kept between the moment at which all of it is there and
 * that at which it is ready. What is restored from that has only to become ready, by whatever
 * options it is asked for with.
 */
#ifndef VBET_SERVER_LAB_WARM_H
#define VBET_SERVER_LAB_WARM_H

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/loop.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct guest;
struct lab;
struct lab_options;

struct warm {
	char *dir;        /* owned: where the lab is to be kept; NULL: nowhere */
	int64_t pays_ns;  /* only if its boot took so long */
	int64_t booted_s; /* restored: time of day of the boot; else 0 */
	bool asked;       /* it is being kept */
	struct err refused;
	char *from, *to; /* owned; restored: where captures were, and are now; or NULL */
	struct loop_timer again;
};

void warm_init(struct lab *lab, const struct lab_options *opt);
/* Somebody else has to do with the lab before it is ready: it is nobody's but this run's. */
void warm_forgo(struct lab *lab);
/* All of the lab is there. True: it is being kept, and is not ready before that is over. */
bool warm_holds_up(struct lab *lab);
/* False while the clock must stand for it. */
bool warm_lets_go_on(const struct lab *lab);
/* Called whenever something may have changed. True: it has just been kept, or could not be. */
bool warm_has_ended(struct lab *lab);
/*
 * Of a lab that was restored and is ready now: what no two runs by the real clock may share. Who
 * sleeps hears it when it is started.
 */
void warm_wake_guests(struct lab *lab);
void warm_wake_guest(struct guest *gu);
/* One line if it could not be kept; none to those who did not ask for it. */
void warm_tell(const struct lab *lab, FILE *out);
void warm_finish(struct lab *lab);

/* What the options say of a lab that is kept already, as words for the process that goes on with
 * it; malloc'ed. */
char *warm_note(const struct lab_options *opt);
/* Strings live in the arena. 0 or -1. */
int warm_read_note(struct lab_options *opt, const char *note, struct arena *a, struct err *e);
/* Captures that have begun go with what was in the run directory, and to where they are wanted. 0
 * or -1. */
int warm_keep_captures(const struct lab *lab, const char *run, struct err *e);
int warm_bring_captures(const char *run, const char *captures, struct err *e);
/* In that process: before thaw_begin(), and behind it. 0 or -1. */
void warm_expect(struct lab *lab, const struct lab_options *opt);
int warm_adopt(struct lab *lab, const struct lab_options *opt, struct err *e);

#endif
