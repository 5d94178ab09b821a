/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Errors are values that the caller owns: a kind, which becomes the exit status, and one line of
 * text. All functions return -1, so that "return err_set(...)" reports and returns; a caller who
 * does not care for the reason passes NULL.
 *
 * Text grows from the inside out: who fails says what failed, each caller may put before it where
 * that was (err_wrap()), and the user reads "FILE: KEY: reason".
 */
#include "lib/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 3, 0))) static int set(struct err *e, enum err_kind kind,
						     const char *fmt, va_list ap)
{
	if (e) {
		e->kind = kind;
		vsnprintf(e->text, sizeof(e->text), fmt, ap);
	}
	return -1;
}

int err_set(struct err *e, enum err_kind kind, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	set(e, kind, fmt, ap);
	va_end(ap);
	return -1;
}

/*
 * errno is taken first and given back last: making the text may change it, and callers look at it
 * after.
 */
int err_sys(struct err *e, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	set(e, ERR_ENV, fmt, ap);
	va_end(ap);
	size_t len = strlen(e->text);

	snprintf(e->text + len, sizeof(e->text) - len, ": %s", strerror(saved));
	errno = saved;
	return -1;
}

/*
 * The text is its own source, hence the copy. What is too long is cut at its end, so the context
 * stays.
 */
int err_wrap(struct err *e, const char *fmt, ...)
{
	char context[512];
	char old[sizeof(e->text)];
	va_list ap;

	if (!e)
		return -1;
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	memcpy(old, e->text, sizeof(old));
	size_t room = sizeof(e->text) - 1;
	int head = snprintf(e->text, sizeof(e->text), "%s: ", context);

	if ((size_t)head > room)
		head = (int)room;
	size_t tail = strnlen(old, room - (size_t)head);

	memcpy(e->text + head, old, tail);
	e->text[(size_t)head + tail] = '\0';
	return -1;
}
