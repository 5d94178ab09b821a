/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The words that change a running lab, as clients, scripts and records say them. */
#ifndef VBET_SERVER_LAB_VERB_H
#define VBET_SERVER_LAB_VERB_H

#include "lib/err.h"
#include "lib/words.h"

#include <stdbool.h>
#include <stdio.h>

struct lab;

/* It touches guests other than by messages: whether all are to be awake for it. */
enum verb_wakes {
	WAKES_NOBODY,
	WAKES_VIRTUAL, /* in virtual time */
	WAKES_ALL,
};

struct verb {
	const char *name;
	size_t min_words, max_words; /* with the name */
	/* Does it; what it prints goes to out. 0, or -1 with the error set. */
	int (*run)(struct lab *lab, const struct words *w, FILE *out, struct err *e);
	bool is_silent; /* writes its own line into the record, or none */
	enum verb_wakes wakes;
};

/* That of these words; NULL, with the error set: none, or they are too few or too many. */
const struct verb *verb_find(const struct words *w, struct err *e);
bool verb_wakes(const struct lab *lab, const struct words *w);

#endif
