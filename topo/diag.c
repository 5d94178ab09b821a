/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Messages are collected and sorted by their place, then printed with the line and a caret. Only
 * the first few of a run are kept: more would follow from those. A line may hold anything, so what
 * is shown of it is cut and cleaned, and columns count characters.
 */
#include "topo/diag.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 160, LEAD = 60 }; /* bytes of a long line that are shown; of them before the place */

/*
 * The beginnings of all lines are noted once: places in messages, warnings and graphs are offsets,
 * and become lines when somebody wants to read them.
 */
struct source *source_create(const char *name, const char *dir, const char *text, size_t len)
{
	struct source *s = xcalloc(1, sizeof(*s));

	s->name = xstrdup(name);
	s->dir = xstrdup(dir);
	s->text = xmalloc(len + 1);
	if (len)
		memcpy(s->text, text, len);
	s->text[len] = '\0';
	s->len = len;
	vec_push(&s->lines, 0);
	for (size_t i = 0; i < len; i++)
		if (text[i] == '\n')
			vec_push(&s->lines, (uint32_t)i + 1);
	return s;
}

void source_destroy(struct source *s)
{
	if (!s)
		return;
	vec_free(&s->lines);
	free((char *)s->name);
	free((char *)s->shown);
	free((char *)s->dir);
	free(s->text);
	free(s);
}

/* Index of the line that holds byte `at`. */
static size_t line_of(const struct source *s, uint32_t at)
{
	size_t low = 0;
	size_t high = s->lines.n;

	while (high - low > 1) {
		size_t mid = low + (high - low) / 2;

		if (s->lines.at[mid] <= at)
			low = mid;
		else
			high = mid;
	}
	return low;
}

static bool is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

/* Where line i begins for its author. */
static uint32_t begin_of(const struct source *s, size_t i)
{
	return i ? s->lines.at[i] : s->hidden;
}

/*
 * Columns count characters and not bytes, as editors do: bytes that go on a UTF-8 character are
 * passed over.
 */
void source_position(const struct source *s, uint32_t at, int *line, int *column)
{
	size_t i = line_of(s, at);

	*line = (int)(s->lines_before + i) + 1;
	*column = 1;
	for (uint32_t p = begin_of(s, i); p < at; p++)
		if (p + 1 >= s->len || !is_continuation(s->text[p + 1]))
			(*column)++;
}

/* The same message at the same place is kept once: a loop of the script repeats its mistakes. */
void diag_add(struct diag *d, struct loc loc, const char *fmt, ...)
{
	va_list ap;
	struct diag_item *i;

	va_start(ap, fmt);
	char *text = xvasprintf(fmt, ap);

	va_end(ap);
	VEC_FOREACH (i, &d->items) {
		if (i->loc.src == loc.src && i->loc.at == loc.at && !strcmp(i->text, text)) {
			free(text);
			return;
		}
	}
	if (diag_is_full(d)) {
		free(text);
		return;
	}
	i = vec_add(&d->items);
	i->loc = loc;
	i->text = text;
	i->turn = d->items.n;
}

bool diag_is_full(const struct diag *d)
{
	return d->items.n >= DIAG_MAX;
}

/*
 * By source in the order in which they were read, then by place, then by the order of the messages:
 * the output of a check must not depend on the order of its steps.
 */
static int compare_items(const void *pa, const void *pb)
{
	const struct diag_item *a = pa;
	const struct diag_item *b = pb;

	if (a->loc.src != b->loc.src)
		return a->loc.src->order < b->loc.src->order ? -1 : 1;
	if (a->loc.at != b->loc.at)
		return a->loc.at < b->loc.at ? -1 : 1;
	return a->turn < b->turn ? -1 : 1;
}

void diag_sort(struct diag *d)
{
	if (d->items.n > 1)
		qsort(d->items.at, d->items.n, sizeof(*d->items.at), compare_items);
}

/* Length of the UTF-8 character at s, or 0 if there is none that can be shown as it is. */
static size_t shown_char(const char *s, const char *end)
{
	unsigned char c = (unsigned char)*s;
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : 0;

	if (c >= 0xf0 && c < 0xf5)
		n = 4;
	if ((c < ' ' && c != '\t') || c == 0x7f || !n || (size_t)(end - s) < n)
		return 0;
	for (size_t i = 1; i < n; i++)
		if (!is_continuation(s[i]))
			return 0;
	return n;
}

/* Row 0 is the line; row 1 is blanks of the same width up to the place, and the caret under it. */
static void print_line(FILE *out, const char *s, const char *end, const char *at, const char *stop)
{
	const char *from = s;

	if (at - s > SHOWN - LEAD) {
		from = at - LEAD;
		while (from > s && is_continuation(*from))
			from--;
	}
	if (end - from > SHOWN)
		end = from + SHOWN;
	for (int row = 0; row < 2; row++) {
		fputs(row == 0 ? "    " : "\n    ", out);
		for (const char *p = from; p < end || (row && p <= at);) {
			size_t n = p < end ? shown_char(p, end) : 1;

			if (row && p >= stop && p > at)
				break;
			if (row == 0 && n)
				fwrite(p, 1, n, out);
			else if (row == 0)
				fputc('?', out);
			else if (p < at)
				fputc(p < end && *p == '\t' ? '\t' : ' ', out);
			else
				fputc(p == at ? '^' : '~', out);
			p += n ? n : 1;
		}
	}
	fputc('\n', out);
}

/* A place may lie behind the end of its line, as that of something that is missing there. */
static void print_item(FILE *out, const struct diag_item *i)
{
	const struct source *s = i->loc.src;
	int line;
	int column;

	source_position(s, i->loc.at, &line, &column);
	fprintf(out, "%s:%d:%d: %s\n", s->shown ? s->shown : s->name, line, column, i->text);
	const char *start = s->text + begin_of(s, line_of(s, i->loc.at));
	const char *end = memchr(start, '\n', (size_t)(s->text + s->len - start));

	if (!end)
		end = s->text + s->len;
	if (end > start && end[-1] == '\r')
		end--;
	const char *at = s->text + (i->loc.at < s->hidden ? s->hidden : i->loc.at);
	const char *stop = s->text + i->loc.end;

	print_line(out, start, end, at > end ? end : at, stop > end ? end : stop);
}

void diag_print(FILE *out, const struct diag *d)
{
	const struct diag_item *i;

	VEC_FOREACH (i, &d->items)
		print_item(out, i);
	if (diag_is_full(d))
		fprintf(out, "that is enough: the rest was not looked at\n");
}

void diag_clear(struct diag *d)
{
	struct diag_item *i;

	VEC_FOREACH (i, &d->items)
		free(i->text);
	vec_free(&d->items);
}
