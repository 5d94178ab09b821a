/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The formats of other tools: which one a text has, and who reads it. */
#ifndef VBET_SERVER_IMPORT_FORMAT_H
#define VBET_SERVER_IMPORT_FORMAT_H

#include "vbet-server/import/model.h"

#include <stdbool.h>
#include <stddef.h>

struct import_format {
	const char *name; /* "a topology of containerlab" */
	/* base: the name of the file, without directories; the text is NUL-terminated. */
	bool (*is_one)(const char *base, const char *text, size_t len);
	/* Reads into an initialised model. 0, or -1 with "FILE:LINE:COLUMN: why". */
	int (*read)(struct import_model *m, const struct import_source *src, const char *text,
		    size_t len, struct err *e);
};

/* The format of a file, by its name and what is in it; NULL: none that is known. */
const struct import_format *format_find(const char *file, const char *text, size_t len);
/*
 * The format of what is no file but a name ("tree,2,3"), which is its text as well; NULL: it is
 * not.
 */
const struct import_format *format_find_name(const char *name);
/* "containerlab, Kathará, ...": what can be imported. */
const char *format_list(void);
/*
 * Reads and settles. `m` must be finished with model_finish() in any case. The lab is named after
 * the file, or its directory, if it has no name.
 */
int format_read(const struct import_format *f, struct import_model *m, const char *file,
		const struct import_source *src, const char *text, size_t len, struct err *e);

#endif
