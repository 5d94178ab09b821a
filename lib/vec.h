/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A growable array of any type, as a plain struct: VEC(struct nic) nics = {0}.
 * Items move when it grows: keep indices, not pointers, across a push.
 */
#ifndef LIB_VEC_H
#define LIB_VEC_H

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

#define VEC(type)              \
	struct {               \
		type *at;      \
		size_t n, cap; \
	}

/* The commonest one, by name, so that it can be passed around. Strings are borrowed. */
struct strvec {
	const char **at;
	size_t n, cap;
};

#define vec_reserve(v, want)                                                          \
	do {                                                                          \
		if ((want) > (v)->cap) {                                              \
			size_t cap_ = (v)->cap ? (v)->cap * 2 : 8;                    \
			(v)->cap = cap_ < (want) ? (want) : cap_;                     \
			(v)->at = xreallocarray((v)->at, (v)->cap, sizeof(*(v)->at)); \
		}                                                                     \
	} while (0)

#define vec_push(v, item)                   \
	do {                                \
		vec_reserve(v, (v)->n + 1); \
		(v)->at[(v)->n++] = (item); \
	} while (0)

/* Adds a zeroed item and yields a pointer to it. */
#define vec_add(v) \
	((__typeof__((v)->at))vec_grow_((void **)&(v)->at, &(v)->n, &(v)->cap, sizeof(*(v)->at)))

/* Adds a zeroed item whose place is of no interest. */
#define vec_push_zero(v)                                                            \
	do {                                                                        \
		vec_grow_((void **)&(v)->at, &(v)->n, &(v)->cap, sizeof(*(v)->at)); \
	} while (0)

#define vec_remove(v, i)                                                                      \
	do {                                                                                  \
		memmove(&(v)->at[i], &(v)->at[(i) + 1], ((v)->n - (i)-1) * sizeof(*(v)->at)); \
		(v)->n--;                                                                     \
	} while (0)

/* Removes the first item that equals `item` (pointers, numbers); nothing happens if none does. */
#define vec_remove_item(v, item)                         \
	do {                                             \
		for (size_t i_ = 0; i_ < (v)->n; i_++) { \
			if ((v)->at[i_] != (item))       \
				continue;                \
			vec_remove(v, i_);               \
			break;                           \
		}                                        \
	} while (0)

#define vec_free(v)                    \
	do {                           \
		free((v)->at);         \
		(v)->at = NULL;        \
		(v)->n = (v)->cap = 0; \
	} while (0)

/* Looks at n first: the array of an empty one may be NULL, and NULL + 0 is undefined. */
#define VEC_FOREACH(item, v) for ((item) = (v)->at; (v)->n && (item) < (v)->at + (v)->n; (item)++)

/* Makes room for one zeroed item and returns where it is. */
static inline void *vec_grow_(void **at, size_t *n, size_t *cap, size_t size)
{
	if (*n == *cap) {
		*cap = *cap ? *cap * 2 : 8;
		*at = xreallocarray(*at, *cap, size);
	}
	return memset((char *)*at + (*n)++ * size, 0, size);
}

#endif
