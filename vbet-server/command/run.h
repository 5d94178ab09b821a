/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A run that was kept, or that is under way (docs/protocols.md, "A run on disk"), read whole. */
#ifndef VBET_SERVER_COMMAND_RUN_H
#define VBET_SERVER_COMMAND_RUN_H

#include "vbet-server/store/load.h"
#include "vbet-server/store/manifest.h"

struct run {
	struct arena arena;
	struct manifest manifest;
	struct sources sources;
	char *dir;        /* owned */
	char *running;    /* owned: the lab's name, or NULL */
	char *inputs;     /* owned: all that came from outside, a line each */
	int64_t ready_ns; /* when the lab was handed over: the first time it can stand at */
	int64_t end_ns;   /* as far as it went */
};

/*
 * "RUN" or "RUN@TIME" into name (malloc'ed) and *at_ns (-1: none). RUN is a directory, or a running
 * lab. 0 or -1.
 */
int run_parse(const char *text, char **name, int64_t *at_ns, struct err *e);
/* The first and the last time in a record. 0, or -1: it is none. */
int run_times(const char *inputs, int64_t *first_ns, int64_t *last_ns, struct err *e);
int run_open(struct run *r, const char *name, struct err *e);
/*
 * Its script, as it was then; `lab` is another name for it, or NULL. What is not as it was then
 * goes to out: of the machine, one line each; a network that is another one is an error.
 */
int run_load(struct run *r, struct loaded *l, const char *lab, FILE *out, struct err *e);
void run_close(struct run *r);

#endif
