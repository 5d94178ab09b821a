/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/columns.h"

#include "lib/vec.h"

#include <stdbool.h>
#include <string.h>

struct widths {
	VEC(size_t) at;
};

static size_t columns_within(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += ((unsigned char)text[i] & 0xc0) != 0x80;
	return n;
}

size_t columns_of(const char *text)
{
	return columns_within(text, strlen(text));
}

static void put_cell(FILE *out, const char *cell, size_t len, size_t width, bool right)
{
	size_t n = columns_within(cell, len);
	int pad = n < width ? (int)(width - n) : 0;

	fprintf(out, "%*s%.*s%*s", right ? pad : 0, "", (int)len, cell, right ? 0 : pad, "");
}

/* One line of `len` octets; out NULL: it is only measured. */
static void do_line(struct widths *w, FILE *out, const char *line, size_t len, uint32_t right)
{
	bool is_row = memchr(line, '\t', len);

	for (size_t i = 0; is_row; i++) {
		const char *tab = memchr(line, '\t', len);
		size_t n = tab ? (size_t)(tab - line) : len;
		bool is_right = i < 32 && right >> i & 1;

		if (i == w->at.n)
			vec_push(&w->at, 0);
		if (!out && columns_within(line, n) > w->at.at[i])
			w->at.at[i] = columns_within(line, n);
		if (out)
			put_cell(out, line, n, tab || is_right ? w->at.at[i] : 0, is_right);
		if (!tab)
			return;
		if (out)
			fputs("  ", out);
		line = tab + 1;
		len -= n + 1;
	}
	if (out)
		fwrite(line, 1, len, out);
}

static void do_text(struct widths *w, FILE *out, const char *text, uint32_t right)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		do_line(w, out, text, len, right);
		text += len;
		if (*text) {
			if (out)
				fputc('\n', out);
			text++;
		}
	}
}

void columns_put(FILE *out, const char *text, uint32_t right)
{
	struct widths w = {0};

	do_text(&w, NULL, text, right);
	do_text(&w, out, text, right);
	vec_free(&w.at);
}
