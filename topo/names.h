/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table from names to values: the variables of a script, the names of its nodes. */
#ifndef TOPO_NAMES_H
#define TOPO_NAMES_H

#include "lib/arena.h"
#include "topo/value.h"

struct names_entry {
	const char *name; /* NULL: an empty place */
	struct value value;
};

struct names {
	struct names_entry *at; /* in the arena */
	size_t n, cap;          /* cap is 0 or a power of two */
};

/* The entry of that name, or NULL. It stays valid until the next names_put(). */
struct value *names_get(const struct names *t, const char *name);
/* Sets or replaces; the name must live as long as the arena. */
void names_put(struct names *t, struct arena *a, const char *name, struct value v);

#endif
