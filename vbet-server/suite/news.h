/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What happens in a suite, as lines of JSON (docs/testing.md, "Events"): to print them, and to read
 * those of a `vbet test --json FILE` that runs one script for us.
 */
#ifndef VBET_SERVER_SUITE_NEWS_H
#define VBET_SERVER_SUITE_NEWS_H

#include "vbet-server/suite/suite.h"

#include <stdio.h>

/* Each writes one line and flushes it. out NULL: nothing is written. */
void news_begin(FILE *out, const struct suite *s, bool is_endless);
void news_start(FILE *out, const struct suite_case *c);
void news_check(FILE *out, const struct suite_case *c, const struct suite_check *k);
void news_end(FILE *out, const struct suite_case *c);
void news_summary(FILE *out, const struct suite *s);

/* What a line did to the case that it was read into. */
enum news_heard { NEWS_NONE, NEWS_CHECK, NEWS_END };

/*
 * Takes in a line of the stream of one script. Of lines that are no event, and of events that are
 * of no interest here, nothing is taken. A line is a stranger's: the texts are made fit to be
 * shown.
 */
enum news_heard news_read(struct suite_case *c, const char *line);

#endif
