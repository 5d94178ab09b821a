/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Out of memory ends the process, at once and with a message that needs no memory. There is no path
 * in these programs that could do better: the kernel overcommits, so malloc() hardly ever says no,
 * and code that handled it everywhere would never have been run. What comes from outside is bounded
 * where it comes in (conn.c, words.c), not by failing here.
 *
 * Sizes of 0 are made 1, for NULL must mean only failure.
 */
#include "lib/xalloc.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void *or_die(void *p)
{
	static const char msg[] = "vbet: out of memory\n";

	if (!p) {
		if (write(2, msg, sizeof(msg) - 1) < 0)
			_exit(3);
		_exit(3);
	}
	return p;
}

void *xmalloc(size_t size)
{
	return or_die(malloc(size ? size : 1));
}

void *xcalloc(size_t n, size_t size)
{
	return or_die(calloc(n ? n : 1, size ? size : 1));
}

void *xrealloc(void *p, size_t size)
{
	return or_die(realloc(p, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size)
{
	if (size && n > SIZE_MAX / size)
		or_die(NULL);
	return xrealloc(p, n * size);
}

char *xstrdup(const char *s)
{
	return or_die(strdup(s));
}

char *xstrndup(const char *s, size_t n)
{
	return or_die(strndup(s, n));
}

char *xvasprintf(const char *fmt, va_list ap)
{
	char *s = NULL;

	return or_die(vasprintf(&s, fmt, ap) < 0 ? NULL : s);
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	char *s = xvasprintf(fmt, ap);

	va_end(ap);
	return s;
}

/* ---- streams into memory ---- */

struct memstream {
	char **text;
	size_t *len;
	size_t cap;
};

static ssize_t memstream_write(void *cookie, const char *data, size_t n)
{
	struct memstream *m = cookie;

	if (m->cap - *m->len <= n) {
		m->cap = 2 * m->cap + n;
		*m->text = xrealloc(*m->text, m->cap);
	}
	memcpy(*m->text + *m->len, data, n);
	*m->len += n;
	(*m->text)[*m->len] = '\0';
	return (ssize_t)n;
}

/* For ftell() alone: it is only written behind its end. */
static int memstream_seek(void *cookie, off64_t *at, int whence)
{
	const struct memstream *m = cookie;

	if (whence == SEEK_SET || *at != 0)
		return -1;
	*at = (off64_t)*m->len;
	return 0;
}

static int memstream_close(void *cookie)
{
	free(cookie);
	return 0;
}

FILE *xmemstream(char **text, size_t *len)
{
	static const cookie_io_functions_t io = {
		.write = memstream_write, .seek = memstream_seek, .close = memstream_close};
	struct memstream *m = xmalloc(sizeof(*m));

	*m = (struct memstream){text, len, 64};
	*text = xmalloc(m->cap);
	**text = '\0';
	*len = 0;
	return or_die(fopencookie(m, "w", io));
}
