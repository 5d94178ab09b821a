/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The cable as an object: it joins two ends (core/end.h) by two directions of impairment
 * (cable_dir.h). Ends do not know what it is: they call its hooks.
 */
#ifndef SUBSTRATE_CABLE_CABLE_H
#define SUBSTRATE_CABLE_CABLE_H

#include "substrate/core/end.h"

/*
 * Joins two ends; words are those behind the ends of the "cable" command. NULL with the error set.
 */
struct object *cable_create(struct substrate *s, const char *name, struct end *a, struct end *b,
			    char *const *words, size_t n, struct err *e);
/* A cable without impairment but what the words say, or as before with the error set. 0 or -1. */
int cable_reset(struct object *o, char *const *words, size_t n, struct err *e);
/* side: 0, 1 or -1 for both. 0, or -1 with the error set: o is no cable. */
int cable_set_carrier(struct object *o, bool up, int side, struct err *e);

/*
 * For far ends (trunk.h): what was sent in the other process at the end that far stands for (with
 * its reference) has passed that direction, and is at the other end.
 */
void cable_arrive_from(struct end *far, struct frame *f, int64_t now_ns);
/* A far end cannot be reached (absent), or can: there is no carrier at the other end, or is. */
void cable_set_absent(struct end *far, bool absent, int64_t now_ns);

/*
 * The shortest time in which a frame sent from (in: delivered to) this end passes its cable;
 * INT64_MAX: there is none.
 */
int64_t cable_min_delay_ns(const struct end *n, bool in);
/*
 * The shortest time until a frame sent from this end makes something arrive at the same guest,
 * which needs in_ns for what comes from elsewhere.
 */
int64_t cable_answer_ns(const struct end *n, int64_t in_ns);
/* The longest packet that may be sent from this end, as mtu= of its cable counts; 0: no bound. */
int64_t cable_mtu(const struct end *n);
/* The rate of the cable from this end now; 0: unlimited, or no cable. */
int64_t cable_rate_bps(const struct end *n);

#endif
