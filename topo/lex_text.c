/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Strings and here-documents. A string with "${...}" becomes several tokens: TEXT_OPEN, the tokens
 * of the expression, TEXT_MIDDLE, ..., TEXT_CLOSE, so that expressions in strings are parsed by the
 * same grammar as all others.
 *
 * The body of a here-document lies on the lines after that of its "<<WORD", and the rest of that
 * line is still to be read, perhaps with a second "<<". So the body is cut up at once, in place,
 * while l->resume remembers where the bodies end: lex_newline() jumps there at the end of the line.
 */
#include "topo/lex_priv.h"

#include "lib/vec.h"
#include "lib/xalloc.h"
#include "topo/parse.tab.h"

#include <string.h>

enum { MAX_TEXT_NESTING = 8 };

struct text {
	char *at;
	size_t n, cap;
	const char *from; /* where the open part starts */
	bool has_parts;
};

static void put(struct text *t, char c)
{
	vec_push(t, c);
}

static struct value take_text(struct lexer *l, struct text *t)
{
	char *copy = arena_alloc(l->arena, t->n + 1);

	if (t->n)
		memcpy(copy, t->at, t->n);
	size_t n = t->n;

	t->n = 0;
	return value_text(copy, n);
}

/* At "${": ends a part of the text, cuts up the expression, and opens the next part. */
static void lex_inserted(struct lexer *l, struct text *t, const char *start)
{
	const char *from = l->p;

	l->p += 2;
	lex_emit(l, t->has_parts ? TEXT_MIDDLE : TEXT_OPEN, t->has_parts ? t->from : start)->value =
		take_text(l, t);
	t->has_parts = true;
	if (++l->text_nesting > MAX_TEXT_NESTING) {
		diag_add(l->diag, lex_loc(l, from, l->p), "strings nested too deeply");
		l->p = l->end;
		l->out->gave_up = true;
		return;
	}
	bool was_in_text = l->is_in_text;
	int open = l->open;
	unsigned nesting = l->nesting;

	l->is_in_text = true;
	l->open = -1; /* brackets inside are a world of their own */
	lex_until(l, '}');
	l->open = open;
	l->nesting = nesting;
	l->is_in_text = was_in_text;
	l->text_nesting--;
	t->from = l->p;
	if (l->p < l->end && *l->p == '}')
		l->p++;
	else
		diag_add(l->diag, lex_loc(l, from, from + 2), "'${' is not closed by '}'");
}

static void close_text(struct lexer *l, struct text *t, const char *start)
{
	struct value v = take_text(l, t);

	lex_emit(l, t->has_parts ? TEXT_CLOSE : STRING, t->has_parts ? t->from : start)->value = v;
	vec_free(t);
}

static int hex_digit(char c)
{
	return isdigit((unsigned char)c)    ? c - '0'
	       : isxdigit((unsigned char)c) ? tolower((unsigned char)c) - 'a' + 10
					    : -1;
}

static void lex_escape(struct lexer *l, struct text *t)
{
	static const char from_to[][2] = {{'n', '\n'}, {'t', '\t'},  {'r', '\r'},
					  {'"', '"'},  {'\\', '\\'}, {'$', '$'}};
	const char *from = l->p++;
	char c = l->p < l->end ? *l->p++ : '\0';

	for (size_t i = 0; i < ARRAY_LEN(from_to); i++) {
		if (from_to[i][0] == c) {
			put(t, from_to[i][1]);
			return;
		}
	}
	if (c == 'x' && l->end - l->p >= 2 && hex_digit(l->p[0]) >= 0 && hex_digit(l->p[1]) >= 0) {
		char byte = (char)(hex_digit(l->p[0]) * 16 + hex_digit(l->p[1]));

		l->p += 2;
		if (byte) {
			put(t, byte);
			return;
		}
	}
	diag_add(l->diag, lex_loc(l, from, l->p),
		 "unknown escape; known are \\n \\t \\r \\\" \\\\ \\$ and \\xHH (not \\x00)");
}

/*
 * A string ends on its line. So one that is not closed is one mistake, and the next line is read as
 * what it is.
 */
void lex_string(struct lexer *l)
{
	const char *start = l->p++;
	struct text t = {0};

	while (l->p < l->end && *l->p != '"' && *l->p != '\n') {
		if (*l->p == '\\')
			lex_escape(l, &t);
		else if (l->p[0] == '$' && l->p[1] == '{')
			lex_inserted(l, &t, start);
		else if (*l->p)
			put(&t, *l->p++);
		else
			l->p++; /* reported already */
	}
	if (l->p < l->end && *l->p == '"')
		l->p++;
	else if (!l->is_in_text)
		diag_add(l->diag, lex_loc(l, start, start + 1),
			 "the string is not closed by '\"' on its line");
	close_text(l, &t, start);
}

/* One here-document: where its body is, and how it is to be read. */
struct here {
	const char *word;
	size_t word_len;
	bool strip, insert;
	const char *body, *body_end; /* whole lines */
	size_t indent;               /* bytes stripped from each line */
};

static const char *line_end(const struct lexer *l, const char *p)
{
	const char *nl = memchr(p, '\n', (size_t)(l->src->text + l->src->len - p));

	return nl ? nl : l->src->text + l->src->len;
}

/* The terminator is a line of the word and perhaps what closes the call. Points behind the word. */
static const char *find_word(const struct here *h, const char *line, const char *end)
{
	const char *p = line;

	while (p < end && lex_is_blank(*p))
		p++;
	if ((size_t)(end - p) < h->word_len || memcmp(p, h->word, h->word_len) != 0)
		return NULL;
	p += h->word_len;
	for (const char *q = p; q < end; q++)
		if (!lex_is_blank(*q) && !strchr("),;]}", *q))
			return *q == '#' && q > p && lex_is_blank(q[-1]) ? p : NULL;
	return p;
}

/*
 * The least indentation of all lines that are not blank: a here-document in a nested block can be
 * indented with it (<<-), and its lines keep theirs relative to each other.
 */
static void measure_indent(struct here *h)
{
	h->indent = SIZE_MAX;
	for (const char *p = h->body; p < h->body_end;) {
		const char *nl = memchr(p, '\n', (size_t)(h->body_end - p));
		const char *q = p;

		nl = nl ? nl : h->body_end;
		while (q < nl && lex_is_blank(*q))
			q++;
		if (q < nl && (size_t)(q - p) < h->indent)
			h->indent = (size_t)(q - p);
		p = nl + 1;
	}
	if (h->indent == SIZE_MAX)
		h->indent = 0;
}

/* Finds the body of a here-document, which starts on the line after l->p. Moves l->resume. */
static bool find_body(struct lexer *l, struct here *h)
{
	const char *stop = l->src->text + l->src->len;
	const char *p = line_end(l, l->resume ? l->resume : l->p);

	if (p < stop)
		p++;
	for (h->body = p; p < stop;) {
		const char *end = line_end(l, p);
		const char *after = find_word(h, p, end);

		h->body_end = p;
		if (after) {
			l->resume = after;
			if (h->strip)
				measure_indent(h);
			return true;
		}
		p = end < stop ? end + 1 : stop;
	}
	h->body_end = stop;
	l->resume = stop;
	return false;
}

static void lex_body(struct lexer *l, const struct here *h, const char *start)
{
	const char *back = l->p;
	const char *end = l->end;
	struct text t = {.from = start};
	bool at_line_start = true;

	l->p = h->body;
	l->end = h->body_end;
	while (l->p < l->end) {
		size_t skip = at_line_start ? h->indent : 0;

		for (; skip && l->p < l->end && lex_is_blank(*l->p) && *l->p != '\n'; skip--)
			l->p++;
		if (l->p >= l->end)
			break;
		at_line_start = *l->p == '\n';
		if (h->insert && l->p[0] == '$' && l->p[1] == '{')
			lex_inserted(l, &t, start);
		else if (*l->p && !(*l->p == '\r' && l->p[1] == '\n'))
			put(&t, *l->p++);
		else
			l->p++;
	}
	l->end = end;
	l->p = back;
	struct value v = take_text(l, &t);

	lex_emit(l, t.has_parts ? TEXT_CLOSE : STRING, start)->value = v;
	vec_free(&t);
}

bool lex_here(struct lexer *l)
{
	const char *start = l->p;
	const char *p = start + 2;
	struct here h = {0};

	if (*p == '-') {
		h.strip = true;
		p++;
	}
	if (*p == '$') {
		h.insert = true;
		p++;
	}
	for (h.word = p; lex_is_name(*p);)
		p++;
	h.word_len = (size_t)(p - h.word);
	if (!h.word_len)
		return false;
	l->p = p;
	if (l->is_in_text) {
		diag_add(l->diag, lex_loc(l, start, p), "no here-document inside a string");
		lex_emit(l, STRING, start)->value = value_wrong;
		return true;
	}
	if (!find_body(l, &h))
		diag_add(l->diag, lex_loc(l, start, p),
			 "the here-document is not closed: no line '%.*s' follows",
			 h.word_len > 40 ? 40 : (int)h.word_len, h.word);
	lex_body(l, &h, start);
	return true;
}
