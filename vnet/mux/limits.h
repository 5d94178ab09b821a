/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What an instance may use, and what is done about one that uses more (the paper, section IV.C.3,
 * "Resource use": preempted, and unloaded if it goes on). CPU time is a bucket: it fills at the
 * share that was granted, holds a burst, and is emptied by what the instance uses. Empty: the
 * instance stands still until there is some again. One that takes all it can get for as long as
 * `patience` is unloaded. Pure.
 */
#ifndef VNET_MUX_LIMITS_H
#define VNET_MUX_LIMITS_H

#include "lib/err.h"

#include <stdbool.h>
#include <stdint.h>

struct limits {
	int64_t memory_bytes; /* resident; also the bound of what can be allocated */
	int64_t stack_bytes;
	uint32_t cpu_ppm;    /* share of one CPU; 1,000,000: all of one */
	int64_t burst_ns;    /* of CPU time at once */
	int64_t patience_ns; /* how long one that wants more all the time is borne */
};

struct limits_state {
	int64_t checked_ns;      /* when, last */
	int64_t cpu_ns;          /* what it had used by then */
	int64_t credit_ns;       /* what it may use now */
	int64_t hungry_since_ns; /* since when the bucket has not been half full; 0: it has */
	bool stopped;
};

enum limits_verdict {
	LIMITS_LEAVE,    /* as it is */
	LIMITS_STOP,     /* it stands still from now on */
	LIMITS_CONTINUE, /* it goes on */
	LIMITS_CPU,      /* to be unloaded */
	LIMITS_MEMORY,   /* to be unloaded */
};

/* 64M of memory, 1M of stack, half a CPU with a burst of a second, five seconds of patience. */
extern const struct limits limits_default;

/* One "key=value": memory=64M stack=1M cpu=20% burst=1s patience=5s. 0 or -1 with the error set. */
int limits_set(struct limits *l, const char *key, const char *value, struct err *e);
void limits_begin(struct limits_state *s, const struct limits *l, int64_t now_ns);
/* cpu_ns: all CPU time it has used so far; memory_bytes: what is resident now. */
enum limits_verdict limits_check(struct limits_state *s, const struct limits *l, int64_t now_ns,
				 int64_t cpu_ns, int64_t memory_bytes);

#endif
