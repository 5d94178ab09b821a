/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The gate for all that comes from outside into a running lab. In virtual time it happens while the
 * clock stands: at a time that is known exactly, in an order that is known, and nothing goes on
 * before it is done. So it can be written down (docs/protocols.md, "Inputs"), and done again. By
 * the real clock it happens at once, and nothing is written down.
 */
#ifndef VBET_SERVER_LAB_INPUT_H
#define VBET_SERVER_LAB_INPUT_H

#include "lib/err.h"
#include "lib/loop.h"
#include "lib/vec.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct agent_channel;
struct guest;
struct lab;

/* What is to be done once the clock stands. */
struct input_waiting {
	void (*run)(struct lab *lab, void *ctx);
	void *ctx;
	bool (*may)(struct lab *lab); /* whether it can be done yet; NULL: always */
};

/* What is to be done at a time. */
struct input_planned {
	int64_t time_ns;
	char *line;       /* owned: words */
	bool from_record; /* else: an event of this run */
};

struct inputs {
	VEC(struct input_waiting) waiting; /* in the order in which they came */
	VEC(struct input_planned) planned; /* by time; of the same time: as they came */
	VEC(char *) spun;   /* owned: nodes that the record says were ended for computing */
	FILE *record;       /* NULL: there is none */
	int64_t replay_ns;  /* a record is replayed up to here */
	bool replay_rest;   /* what it says of later times stays planned */
	struct err refused; /* the first that was planned and could not be done */
	bool is_loading, is_replaying;
	bool pumping;
	bool wants_stand;           /* a guest waits to boot: nothing in `waiting` says so */
	struct loop_timer again;    /* looks again whether it is settled */
	struct loop_timer patience; /* for a recorded boot of a node that does not go down */
	bool gave_up;               /* it has passed */
};

/* Calls run(lab, ctx) when it is its turn: before this returns, if nothing else is under way. */
void input_add(struct lab *lab, void (*run)(struct lab *lab, void *ctx), void *ctx);
/* The same for what has to wait until may(lab), which is asked whenever something has changed. */
void input_add_when(struct lab *lab, bool (*may)(struct lab *lab),
		    void (*run)(struct lab *lab, void *ctx), void *ctx);
/* The same for what may touch guests other than by messages: all are awake (sleep.h). */
void input_add_change(struct lab *lab, void (*run)(struct lab *lab, void *ctx), void *ctx);
/* A message for a channel of a guest's agent; copied. Recorded. */
void input_send(struct guest *gu, uint32_t channel, uint8_t type, const void *data, uint32_t len);
/* Words for the agent itself. Recorded. */
void input_control(struct guest *gu, const char *words);
/* input_send() of a new channel's first message. */
void input_open_channel(struct guest *gu, struct agent_channel *ch, uint8_t type, const void *data,
			uint32_t len);
/* Gives a channel up, if it is open. */
void input_drop_channel(struct guest *gu, struct agent_channel *ch);
/* True if a guest that is queued may boot now; else it will be asked again. */
bool input_may_boot(struct lab *lab, struct guest *gu);
/* One line into the record, at the time at which the clock stands. */
void input_record(struct lab *lab, char *const *words, size_t n);

/* Something may be done at this time: words as in the record, which are copied. */
void input_plan(struct lab *lab, int64_t time_ns, char *const *words, size_t n);
/* Reads a record: all of it is planned, and the lab does nothing by itself before it is done. */
int input_load(struct lab *lab, const char *text, struct err *e);
/*
 * In a server that was restored in the middle of a run, before the lab goes on: what waited or was
 * planned then is in the rest of the record, with all that came later. Does all of that up to
 * to_ns, where the lab stands then. 0 or -1.
 */
int input_follow(struct lab *lab, const char *text, int64_t to_ns, struct err *e);
/* In the record that guest was ended because it computed without end. */
bool input_was_spun(const struct lab *lab, const char *node);
/* A change that is in the record is refused (lab->change.refused). */
void input_note_refused(struct lab *lab);
/* The lab is being led through a record: nobody else changes it meanwhile. */
bool input_is_replaying(const struct lab *lab);

/* What was done has come to its end: the clock may go on. */
bool input_is_settled(const struct lab *lab);
/* Something changed: goes on with what waits. */
void input_pump(struct lab *lab);
/* The lab is ready: from here on there is a record. */
void input_begin(struct lab *lab);
void input_finish(struct lab *lab);

#endif
