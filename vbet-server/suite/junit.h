/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --junit: a suite as JUnit's XML, as continuous integration reads it. */
#ifndef VBET_SERVER_SUITE_JUNIT_H
#define VBET_SERVER_SUITE_JUNIT_H

#include "vbet-server/suite/suite.h"

#include <stdio.h>

/*
 * A <testsuite> for each case, in it a <testcase> for each check, and one named "lab" for the lab
 * as a whole, which has an <error> if it was not brought to an end.
 */
void junit_write(FILE *out, const struct suite *s);

#endif
