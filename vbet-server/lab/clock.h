/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The server's hand on the virtual clock. While a lab is set up the calendar goes in short steps,
 * as fast as it can, until all is ready: so the lab is handed over stopped, at a time that depends
 * on the script alone. Then it runs at the pace of the wall clock, for people, unless asked
 * otherwise.
 */
#ifndef VBET_SERVER_LAB_CLOCK_H
#define VBET_SERVER_LAB_CLOCK_H

#include "lib/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct lab;

/* The calendar of the lab, as far as the server knows it. Only with the virtual clock. */
struct lab_clock {
	bool is_virtual;
	bool stopped; /* at now_ns; else it runs and now_ns is where it last was seen */
	int64_t now_ns;
	int64_t goal_ns;  /* where it shall stand next; INT64_MAX: nowhere */
	int64_t until_ns; /* where it was last told to stand */
	unsigned lent;    /* commands that it goes on for, and no longer */
	bool lends;       /* nobody has said anything else of it since it was lent first */
	bool lends_next;  /* the same, while it was on its way to goal_ns: lent from there on */
	bool hurries;     /* on its way to until_ns as fast as it can; then at its pace again */
	bool stays;       /* it is handed over standing still */
	bool asked;       /* to stand, for what comes from outside */
	bool is_idle;     /* nothing will ever happen again, by itself */
	bool shows_host;  /* the machine lets nobody hide its time stamp counter (lib/tsc.h) */
	char pace[16];    /* as the substrate takes it: "max", "1", "10" */
};

/* By the graph. In virtual time it tries what the machine can do. */
void clock_init(struct lab *lab);
/* One line of what of the host's time guests can see; no line if there is no such thing. */
void clock_tell(const struct lab *lab, FILE *out);
/* While the lab is set up, and the clock stands: the next step. */
void clock_go_on_set_up(struct lab *lab);
/* Everything is declared: the first step. */
void clock_begin(struct lab *lab);
/* What the substrate says: "time NOW reached", it stands; "time NOW ahead", it soon will. */
void clock_hear_time(struct lab *lab, const struct words *w);
/* "idle-forever" */
void clock_hear_idle(struct lab *lab, const struct words *w);
/* False while a step of the set-up is under way: ready is said only at its end. */
bool clock_allows_ready(const struct lab *lab);
/*
 * The lab is handed over: runs at pace 1 from here, unless clock.stays; or goes to where a
 * record is replayed to as fast as it can.
 */
void clock_hand_over(struct lab *lab);
/* Restored in the middle of a run whose record is replayed (input_follow()): the same. */
void clock_follow(struct lab *lab);
/* A replay has come to its end: from here on the lab is like any other. */
void clock_end_replay(struct lab *lab);
/* Stops it as soon as it can, for what comes from outside (input.h). */
void clock_ask_stand(struct lab *lab);
/* It stands: on to clock.goal_ns, or to next_ns if that is earlier. */
void clock_go_on(struct lab *lab, int64_t next_ns);
/*
 * Something that has come needs it: where it stands, or will stand next, it goes on until all such
 * things have ended. False: it runs without end, and clock_take_back() must not be called.
 */
bool clock_lend(struct lab *lab);
void clock_take_back(struct lab *lab);
/* It stands because it was told to, and not only for a moment. */
bool clock_is_at_goal(const struct lab *lab);
/* It does, or will at once, as the last thing that it was lent for has ended. */
bool clock_will_stand(const struct lab *lab);
/*
 * "clock pace N|max", "clock pause", "clock run", "clock step TIME", "clock until TIME". All but
 * pace want the clock to stand, and say where it shall stand next: clock_is_at_goal() then.
 */
int clock_command(struct lab *lab, const struct words *w, struct err *e);

#endif
