/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A suite for people: a line for each case that ends, a table at the end, a line of progress. */
#ifndef VBET_SERVER_SUITE_TABLE_H
#define VBET_SERVER_SUITE_TABLE_H

#include "vbet-server/suite/suite.h"

#include <stdio.h>

/* A case that has ended, in a line; below it, what did not hold. */
void table_case(FILE *out, const struct suite_case *c);
/* All cases with what came of them, and a line that sums up. */
void table_all(FILE *out, const struct suite *s);
/* What `--list` shows: scripts that would be run. */
void table_list(FILE *out, const struct suite *s);
/* "3 of 10 done, 1 not passed, 20 s left, 2 running (a, b)"; at most `columns` wide; malloc'ed. */
char *table_progress(const struct suite *s, bool is_endless, size_t columns);

#endif
