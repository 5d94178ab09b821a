/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Frames at a NIC of a running lab that a filter lets through, counted from a moment on. They are
 * captured by the substrate and filtered here: guests see nothing of it.
 */
#ifndef VBET_SERVER_COMMAND_WATCH_H
#define VBET_SERVER_COMMAND_WATCH_H

#include "lib/err.h"
#include "lib/vec.h"
#include "vbet-server/command/trial.h"

#include <stdbool.h>
#include <stdint.h>

struct watch;

/* nic: "r1:eth0"; filter: as tcpdump takes it. lab is borrowed. NULL with the error set. */
struct watch *watch_begin(const char *lab, const char *nic, const char *filter, struct err *e);
/* *frames: that have passed since it began, either way. 0 or -1. */
int watch_look(struct watch *w, uint64_t *frames, struct err *e);
void watch_end(struct watch *w);

/*
 * The words of a check, "watch seen|never|count NODE:NIC FILTER [want.op=OP want.number=N]"
 * (plan/event.h): true if they are such.
 */
bool watch_is_meant(const char *const *words, size_t n);
struct watch *watch_begin_words(const char *lab, const char *const *words, struct err *e);
/* When it is looked at first: what shall stay so when its time is over, what may come before that.
 */
int64_t watch_first_look_ns(const char *const *words, int64_t now_ns, const struct trial *t);
/* *status: 0 if it is as wanted; *text: what was seen, malloc'ed. 0 or -1. */
int watch_judge(struct watch *w, const char *const *words, size_t n, int *status, char **text,
		struct err *e);

#endif
