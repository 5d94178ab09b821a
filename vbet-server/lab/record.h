/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is kept of a run beside its inputs: docs/protocols.md, "A run on disk". */
#ifndef VBET_SERVER_LAB_RECORD_H
#define VBET_SERVER_LAB_RECORD_H

#include "lib/err.h"

#include <stddef.h>

struct lab;
struct sources;

struct record {
	char *dir;               /* owned: the lab's own, or where the user said */
	struct sources *sources; /* borrowed: texts of the script; NULL: not known */
};

/* Writes what it takes to do the same again; `script` as it was named, or NULL. 0 or -1. */
int record_begin(struct lab *lab, const char *script, struct err *e);
/* Into a snapshot's copy of the run directory, if the record is elsewhere. 0 or -1. */
int record_copy_inputs(const struct lab *lab, const char *run, struct err *e);
/*
 * The record goes on in a directory, the lab's own or another, behind the first `len` bytes of
 * `text`: the lab was restored there. 0 or -1.
 */
int record_go_on(struct lab *lab, const char *dir, const char *text, size_t len, struct err *e);
/* The same behind what the run directory of a restored lab has of its inputs. */
int record_thaw(struct lab *lab, const char *dir, struct err *e);
/* Writes the texts of the script that are not with the run yet. 0 or -1. */
int record_keep_sources(struct lab *lab, struct err *e);

#endif
