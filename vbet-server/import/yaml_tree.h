/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * YAML (1.1, by libyaml) as a tree, within limits: 64 levels, and IMPORT_YAML_NODES nodes, with
 * what "<<" merges counted. An alias is the same node again, not a copy, so that a text of aliases
 * of aliases stays as small as it is; it may only name what was complete before it, so that the
 * tree has no circle. Whoever walks it must still bound his own steps.
 */
#ifndef VBET_SERVER_IMPORT_YAML_TREE_H
#define VBET_SERVER_IMPORT_YAML_TREE_H

#include "lib/arena.h"
#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>

enum { IMPORT_YAML_NODES = 200000, IMPORT_YAML_DEPTH = 64 };

enum yaml_kind { YAML_NULL, YAML_TEXT, YAML_LIST, YAML_MAP };

struct yaml_item;
struct yaml_value {
	enum yaml_kind kind;
	unsigned line, column; /* from 1 */
	const char *text;      /* YAML_TEXT: no NUL inside */
	bool is_quoted;
	struct yaml_item *items; /* of a list or map */
	size_t n;
};
struct yaml_item {
	const char *key; /* of a map; NULL in a list */
	struct yaml_value *value;
};

/* The first document. NULL with "FILE:LINE:COLUMN: why" in e. All of it lives in the arena. */
struct yaml_value *yaml_tree_read(struct arena *a, const char *file, const char *text, size_t len,
				  struct err *e);
/* The value of a key; NULL if it is null, missing, or v is NULL or no map. */
struct yaml_value *yaml_get(const struct yaml_value *v, const char *key);
/* The text of a scalar, or NULL. */
const char *yaml_text(const struct yaml_value *v);
/*
 * A text that may stand in a line of a configuration, as one word of letters, digits and ".:/_-";
 * otherwise `otherwise`. v may be NULL.
 */
const char *yaml_word(const struct yaml_value *v, const char *otherwise);
/* Sets "FILE:LINE:COLUMN: ..."; -1. */
int yaml_wrong(struct err *e, const char *file, const struct yaml_value *at, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
