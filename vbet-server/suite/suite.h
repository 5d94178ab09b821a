/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `vbet test` runs, and what came of it, as values: cases (one run of one script each) with
 * the checks that were decided in them. Pure; those who run and those who print share it.
 */
#ifndef VBET_SERVER_SUITE_SUITE_H
#define VBET_SERVER_SUITE_SUITE_H

#include "lib/vec.h"
#include "topo/graph.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum suite_outcome {
	SUITE_WAITS,
	SUITE_RUNS,
	SUITE_PASSED,
	SUITE_FAILED,  /* an expectation did not hold, or an action was not done */
	SUITE_WRONG,   /* a mistake in its script */
	SUITE_BROKEN,  /* the system refused something, or a part of the lab ended */
	SUITE_LATE,    /* a time limit passed */
	SUITE_SKIPPED, /* it was not begun, or not brought to an end: the whole was ended before */
	SUITE_OUTCOMES,
};

enum suite_check_kind {
	SUITE_EXPECT, /* an expectation was decided */
	SUITE_ACTION, /* an action could not be carried out */
	SUITE_NOTE,   /* a command of an action failed, which decides nothing */
	SUITE_CHECK_KINDS,
};

/* Strings are owned, never NULL, and are valid UTF-8 without control characters but newlines and
 * tabs. */
struct suite_check {
	enum suite_check_kind kind;
	bool held;
	char *script;           /* where it stands */
	int64_t line;           /* from 1 */
	char *text;             /* as the script has it */
	char *name;             /* what the script calls it; "" */
	char *hint;             /* for who sees it fail; "" */
	int64_t points;         /* 0: it is not counted */
	enum graph_level level; /* of an expectation */
	size_t number;          /* of its kind in the script, from 1; 0: not known */
	char *message;          /* in one line, what came of it */
	char *detail;           /* in lines, what was expected and what seen; "" */
	int64_t time_ns;        /* on the lab's clock */
};

struct suite_case {
	size_t number; /* from 1, in the order in which they are begun */
	char *file;    /* as the user named it; owned, as all strings here */
	char *lab;     /* "" if the script has mistakes */
	bool is_virtual;
	size_t n_nodes, n_expects;
	int64_t n_points;     /* that there are */
	int64_t memory_bytes; /* of all its guests, if they took all that they may */
	size_t round;         /* from 0 */
	bool has_seed;
	uint64_t seed;
	enum suite_outcome outcome;
	int status; /* exit status: enum err_kind */
	VEC(struct suite_check) checks;
	int64_t lab_ns;  /* how far its clock went */
	int64_t wall_ns; /* how long it took, all in all */
	char *trouble;   /* what it said of why it ended; "" */
	char *archive;   /* a directory with what is left of it, or NULL */
	char *again;     /* the command that repeats it to shortly before it failed, or NULL */
};

struct suite {
	VEC(struct suite_case *) cases;
	size_t side_by_side; /* at most so many at once */
	int64_t wall_ns;
};

struct suite_count {
	size_t of[SUITE_OUTCOMES];
	size_t done; /* all but those that wait or run */
	size_t held, missed, excused, refused;
	int64_t points, n_points; /* got, of how many */
};

/* "passed", "failed", ...; and back: SUITE_OUTCOMES if there is none. */
const char *suite_outcome_name(enum suite_outcome o);
enum suite_outcome suite_find_outcome(const char *name);
/* "expect", "action", "note"; and back: SUITE_CHECK_KINDS if there is none. */
const char *suite_check_kind_name(enum suite_check_kind kind);
enum suite_check_kind suite_find_check_kind(const char *name);
/* The outcome that an exit status of `vbet test FILE` stands for. */
enum suite_outcome suite_outcome_of(int status);

/* A copy of one as it was before it ran, at the end of the suite. Borrowed. */
struct suite_case *suite_add(struct suite *s, const struct suite_case *like);
/* Takes the strings over. */
void suite_case_add_check(struct suite_case *c, const struct suite_check *check);
/*
 * Expectations that held, that did not, that did not and do not have to, and actions that were not
 * done; all else is 0.
 */
struct suite_count suite_case_count(const struct suite_case *c);
/* The run fails because of it. */
bool suite_check_fails(const struct suite_check *k);
/* In the order of the script: expectations, then what became of actions; malloc'ed. */
const struct suite_check **suite_case_in_order(const struct suite_case *c);
/* Of the expectations that held. */
int64_t suite_case_points(const struct suite_case *c);
struct suite_count suite_count(const struct suite *s);
/* "FILE:LINE NAME (bonus, 2 points): TEXT", malloc'ed. */
char *suite_check_title(const struct suite_check *k);
/* "FILE" or "FILE (seed 3)", "FILE (run 2)", malloc'ed. */
char *suite_case_name(const struct suite_case *c);
/* The exit status of all: the highest of any; 0 if all passed. */
int suite_status(const struct suite *s);
/* How much longer it may take, in ns, from what the others took; -1: none has ended yet. */
int64_t suite_time_left(const struct suite *s);
void suite_case_free(struct suite_case *c);
void suite_finish(struct suite *s);

#endif
