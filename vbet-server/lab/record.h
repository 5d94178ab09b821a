/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept of a run beside its inputs: docs/protocols.md, "A run on disk". */
#ifndef VBET_SERVER_LAB_RECORD_H
#define VBET_SERVER_LAB_RECORD_H

#include "lib/err.h"

struct lab;
struct sources;

struct record {
	char *dir;               /* owned: the lab's own, or where the user said */
	struct sources *sources; /* borrowed: texts of the script; NULL: not known */
};

/* Writes what it takes to do the same again; `script` as it was named, or NULL. 0 or -1. */
int record_begin(struct lab *lab, const char *script, struct err *e);
/* Writes the texts of the script that are not with the run yet. 0 or -1. */
int record_keep_sources(struct lab *lab, struct err *e);

#endif
