/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blocks of BLOCK_SIZE, from which pieces are cut off one after the other; what is larger gets a
 * block of its own. Nothing is freed alone: whoever owns the arena frees a whole script, graph or
 * plan at once, so that no error path can forget a piece.
 *
 * All memory is zero, and aligned for any type. An arena that is only zeroed is a valid, empty one.
 */
#include "lib/arena.h"

#include "lib/xalloc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 16384 };

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

/*
 * A new block becomes the head, and what was left of the one before is given up: looking for room
 * in older blocks would cost more than the few octets are worth.
 */
void *arena_alloc(struct arena *a, size_t size)
{
	size_t align = _Alignof(max_align_t);
	struct arena_block *b = a->head;

	size = (size + align - 1) & ~(align - 1);
	if (!b || b->size - b->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;

		b = xcalloc(1, sizeof(*b) + room);
		b->size = room;
		b->next = a->head;
		a->head = b;
	}
	void *p = b->data + b->used;

	b->used += size;
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	size_t len = strnlen(s, n);
	char *p = arena_alloc(a, len + 1);

	memcpy(p, s, len);
	return p;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_strndup(a, s, strlen(s));
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	va_list again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int len = vsnprintf(NULL, 0, fmt, ap);

	va_end(ap);
	char *p = arena_alloc(a, (size_t)len + 1);

	vsnprintf(p, (size_t)len + 1, fmt, again);
	va_end(again);
	return p;
}

size_t arena_size(const struct arena *a)
{
	size_t size = 0;

	for (const struct arena_block *b = a->head; b; b = b->next)
		size += sizeof(*b) + b->size;
	return size;
}

void arena_finish(struct arena *a)
{
	while (a->head) {
		struct arena_block *b = a->head;

		a->head = b->next;
		free(b);
	}
}

void arena_clear(struct arena *a)
{
	struct arena_block *kept = a->head;

	if (!kept)
		return;
	a->head = kept->next;
	arena_finish(a);
	memset(kept->data, 0, kept->used);
	kept->used = 0;
	kept->next = NULL;
	a->head = kept;
}
