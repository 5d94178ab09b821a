/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Allocation for the control plane: never returns NULL; out of memory stops the program cleanly. */
#ifndef LIB_XALLOC_H
#define LIB_XALLOC_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
/* Grows an array of `size`-byte items to hold n; checks the product. */
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);
char *xstrndup(const char *s, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));
/*
 * As open_memstream(3): what is written is in *text (the caller's to free) after fflush() and
 * fclose(). It is never NULL, also when nothing was written, and is never short: a stream of the C
 * library would be either without memory, and say so only to whoever asks.
 */
FILE *xmemstream(char **text, size_t *len);

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

#endif
