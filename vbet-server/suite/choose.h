/* SPDX-License-Identifier: GPL-3.0-or-later */
/* --filter: which scripts are meant. Pure. */
#ifndef VBET_SERVER_SUITE_CHOOSE_H
#define VBET_SERVER_SUITE_CHOOSE_H

#include <stdbool.h>

/*
 * filter: patterns with commas between them; NULL or "": all are meant. A pattern is a part of the
 * path or of the lab's name, or, if it has one of * ? [, matches all of one of them (fnmatch(3),
 * '*' also over '/'). With a '!' in front it takes out what it matches. Taken is what matches any
 * of those without '!' (all, if there are none), and none of those with it.
 */
bool choose_is_meant(const char *filter, const char *file, const char *lab);

#endif
