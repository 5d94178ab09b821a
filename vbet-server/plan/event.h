/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events and checks of a script ("at 60s cut(r1, r2)", "ping(r1, r2)") as words and commands. */
#ifndef VBET_SERVER_PLAN_EVENT_H
#define VBET_SERVER_PLAN_EVENT_H

#include "lib/arena.h"
#include "lib/err.h"
#include "lib/vec.h"
#include "topo/graph.h"

/* What a server is asked for: "link r1:eth1 r2:eth0 down". Words live in the arena. */
int event_words(const struct graph *g, const struct graph_event *ev, struct arena *a,
		struct strvec *v, struct err *e);
/* Begins a job (lab/job.h): a command of a shell in a node. timeout: "timeout_ms=N"; more: other
 * such words, or NULL. All strings are borrowed. */
void event_job_words(struct strvec *v, const char *node, const char *timeout,
		     const struct strvec *more, const char *command);
/* The environment variable with the address of whom a job is about ("peer=NODE"). */
#define EVENT_PEER "VBET_PEER"
/*
 * What a server is asked for to begin a try: "job NODE ... -- /bin/sh -c COMMAND" or "look ..."
 * (lab/job.h). It holds if the result's status is 0 (or is not, if the expectation is negated). An
 * address that the script does not give is in EVENT_PEER: only the lab knows it.
 */
void event_check_words(const struct graph *g, const struct graph_expect *x, struct arena *a,
		       struct strvec *v);
/* True if it starts no process in the guest. */
bool event_check_is_look(const struct graph_expect *x);
/* True if its answer says neither yes nor no, but must stay the same. */
bool event_check_settles(const struct graph_expect *x);
/*
 * From the begin of a try to that of the next, at the least. A daemon that is asked is woken: that
 * is done more rarely than what disturbs nobody.
 */
int64_t event_check_pause_ns(const struct graph_expect *x);

#endif
