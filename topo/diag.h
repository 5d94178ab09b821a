/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Places in a text, and the messages about them. */
#ifndef TOPO_DIAG_H
#define TOPO_DIAG_H

#include "lib/vec.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One text: the script, a file it includes, a statement typed at the console. */
struct source {
	const char *name; /* for messages; owned */
	char *text;       /* owned; text[len] is '\0' */
	size_t len;
	const char *dir;     /* directory relative to the script's, "" or "sub/"; owned */
	unsigned order;      /* place among the sources of a script */
	bool is_dropped;     /* kept only because messages point into it */
	VEC(uint32_t) lines; /* where each line starts */
	/* For messages of a statement that was typed; see struct topo_place. */
	const char *shown; /* instead of the name; owned, or NULL */
	uint32_t hidden;   /* octets at the beginning that its author has not written */
	unsigned lines_before;
};

/* A stretch of a source: bytes at..end. */
struct loc {
	const struct source *src;
	uint32_t at, end;
};

struct diag_item {
	struct loc loc;
	char *text;  /* owned */
	size_t turn; /* order of arrival */
};

struct diag {
	VEC(struct diag_item) items;
};

enum { DIAG_MAX = 20 }; /* messages kept in one run */

/* A copy of the text; never NULL. */
struct source *source_create(const char *name, const char *dir, const char *text, size_t len);
void source_destroy(struct source *s);
/* Line and column (in characters), both from 1. */
void source_position(const struct source *s, uint32_t at, int *line, int *column);

/* Adds a message. The same message at the same place is kept once. */
void diag_add(struct diag *d, struct loc loc, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* True if so much is wrong that it is no use to go on. */
bool diag_is_full(const struct diag *d);
/* Puts the messages into the order of the text. */
void diag_sort(struct diag *d);
void diag_print(FILE *out, const struct diag *d);
void diag_clear(struct diag *d);

#endif
