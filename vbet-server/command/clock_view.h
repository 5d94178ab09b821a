/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The virtual clock of a lab, as people see it. */
#ifndef VBET_SERVER_COMMAND_CLOCK_VIEW_H
#define VBET_SERVER_COMMAND_CLOCK_VIEW_H

#include "lib/err.h"

#include <stdbool.h>

struct exec_options;

struct clock_view {
	double now_s;
	char pace[16]; /* "1", "max" */
	bool stands;   /* until somebody lets it go on */
};

/* False: the lab runs by the real clock, or cannot be asked. */
bool clock_view_get(const char *lab, struct clock_view *v);
/* Lets a virtual clock go on that did when it was looked at. */
void clock_view_restore(const char *lab, const struct clock_view *v);
/*
 * A command in a node does nothing while the clock stands. If a person is there that can be asked,
 * asks whether the clock shall go on for it: then opt->step is set. 0, or -1 with the error set: it
 * is not to be run.
 */
int clock_view_settle(const char *lab, struct exec_options *opt, struct err *e);

#endif
