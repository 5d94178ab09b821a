/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The value of link parameters at a time, by a schedule (lib/linksched.h). Ramps, squares and
 * traces are functions of the time alone; a random walk remembers its last step.
 */
#ifndef SUBSTRATE_CABLE_CABLE_SCHEDULE_H
#define SUBSTRATE_CABLE_CABLE_SCHEDULE_H

#include "lib/linkspec.h"
#include "lib/rng.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cable_point {
	int64_t at_ns; /* since the start of the schedule */
	int64_t value;
};

struct cable_course {
	int64_t step, value;       /* walk: steps done, where it stands */
	struct cable_point *point; /* trace: owned, ascending in time */
	size_t n_points;
};

struct cable_schedule {
	struct linksched plan;
	int64_t epoch_ns; /* time at which it started */
	struct cable_course course[LINKSCHED_ITEMS_MAX];
};

/* Another plan, from text that linkspec_parse_schedule() takes; it starts at now_ns. */
void cable_schedule_init(struct cable_schedule *s, const char *text, int64_t now_ns);
void cable_schedule_finish(struct cable_schedule *s);
/* Writes the values of now_ns into spec; true if that changed anything. */
bool cable_schedule_apply(struct cable_schedule *s, struct rng *random, int64_t now_ns,
			  struct linkspec *spec);
/* Sets what the schedule can set to its smallest (or largest) value ever. */
void cable_schedule_bound(const struct cable_schedule *s, bool largest, struct linkspec *spec);

/*
 * Reads a trace: lines "TIME VALUE" in order of time, "#" begins a comment; a time without a unit
 * is in seconds. key says the unit of the values. Returns the points (the caller frees them), or
 * NULL with the error set.
 */
struct cable_point *cable_trace_parse(const char *text, size_t len, const char *key, size_t *n,
				      struct err *e);

#endif
