/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks at what a file says of itself as an imprint, and believes none of it unseen. Pure. */
#ifndef IMPRINT_LOOK_H
#define IMPRINT_LOOK_H

#include "imprint/imprint_file.h"

/* An imprint in memory; all but head points into it. */
struct imprint_tables {
	struct imprint_header head;
	const struct imprint_map *map;
	const struct imprint_extent *extent;
	const struct imprint_file *file;
};

/*
 * data: all of the file, aligned to 8; path: for messages. 0: it is whole, and can be: mappings are
 * of whole pages, in order and apart from each other; what is filled in lies within them and the
 * file; files have names; where it goes on is code. Else -1.
 */
int imprint_look(const uint8_t *data, uint64_t size, const char *path, struct imprint_tables *t,
		 struct err *e);
/* The kernel's own code and data in t are mappings of the same lengths as in this process. */
bool imprint_vdso_fits(const struct imprint_tables *t, const struct imprint_maps *now);

#endif
