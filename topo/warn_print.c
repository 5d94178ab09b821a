/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which warnings are shown, and how. A comment "# vbet: ignore", with names behind it or without,
 * counts for its own line, or, alone on a line, for the next one.
 */
#include "topo/topo.h"

#include "topo/diag.h"
#include "topo/warn.h"

#include <stdlib.h>
#include <string.h>

static const char MARK[] = "# vbet: ignore";

/* The text of a line (from 1), without its end. */
static const char *line_at(const struct source *s, int line, size_t *len)
{
	const char *start = s->text + s->lines.at[line - 1];
	const char *end = memchr(start, '\n', (size_t)(s->text + s->len - start));

	*len = (size_t)((end ? end : s->text + s->len) - start);
	return start;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == ',';
}

/* Does the comment, behind the mark, mean that name? Nothing means all of them. */
static bool names(const char *p, const char *end, const char *name)
{
	bool any = false;

	while (p < end) {
		const char *from;

		while (p < end && is_blank(*p))
			p++;
		from = p;
		while (p < end && !is_blank(*p))
			p++;
		if (p == from)
			break;
		any = true;
		if (strlen(name) == (size_t)(p - from) && !memcmp(from, name, (size_t)(p - from)))
			return true;
	}
	return !any;
}

static bool line_ignores(const struct source *s, int line, const char *name, bool alone)
{
	size_t len;
	const char *text;

	if (line < 1 || (size_t)line > s->lines.n)
		return false;
	text = line_at(s, line, &len);
	const char *mark = memmem(text, len, MARK, sizeof(MARK) - 1);

	for (const char *p = text; alone && mark && p < mark; p++)
		if (!is_blank(*p))
			return false;
	return mark && names(mark + sizeof(MARK) - 1, text + len, name);
}

static bool is_ignored(const struct topo_script *s, const struct warn_item *item)
{
	const struct source *src = topo_find_source(s, item->pos.file);
	const char *name = warn_name(item->kind);

	return src && (line_ignores(src, item->pos.line, name, false) ||
		       line_ignores(src, item->pos.line - 1, name, true));
}

static int compare_numbers(int a, int b)
{
	return a < b ? -1 : a > b;
}

/*
 * Warnings of different checks are found in no order that a reader would expect. The text is
 * compared last, so that the output is the same in each run.
 */
static int compare(const void *pa, const void *pb)
{
	const struct warn_item *a = pa;
	const struct warn_item *b = pb;
	int c = strcmp(a->pos.file, b->pos.file);

	c = c ? c : compare_numbers(a->pos.line, b->pos.line);
	c = c ? c : compare_numbers(a->pos.column, b->pos.column);
	c = c ? c : compare_numbers((int)a->kind, (int)b->kind);
	return c ? c : strcmp(a->text, b->text);
}

static bool is_same_place(const struct warn_item *a, const struct warn_item *b)
{
	return a->kind == b->kind && a->pos.line == b->pos.line && a->pos.column == b->pos.column &&
	       !strcmp(a->pos.file, b->pos.file);
}

size_t topo_print_warnings(FILE *out, const struct topo_script *s, const struct graph *g,
			   const struct warn_choice *choice)
{
	struct warnings w = {0};
	size_t n = 0;

	warn_find(g, &w);
	if (w.list.n > 1)
		qsort(w.list.at, w.list.n, sizeof(*w.list.at), compare);
	for (size_t i = 0, next; i < w.list.n; i = next) {
		const struct warn_item *item = &w.list.at[i];

		/* A loop of the script does the same many times at one place. */
		for (next = i + 1; next < w.list.n && is_same_place(item, &w.list.at[next]); next++)
			;
		if ((choice->off >> item->kind & 1) || is_ignored(s, item))
			continue;
		n++;
		fprintf(out, "%s:%d:%d: warning: %s", item->pos.file, item->pos.line,
			item->pos.column, item->text);
		if (next - i > 1)
			fprintf(out, " (and %zu more of them here)", next - i - 1);
		fprintf(out, " [%s]\n", warn_name(item->kind));
	}
	warn_finish(&w);
	return n;
}
