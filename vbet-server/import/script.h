/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A settled model as a script, the files that it names, and what was not carried over. */
#ifndef VBET_SERVER_IMPORT_SCRIPT_H
#define VBET_SERVER_IMPORT_SCRIPT_H

#include "vbet-server/import/model.h"

#include <stdio.h>

/* A file of the lab, and where it is to lie beside the script. */
struct script_copy {
	const char *from; /* as struct import_source takes it */
	const char *to;   /* relative; no ".." in it */
	const char *text; /* what it is changed to, or NULL */
	bool is_executable;
	bool is_laid; /* by its place in the directory: the script does not speak of it */
};
struct script_copies {
	struct script_copy *at; /* in the arena of the model */
	size_t n;
};

/*
 * Chooses where the files of the lab lie. `is_copied`: the script stands in a directory of its own,
 * with copies of the files: where a directory of a lab has them (docs/lab-directory.md), so that
 * the script need not name them; what has no such place is where it was, if that is below the lab's
 * directory, else in "files/". Otherwise the script stands in that of the lab, with the files where
 * they are, and no copies are returned.
 */
void script_write(FILE *out, struct import_model *m, bool is_copied, struct script_copies *copies);
/* One line for each note: "TEXT: NODE, NODE". */
void script_write_notes(FILE *out, const struct import_model *m, const char *indent);

#endif
