/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events of a script ("at 60s cut(r1, r2)") as the words of requests, and on the calendar. */
#ifndef VBET_SERVER_PLAN_EVENT_H
#define VBET_SERVER_PLAN_EVENT_H

#include "lib/vec.h"
#include "vbet-server/lab/lab.h"

/* What a server is asked for: "link r1:eth1 r2:eth0 down". Words live in the arena. */
int event_words(const struct graph *g, const struct graph_event *ev, struct arena *a,
		struct strvec *v, struct err *e);
/*
 * The statement that was just added may have brought events: those from number `from` on are put on
 * the calendar of the running lab. -1: it is too late for one of them.
 */
int event_plan_new(struct lab *lab, size_t from, struct err *e);
/* The command of a check, malloc'ed, for /bin/sh in the expectation's node: it holds if it exits
 * with 0 (or does not, if the expectation is negated). */
char *event_check_command(const struct graph *g, const struct graph_expect *x);

#endif
