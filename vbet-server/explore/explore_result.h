/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What came of what was tried in forks: values, lines of words, tables, JSON. Pure. */
#ifndef VBET_SERVER_EXPLORE_EXPLORE_RESULT_H
#define VBET_SERVER_EXPLORE_EXPLORE_RESULT_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum explore_outcome {
	EXPLORE_SKIPPED,  /* it was not tried, or not to its end */
	EXPLORE_HELD,     /* all that shall hold does, once the network is quiet */
	EXPLORE_BROKE,    /* something does not */
	EXPLORE_RESTLESS, /* the network did not become quiet in time */
	EXPLORE_REFUSED,  /* it could not be done */
	EXPLORE_TROUBLE,  /* the fork could not be made, or a part of it ended */
	EXPLORE_OUTCOMES,
};
/* "held", "broke", ... */
const char *explore_outcome_name(enum explore_outcome o);

/* Strings are owned. */
struct explore_result {
	size_t number; /* of the case, from 0 */
	char *text;    /* what was done */
	enum explore_outcome outcome;
	int64_t settled_ns; /* from what was done to the last change of a routing table; -1: none */
	int64_t wall_ns;    /* how long it took on the wall clock */
	char *kept;         /* a directory with the run, or NULL */
	VEC(char *) broke;  /* what did not hold, a line each; or why it was not done */
};

/* As one line of words, and back: 0, or -1 (that is none). */
void explore_result_put(FILE *out, const struct explore_result *r);
int explore_result_read(struct explore_result *r, const char *line, size_t len, struct err *e);
/* In lines, for people who find it beside the run. */
void explore_result_report(FILE *out, const struct explore_result *r);
void explore_result_finish(struct explore_result *r);

/*
 * Lines "A B" (who does not reach whom) that are in `after` and not in `before`, as one for people:
 * "3 pairs reach each other no more: r1 and r2, r1 to h3, ..."; malloc'ed, or NULL if there are
 * none. Both are taken apart.
 */
char *explore_lost_text(char *before, char *after);

struct explore_results {
	VEC(struct explore_result) list;
	int64_t wall_ns;
	const char *again; /* borrowed: the command line, up to which case it is */
};
/* Worst first. */
void explore_results_sort(struct explore_results *all);
/* 0, or the exit status. */
int explore_results_status(const struct explore_results *all);
/* Those that did not hold, and the slowest of the others: `most` of them. */
void explore_table(FILE *out, const struct explore_results *all, size_t most);
/* A line of JSON, as soon as it is known; one at the end (docs/explore.md). */
void explore_json(FILE *out, const struct explore_result *r);
void explore_json_summary(FILE *out, const struct explore_results *all);
void explore_results_finish(struct explore_results *all);

#endif
