/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The texts that a lab is made of: its script, what that includes, and the files that it lays into
 * guests. They are kept with a run, so that it can be repeated when they have changed, or
 * elsewhere.
 */
#ifndef VBET_SERVER_STORE_SOURCES_H
#define VBET_SERVER_STORE_SOURCES_H

#include "lib/err.h"
#include "lib/vec.h"

#include <stdbool.h>

struct source_text {
	char *path, *text; /* owned; the path as it was asked for */
	size_t len;
};

/* Zeroed: empty. */
struct sources {
	VEC(struct source_text) files;
	bool only;      /* of a kept run: nothing else is read */
	size_t written; /* files that sources_write() has written already */
};

/*
 * Reads a text: one that is there already, or a file of the machine (which is there from then on).
 * ctx: a struct sources. malloc'ed, or NULL with the error set.
 */
char *sources_read(void *ctx, const char *path, size_t *len, struct err *e);
/* Adds a text of that name, as if it had been read; it is copied. */
void sources_add(struct sources *s, const char *path, const char *text);
/* True if there is such a text; nothing is read. */
bool sources_have(const struct sources *s, const char *path);
/* Writes what is not written yet: dir/index has a line "NUMBER PATH" for each file dir/NUMBER. */
int sources_write(struct sources *s, const char *dir, struct err *e);
/* Reads what was written; from then on there is nothing else. */
int sources_load(struct sources *s, const char *dir, struct err *e);
/* `to` is empty; nothing of it is written yet. */
void sources_copy(struct sources *to, const struct sources *from);
void sources_finish(struct sources *s);

#endif
