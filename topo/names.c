/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hash table with open addressing. Nothing is ever removed: a name that is given up has the value
 * VALUE_NONE, so that chains stay whole.
 */
#include "topo/names.h"

#include "lib/rng.h"

#include <string.h>

static struct names_entry *find(const struct names *t, const char *name)
{
	size_t i = hash_fnv1a(name, strlen(name), HASH_FNV1A_START) & (t->cap - 1);

	while (t->at[i].name && strcmp(t->at[i].name, name) != 0)
		i = (i + 1) & (t->cap - 1);
	return &t->at[i];
}

struct value *names_get(const struct names *t, const char *name)
{
	struct names_entry *e = t->cap ? find(t, name) : NULL;

	return e && e->name ? &e->value : NULL;
}

static void grow(struct names *t, struct arena *a)
{
	struct names old = *t;

	t->cap = old.cap ? old.cap * 2 : 16;
	t->at = arena_alloc(a, t->cap * sizeof(*t->at));
	for (size_t i = 0; i < old.cap; i++)
		if (old.at[i].name)
			*find(t, old.at[i].name) = old.at[i];
}

void names_put(struct names *t, struct arena *a, const char *name, struct value v)
{
	if ((t->n + 1) * 4 > t->cap * 3)
		grow(t, a);
	struct names_entry *e = find(t, name);

	if (!e->name)
		t->n++;
	e->name = name;
	e->value = v;
}
