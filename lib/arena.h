/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory that is freed all at once: one arena owns a parsed script, a graph, a plan. */
#ifndef LIB_ARENA_H
#define LIB_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena {
	struct arena_block *head; /* owned */
};

/* Zeroed memory, aligned for any type; lives until arena_finish(). Never NULL. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Octets that it has taken so far, used or not. */
size_t arena_size(const struct arena *a);
/* Frees everything; the arena is empty and may be used again. */
void arena_finish(struct arena *a);
/* The same, but it keeps some memory for what comes next: for who fills it again and again. */
void arena_clear(struct arena *a);

#endif
