/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --tap: a suite in the Test Anything Protocol, version 14 (testanything.org). */
#ifndef VBET_SERVER_SUITE_TAP_H
#define VBET_SERVER_SUITE_TAP_H

#include "vbet-server/suite/suite.h"

#include <stdio.h>

/* Each flushes. out NULL: nothing is written. */
void tap_begin(FILE *out);
/* A case that has ended: a test with a subtest for each check. Cases are numbered as they end. */
void tap_case(FILE *out, const struct suite_case *c, size_t number);
/* The plan stands at the end: how many cases there are may not be known before. */
void tap_end(FILE *out, size_t n);

#endif
