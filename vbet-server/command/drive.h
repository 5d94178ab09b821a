/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A lab that is led through time by a client: where it is, where it goes next, commands in its
 * nodes. */
#ifndef VBET_SERVER_COMMAND_DRIVE_H
#define VBET_SERVER_COMMAND_DRIVE_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>
#include <stdint.h>

struct drive;

/* Whoever wants the lab to stand at certain times has one of these (through.h). */
struct drive_stops {
	/* The next time from now_ns up to until_ns; -1: none. */
	int64_t (*next_ns)(struct drive_stops *s, int64_t now_ns, int64_t until_ns);
	/* The lab stands there. 0 or -1. */
	int (*stop)(struct drive_stops *s, const struct drive *d, struct err *e);
};

struct drive {
	const char *lab; /* borrowed */
	bool is_virtual;
	int64_t now_ns;    /* on the lab's clock; real: since drive_begin() */
	int64_t zero_ns;   /* real clock: when that was */
	int64_t looked_ns; /* real clock: when it last was looked after */
	struct drive_stops
		*stops; /* virtual clock: where it stands on the way; borrowed, or NULL */
};

struct drive drive_begin(const char *lab, bool is_virtual);
/* How often, on the lab's clock, it is sensible to ask for the result of a command. */
int64_t drive_step_ns(const struct drive *d);
/*
 * Sends words (freed). *text, if text is not NULL, gets the answer, malloc'ed, without its last
 * newline. 0 or -1.
 */
int drive_ask(const struct drive *d, struct strvec *words, char **text, struct err *e);
/* now_ns anew. 0 or -1. */
int drive_read_clock(struct drive *d, struct err *e);
/* A virtual clock stands from here on, and moves only in drive_go_to(). 0 or -1. */
int drive_stand(struct drive *d, struct err *e);
/*
 * Whether what did not hold is the network's doing: -1 if a process of the lab has ended by itself,
 * or its server has.
 */
int drive_check_whole(const struct drive *d, struct err *e);
/*
 * Lets the lab go on to a time. A virtual clock stands there; by the real one we sleep, and if we
 * wake up late, what is due is done late. -1 also if the lab has broken meanwhile.
 */
int drive_go_to(struct drive *d, int64_t ns, struct err *e);
/* 1 with *status and *text (malloc'ed) if the job ("job ...", "look ..." gave its number) is done,
 * 0 if it runs, or -1. */
int drive_job_result(const struct drive *d, const char *job, int *status, char **text,
		     struct err *e);
/* The last line is what a command such as ping sums up with. In the text. */
const char *drive_last_line(const char *text);

#endif
