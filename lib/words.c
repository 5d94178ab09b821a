/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One pass over the line, into one buffer as long as the line: no word grows by being unquoted, and
 * where a blank stood there is room for the zero at the end. So a line from a guest costs no more
 * memory than it has bytes.
 */
#include "lib/words.h"

#include "lib/vec.h"
#include "lib/xalloc.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static const struct {
	char letter, byte;
} escapes[] = {{'n', '\n'}, {'t', '\t'}, {'r', '\r'}, {'"', '"'}, {'\\', '\\'}};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads one escape at *p (just after the backslash) and moves *p past it. */
static int read_escape(const char **p, const char *end, char *byte)
{
	if (*p == end)
		return -1;
	char c = *(*p)++;

	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		if (escapes[i].letter == c) {
			*byte = escapes[i].byte;
			return 0;
		}
	}
	if (c != 'x' || end - *p < 2 || hex_value((*p)[0]) < 0 || hex_value((*p)[1]) < 0)
		return -1;
	*byte = (char)(hex_value((*p)[0]) * 16 + hex_value((*p)[1]));
	*p += 2;
	return *byte ? 0 : -1;
}

/* Reads quoted text at *p (just after the opening quote) into buf, which is large enough. */
static int read_quoted(const char **p, const char *end, char *buf, size_t *len)
{
	while (*p < end && **p != '"') {
		char c = *(*p)++;

		if (c == '\\' && read_escape(p, end, &c) < 0)
			return -1;
		buf[(*len)++] = c;
	}
	if (*p == end)
		return -1;
	(*p)++;
	return 0;
}

/* Reads a word at *p into buf, which is large enough, with a NUL. Quotes may open in the middle of
 * it: key="a value". */
static int read_word(const char **p, const char *end, char *buf, size_t *len)
{
	while (*p < end && **p != ' ' && **p != '\t') {
		if (**p != '"') {
			buf[(*len)++] = *(*p)++;
			continue;
		}
		++*p;
		if (read_quoted(p, end, buf, len) < 0)
			return -1;
	}
	buf[(*len)++] = '\0';
	return 0;
}

int words_split_few(const char *line, size_t len, size_t max, struct arena *a, struct words *out,
		    struct err *e)
{
	const char *p = line;
	const char *end = line + len;
	VEC(char *) list = {0};
	int rc = 0;

	if (memchr(line, '\0', len))
		return err_set(e, ERR_USAGE, "a NUL byte in a line of words");
	/* A word is no longer than its text, and its NUL stands for the blank behind it. */
	char *buf = arena_alloc(a, len + 1);

	while (p < end && rc == 0) {
		size_t n = 0;

		if (*p == ' ' || *p == '\t') {
			p++;
			continue;
		}
		if (list.n == max)
			rc = err_set(e, ERR_USAGE, "more than %zu words in a line", max);
		else if (read_word(&p, end, buf, &n) < 0)
			rc = err_set(e, ERR_USAGE, "bad or unclosed quote in column %td",
				     p - line + 1);
		else
			vec_push(&list, buf);
		buf += n;
	}
	if (rc == 0) {
		out->n = list.n;
		out->at = arena_alloc(a, (list.n + 1) * sizeof(char *));
		if (list.n)
			memcpy(out->at, list.at, list.n * sizeof(char *));
	}
	vec_free(&list);
	return rc;
}

int words_split(const char *line, size_t len, struct arena *a, struct words *out, struct err *e)
{
	return words_split_few(line, len, WORDS_MAX, a, out, e);
}

/* Bytes above 0x7f pass: they are UTF-8, which logs and people can read. */
static bool needs_quotes(const char *word)
{
	if (!*word)
		return true;
	for (; *word; word++)
		if ((unsigned char)*word <= ' ' || *word == '"' || *word == '\\' || *word == 0x7f)
			return true;
	return false;
}

static void put_byte(FILE *out, char c)
{
	for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
		if (escapes[i].byte == c) {
			fputc('\\', out);
			fputc(escapes[i].letter, out);
			return;
		}
	}
	if ((unsigned char)c < ' ' || c == 0x7f)
		fprintf(out, "\\x%02x", (unsigned char)c);
	else
		fputc(c, out);
}

void words_put(FILE *out, const char *word)
{
	if (!needs_quotes(word)) {
		fputs(word, out);
		return;
	}
	fputc('"', out);
	for (; *word; word++)
		put_byte(out, *word);
	fputc('"', out);
}

void words_put_line(FILE *out, char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i)
			fputc(' ', out);
		words_put(out, words[i]);
	}
	fputc('\n', out);
}

char *words_quote(struct arena *a, const char *word)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	words_put(f, word);
	fclose(f);
	char *copy = arena_strndup(a, text, len);

	free(text);
	return copy;
}

const char *words_get(const struct words *w, const char *key)
{
	size_t len = strlen(key);

	for (size_t i = 0; i < w->n; i++)
		if (!strncmp(w->at[i], key, len) && w->at[i][len] == '=')
			return w->at[i] + len + 1;
	return NULL;
}
