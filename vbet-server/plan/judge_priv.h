/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What those share that judge routes. For judge.c and judge_table.c. */
#ifndef VBET_SERVER_PLAN_JUDGE_PRIV_H
#define VBET_SERVER_PLAN_JUDGE_PRIV_H

#include <stdbool.h>
#include <stdint.h>

/* Both are addresses, and the same one, however they are written. */
bool judge_same_address(const char *a, const char *b);

/* The next hops of a set of which each must be there, and no other. */
struct judge_hops {
	const char *via;  /* "A,B", borrowed; NULL: no set is wanted */
	uint64_t missing; /* a bit for each place */
	bool has_other;
};

/* via: of the question, or NULL. One address alone is no set. */
struct judge_hops judge_hops_of(const char *via);
/* via: one that is there; NULL: one without an address. */
void judge_hops_see(struct judge_hops *set, const char *via);
/* True as well if no set is wanted. */
bool judge_hops_hold(const struct judge_hops *set);

#endif
