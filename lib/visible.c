/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What guests print is shown on the user's terminal only after it went through here: UTF-8 letters,
 * line ends and tabs pass, everything else is shown as \xNN. A guest must not be able to write
 * escape sequences to the terminal of whoever looks at its log.
 *
 * Output comes in pieces that end anywhere, so up to one letter is held back until it is whole
 * (struct visible). A carriage return is held, too: before a newline it is a line end of a
 * terminal, alone it could overwrite what stands in the line.
 */
#include "lib/visible.h"

#include "lib/xalloc.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* How long the letter of UTF-8 is that begins so (RFC 3629); 0: none does. */
static unsigned length_of(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	return first >= 0xf0 && first <= 0xf4 ? 4 : 0;
}

static void put_hex(FILE *out, const unsigned char *at, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		fprintf(out, "\\x%02x", at[i]);
}

/* C1 controls are two octets that begin with this. */
static bool is_control(const unsigned char *letter, unsigned n)
{
	if (n == 1)
		return (letter[0] < ' ' && letter[0] != '\n' && letter[0] != '\t') ||
		       letter[0] == 0x7f;
	return n == 2 && letter[0] == 0xc2 && letter[1] < 0xa0;
}

static void put_held(struct visible *v, FILE *out)
{
	if (length_of(v->held[0]) != v->n_held || is_control(v->held, v->n_held))
		put_hex(out, v->held, v->n_held);
	else
		fwrite(v->held, 1, v->n_held, out);
	v->n_held = 0;
}

static void put_octet(struct visible *v, FILE *out, unsigned char c)
{
	bool cr = v->n_held == 1 && v->held[0] == '\r';

	if (cr && c == '\n') {
		v->n_held = 0;
		fputs("\r\n", out);
		return;
	}
	/* What does not go on with a letter ends it, and is the beginning of something else. */
	if (v->n_held && (cr || (c & 0xc0) != 0x80))
		put_held(v, out);
	v->held[v->n_held++] = c;
	if (v->held[0] != '\r' && v->n_held >= length_of(v->held[0]))
		put_held(v, out);
}

void visible_write(struct visible *v, FILE *out, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		put_octet(v, out, (unsigned char)data[i]);
}

void visible_end(struct visible *v, FILE *out)
{
	if (v->n_held)
		put_held(v, out);
}

char *visible_text(const char *text)
{
	struct visible v = {0};
	char *made = NULL;
	size_t len;
	FILE *f = xmemstream(&made, &len);

	visible_write(&v, f, text, strlen(text));
	visible_end(&v, f);
	fclose(f);
	return made;
}

void visible_put_lines(FILE *out, const char *indent, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fprintf(out, "%s%.*s\n", indent, (int)n, text);
		text += n + (text[n] == '\n');
	}
}
