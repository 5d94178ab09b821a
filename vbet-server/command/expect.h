/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Carries the events of a script out in a running lab, and tries its expectations. In virtual time
 * the clock stands whenever something is said, so that all of it happens at exact times.
 */
#ifndef VBET_SERVER_COMMAND_EXPECT_H
#define VBET_SERVER_COMMAND_EXPECT_H

#include "lib/err.h"
#include "topo/graph.h"

#include <stdio.h>

/* What was decided. Borrowed: for the time of the call. */
struct expect_report {
	enum {
		EXPECT_DECIDED,
		EXPECT_REFUSED,
		EXPECT_NOTE
	} kind; /* an event not done; told only */
	bool held;
	struct graph_pos pos;
	const char *text; /* as the script has it */
	const char *name; /* what the script calls it; NULL: nothing */
	const char *hint; /* for who sees it fail; NULL: none */
	int64_t points;
	enum graph_level level;
	size_t number;       /* of its kind in the script, from 1 */
	const char *message; /* in a line */
	const char *detail;  /* in lines: what was expected and what seen; or "" */
	int64_t time_ns;     /* on the lab's clock */
};

struct expect_result {
	/* Is told of each as soon as it is decided, beside what goes to out; or NULL. */
	void (*report)(void *ctx, const struct expect_report *r);
	void *ctx;
	int64_t from_ns;           /* on the lab's clock: where times of expectations begin */
	bool stops_at_fail;        /* what is decided after the first failure is not waited for */
	struct drive_stops *stops; /* where the lab stands on the way; borrowed, or NULL */
	size_t held, missed;       /* expectations; missed: that were required */
	size_t excused;            /* that did not hold, and do not have to */
	int64_t points;            /* of those that held */
	size_t refused;            /* events that could not be carried out */
	int64_t end_ns;            /* on the clock of the lab */
};

/* "NAME (bonus, 2 points): ", or nothing if there is no name. */
void expect_put_name(FILE *out, const char *name, enum graph_level level, int64_t points);
/*
 * The lab has just become ready; its virtual clock (if it has one) stands. One line per expectation
 * goes to out as soon as it is decided. 0, or -1 if the lab cannot be talked to.
 */
int expect_run(const char *lab, const struct graph *g, FILE *out, struct expect_result *r,
	       struct err *e);
/* "5 expectations: 3 held, 2 did not; 4 of 6 points" and so on. */
void expect_put_summary(FILE *out, const struct graph *g, const struct expect_result *r);
/* A limit: as long as the check says by itself ("within 5s ping(a, b)"); without that it is tried
 * once. */
#define EXPECT_AS_SAID INT64_C(-1)

struct expect_wish {
	const char *check; /* "ping(a, b)", "not route(...)", with or without "expect" in front */
	/* Words about its place (statement_place()), up to a NULL; or NULL. */
	const char *const *place;
	int64_t limit_ns; /* at most so much of the lab's time; 0: for ever; or EXPECT_AS_SAID */
	/* The result of a try is asked for after so much of the lab's time, then rarer and rarer;
	 * 0: as is usual. */
	int64_t first_step_ns;
	/* It did not hold at that time of the lab; what was seen. NULL: nobody wants to know. */
	void (*missed)(int64_t time_ns, const char *seen);
};

/* What came of it. Strings are owned by whoever asked. */
struct expect_found {
	bool held;
	int64_t began_ns;   /* of the last try, on the lab's clock */
	int64_t end_ns;     /* when it was decided */
	int64_t settled_ns; /* a check that settles, and did: from the first try to the last change;
			       else -1 */
	char *seen;         /* what the last try said; "" */
	char *settled;      /* a check that settles: what came of it, for people; else NULL */
};
/*
 * Lets a running lab go on until a check holds, or its limit is over; a virtual clock stands then.
 * 0, also if it did not hold, or -1 if it cannot be tried.
 */
int expect_try(const char *lab, bool is_virtual, const struct expect_wish *wish,
	       struct expect_found *found, struct err *e);
void expect_found_finish(struct expect_found *found);

/* The place of a check that is an argument of a command. */
extern const char *const expect_place_argument[];

/*
 * Lets a running lab go on until a check holds; a virtual clock stands then. Says to out when it
 * held. 0, or -1 with the error set: ERR_TIMEOUT if it did not hold in time.
 */
int expect_wait(const char *lab, bool is_virtual, const struct expect_wish *wish, FILE *out,
		struct err *e);

/* The same, wherever the lab's clock is: one that ran goes on afterwards. */
int expect_now(const char *lab, const struct expect_wish *wish, FILE *out, struct err *e);

#endif
