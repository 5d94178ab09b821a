/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Runs the cases of a suite side by side: each as a process `vbet test --json FILE` in a run
 * directory of its own, so that labs of one name do not meet. However we end, also by SIGKILL, the
 * labs go down: a process dies with us, and a lab with its process.
 */
#ifndef VBET_SERVER_SUITE_WORK_H
#define VBET_SERVER_SUITE_WORK_H

#include "lib/err.h"
#include "vbet-server/suite/suite.h"

/* Borrowed. */
struct work_wish {
	const struct strvec *words; /* options that each process gets as they are */
	const char *program;        /* the path of vbet */
	int64_t limit_ns;           /* how long a case may take on the wall clock; 0: for ever */
	const char *archives; /* a directory for what is left of those that do not pass, or NULL */
	bool archives_all;    /* also for those that pass */
	bool until_fail;      /* no more are begun once one has not passed */
};

struct work_listener {
	void (*started)(void *ctx, const struct suite_case *c);
	void (*checked)(void *ctx, const struct suite_case *c, const struct suite_check *k);
	void (*ended)(void *ctx, const struct suite_case *c);
	/* Called once a second, and after each of the others. */
	void (*tick)(void *ctx);
	/* None waits any more: may add some. */
	void (*refill)(void *ctx, struct suite *s);
	void *ctx;
};

/*
 * Runs all that wait. 0, or -1: none can be run here at all (what goes wrong with a single case is
 * its outcome). *signal gets the signal that ended it before its time, or 0; labs are down then.
 */
int work_run(struct suite *s, const struct work_wish *wish, const struct work_listener *listener,
	     int *signal, struct err *e);
#endif
