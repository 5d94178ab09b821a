/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/lex.h"

#include "lib/addr.h"
#include "lib/nearest.h"
#include "lib/xalloc.h"
#include "topo/parse.tab.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT_NESTING = 8 };

struct lexer {
	struct arena *arena;
	struct diag *diag;
	const struct source *src;
	struct tokens *out;
	const char *p;      /* next byte */
	const char *end;    /* of what is to be cut up */
	const char *line;   /* where this one starts */
	const char *resume; /* where to go on after this line: behind its here-documents */
	int open;           /* innermost open bracket, or -1 */
	unsigned nesting;
	unsigned text_nesting;
	bool line_has_token;
	bool is_in_text; /* within "${...}", where a newline is an error */
};

static const struct {
	const char *name;
	int kind;
} keywords[] = {
	{"for", KW_FOR},         {"in", KW_IN},   {"if", KW_IF},
	{"else", KW_ELSE},       {"def", KW_DEF}, {"return", KW_RETURN},
	{"include", KW_INCLUDE}, {"at", KW_AT},   {"expect", KW_EXPECT},
};

static const struct {
	const char *text;
	int kind;
} marks[] = {
	{"...", ELLIPSIS}, {"..", DOTS}, {"==", EQ}, {"!=", NE}, {"<=", LE},
	{">=", GE},        {"&&", AND},  {"||", OR}, {"(", '('}, {")", ')'},
	{"[", '['},        {"]", ']'},   {"{", '{'}, {"}", '}'}, {",", ','},
	{";", ';'},        {"=", '='},   {"<", '<'}, {">", '>'}, {"+", '+'},
	{"-", '-'},        {"*", '*'},   {"/", '/'}, {"%", '%'}, {"!", '!'},
};

const char *lex_keyword(size_t i)
{
	return i < ARRAY_LEN(keywords) ? keywords[i].name : NULL;
}

static struct loc loc_of(const struct lexer *l, const char *from, const char *to)
{
	return (struct loc){l->src, (uint32_t)(from - l->src->text), (uint32_t)(to - l->src->text)};
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_';
}

/* True if a value can end with the token: what follows "{" then is a block. */
static bool ends_value(int kind)
{
	return kind == NAME || kind == NUMBER || kind == ADDRESS || kind == STRING ||
	       kind == TEXT_CLOSE || kind == ')' || kind == ']' || kind == '}' || kind == KW_ELSE;
}

static struct token *emit(struct lexer *l, int kind, const char *from)
{
	struct tokens *ts = l->out;
	int before = ts->list.n ? ts->list.at[ts->list.n - 1].kind : 0;
	struct token *t = vec_add(&ts->list);

	t->kind = kind;
	t->loc = loc_of(l, from, l->p);
	t->column = from > l->line ? (unsigned)(from - l->line) : 0;
	t->is_first = !l->line_has_token && !l->is_in_text;
	t->is_block = kind == '{' && ends_value(before);
	t->parent = l->open;
	l->line_has_token = true;
	return t;
}

/* Keeps track of brackets: a closing one also closes what was left open inside. */
static void track_bracket(struct lexer *l, int kind)
{
	const struct token *at = l->out->list.at;
	int open = l->open;
	int want = kind == ')' ? '(' : kind == ']' ? '[' : '{';

	if (kind == '(' || kind == '[' || kind == '{') {
		l->open = (int)l->out->list.n - 1;
		l->nesting++;
		if (l->nesting == LEX_MAX_NESTING + 1) {
			diag_add(l->diag, at[l->open].loc, "nested more than %d levels deep",
				 LEX_MAX_NESTING);
			l->p = l->end; /* the rest cannot mean anything */
			l->out->gave_up = true;
		}
		return;
	}
	unsigned closed = 0;

	for (; open >= 0; open = at[open].parent) {
		closed++;
		if (at[open].kind == want) {
			l->nesting -= closed;
			l->open = at[open].parent;
			l->out->list.at[l->out->list.n - 1].parent = l->open;
			return;
		}
	}
}

/* ---- literals ---- */

static struct value wrong_literal(struct lexer *l, const char *from, const char *why)
{
	diag_add(l->diag, loc_of(l, from, l->p), "%s", why);
	return value_wrong;
}

static void unknown_unit(struct lexer *l, const char *from, const char *suffix)
{
	static const char *const known[] = {"ns",   "us",   "ms",   "s",    "min", "h",  "bit",
					    "kbit", "Mbit", "Gbit", "Tbit", "k",   "M",  "G",
					    "KiB",  "MiB",  "GiB",  "bps",  "%",   "ppm"};
	char *unit = arena_strndup(l->arena, suffix, (size_t)(l->p - suffix));
	struct nearest near;

	nearest_init(&near, unit);
	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		nearest_offer(&near, known[i]);
	diag_add(l->diag, loc_of(l, from, l->p), "unknown unit '%.40s'%s", unit,
		 nearest_hint(&near));
}

/* A number without a unit: whole, with an exponent (1e6), or a fraction: a share (0.01). */
static struct value plain_number(struct lexer *l, const char *from, const char *to)
{
	int64_t v = 0;
	int64_t scale = 1000000;
	bool fits = true;
	bool is_share = memchr(from, '.', (size_t)(to - from)) != NULL;
	const char *p = from;

	for (; p < to && *p != 'e' && *p != 'E'; p++) {
		if (*p == '.')
			continue;
		fits = fits && !__builtin_mul_overflow(v, 10, &v) &&
		       !__builtin_add_overflow(v, *p - '0', &v);
		if (is_share && p > (char *)memchr(from, '.', (size_t)(to - from)))
			scale /= 10;
	}
	if (is_share && scale == 0)
		return wrong_literal(l, from, "more than six digits after the point");
	if (is_share)
		fits = fits && !__builtin_mul_overflow(v, scale, &v);
	long exponent = p < to ? strtol(p + 1, NULL, 10) : 0;

	for (; exponent > 0 && fits && v; exponent--)
		fits = !__builtin_mul_overflow(v, 10, &v);
	if (!fits)
		return wrong_literal(l, from, "the number is too large");
	return (struct value){
		.kind = VALUE_NUMBER, .unit = is_share ? UNIT_PPM : UNIT_COUNT, .number = v};
}

/* "5%" is a share, "5%2" a remainder. */
static bool is_percent(const char *p)
{
	return *p == '%' && !is_name_char(p[1]) && p[1] != '(';
}

static void lex_number(struct lexer *l)
{
	const char *from = l->p;
	int64_t scale;

	while (isdigit((unsigned char)*l->p))
		l->p++;
	if (*l->p == '.' && isdigit((unsigned char)l->p[1]))
		for (l->p++; isdigit((unsigned char)*l->p);)
			l->p++;
	const char *suffix = l->p;

	if ((*l->p == 'e' || *l->p == 'E') && isdigit((unsigned char)l->p[1]))
		for (l->p++; isdigit((unsigned char)*l->p);)
			suffix = ++l->p;
	while (is_name_char(*l->p))
		l->p++;
	if (l->p == suffix && is_percent(l->p))
		l->p++;
	struct value v;

	if (l->p == suffix) {
		v = plain_number(l, from, suffix);
	} else {
		int kind = unit_of_suffix(suffix, (size_t)(l->p - suffix), &scale);
		struct err e;

		v = value_number(0);
		if (kind < 0) {
			unknown_unit(l, from, suffix);
			v = value_wrong;
		} else if (unit_parse((enum unit_kind)kind,
				      arena_strndup(l->arena, from, (size_t)(l->p - from)),
				      &v.number, &e) < 0) {
			v = wrong_literal(l, from, e.text);
		}
		if (v.kind == VALUE_NUMBER)
			v.unit = (enum unit_kind)kind;
	}
	emit(l, NUMBER, from)->value = v;
}

/* Length of an address with colons (IPv6 or MAC) at p, or 0. */
static size_t colon_address(const char *p)
{
	size_t n = 0;

	while (n < 5 && isxdigit((unsigned char)p[n]))
		n++;
	if (p[n] != ':' || (n == 0 && p[1] != ':'))
		return 0;
	while (isxdigit((unsigned char)p[n]) || p[n] == ':' ||
	       (p[n] == '.' && isdigit((unsigned char)p[n + 1])))
		n++;
	return n;
}

/* Length of something like an IPv4 address at p: numbers with at least two points; or 0. */
static size_t dotted_address(const char *p)
{
	size_t n = 0;
	unsigned points = 0;

	for (;;) {
		while (isdigit((unsigned char)p[n]))
			n++;
		if (p[n] != '.' || !isdigit((unsigned char)p[n + 1]))
			break;
		points++;
		n++;
	}
	return points >= 2 ? n : 0;
}

static bool lex_address(struct lexer *l)
{
	const char *from = l->p;
	size_t n = colon_address(from);
	bool is_mac = false;
	struct value v = {.kind = VALUE_ADDR};
	struct err e;
	int rc;

	if (n) {
		unsigned colons = 0;

		for (size_t i = 0; i < n; i++)
			colons += from[i] == ':';
		is_mac = colons == 5 && n == 17;
	} else {
		n = isdigit((unsigned char)*from) ? dotted_address(from) : 0;
	}
	if (!n)
		return false;
	l->p += n;
	if (!is_mac && *l->p == '/' && isdigit((unsigned char)l->p[1]))
		for (l->p++; isdigit((unsigned char)*l->p);)
			l->p++;
	while (is_name_char(*l->p))
		l->p++;
	if (is_mac) {
		v.kind = VALUE_MAC;
		rc = addr_parse_mac(from, (size_t)(l->p - from), v.mac, &e);
		if (rc == 0)
			rc = addr_check_mac_for_nic(v.mac, &e);
	} else {
		rc = addr_parse(from, (size_t)(l->p - from), &v.addr, &e);
	}
	if (rc < 0)
		v = wrong_literal(l, from, e.text);
	emit(l, ADDRESS, from)->value = v;
	return true;
}

static void lex_name(struct lexer *l)
{
	const char *from = l->p;
	int kind = NAME;

	while (is_name_char(*l->p))
		l->p++;
	size_t len = (size_t)(l->p - from);

	if (len > LEX_MAX_NAME) {
		diag_add(l->diag, loc_of(l, from, l->p), "the name is longer than %d letters",
			 LEX_MAX_NAME);
		len = LEX_MAX_NAME;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (strlen(keywords[i].name) == len && !memcmp(keywords[i].name, from, len))
			kind = keywords[i].kind;
	const char *name = arena_strndup(l->arena, from, len);

	emit(l, kind, from)->name = name;
}

/* ---- strings and here-documents ---- */

static void lex_until(struct lexer *l, char stop);

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
	emit(l, t->has_parts ? TEXT_MIDDLE : TEXT_OPEN, t->has_parts ? t->from : start)->value =
		take_text(l, t);
	t->has_parts = true;
	if (++l->text_nesting > MAX_TEXT_NESTING) {
		diag_add(l->diag, loc_of(l, from, l->p), "strings nested too deeply");
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
		diag_add(l->diag, loc_of(l, from, from + 2), "'${' is not closed by '}'");
}

static void close_text(struct lexer *l, struct text *t, const char *start)
{
	struct value v = take_text(l, t);

	emit(l, t->has_parts ? TEXT_CLOSE : STRING, t->has_parts ? t->from : start)->value = v;
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
	diag_add(l->diag, loc_of(l, from, l->p),
		 "unknown escape; known are \\n \\t \\r \\\" \\\\ \\$ and \\xHH (not \\x00)");
}

static void lex_string(struct lexer *l)
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
		diag_add(l->diag, loc_of(l, start, start + 1),
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

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The terminator is a line of the word and perhaps what closes the call. Points behind the word. */
static const char *find_word(const struct here *h, const char *line, const char *end)
{
	const char *p = line;

	while (p < end && is_blank(*p))
		p++;
	if ((size_t)(end - p) < h->word_len || memcmp(p, h->word, h->word_len) != 0)
		return NULL;
	p += h->word_len;
	for (const char *q = p; q < end; q++)
		if (!is_blank(*q) && !strchr("),;]}", *q))
			return *q == '#' && q > p && is_blank(q[-1]) ? p : NULL;
	return p;
}

static void measure_indent(struct here *h)
{
	h->indent = SIZE_MAX;
	for (const char *p = h->body; p < h->body_end;) {
		const char *nl = memchr(p, '\n', (size_t)(h->body_end - p));
		const char *q = p;

		nl = nl ? nl : h->body_end;
		while (q < nl && is_blank(*q))
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

		for (; skip && l->p < l->end && is_blank(*l->p) && *l->p != '\n'; skip--)
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

	emit(l, t.has_parts ? TEXT_CLOSE : STRING, start)->value = v;
	vec_free(&t);
}

/* At "<<": a here-document, if a word follows. */
static bool lex_here(struct lexer *l)
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
	for (h.word = p; is_name_char(*p);)
		p++;
	h.word_len = (size_t)(p - h.word);
	if (!h.word_len)
		return false;
	l->p = p;
	if (l->is_in_text) {
		diag_add(l->diag, loc_of(l, start, p), "no here-document inside a string");
		emit(l, STRING, start)->value = value_wrong;
		return true;
	}
	if (!find_body(l, &h))
		diag_add(l->diag, loc_of(l, start, p),
			 "the here-document is not closed: no line '%.*s' follows",
			 h.word_len > 40 ? 40 : (int)h.word_len, h.word);
	lex_body(l, &h, start);
	return true;
}

/* ---- everything else ---- */

static bool is_strange(char c)
{
	return (unsigned char)c >= 0x80 || ((unsigned char)c < ' ' && !strchr("\t\r\n", c)) || !c ||
	       c == 0x7f;
}

static void lex_unknown(struct lexer *l)
{
	static const struct {
		const char *bytes, *hint;
	} known[] = {
		{"\xe2\x80\x9c", "; strings are written with plain double quotes (\")"},
		{"\xe2\x80\x9d", "; strings are written with plain double quotes (\")"},
		{"\xe2\x80\x93", "; the minus sign is '-'"},
		{"\xe2\x80\xa6", "; write three points (...)"},
		{"'", "; strings are written with double quotes (\")"},
		{"&", "; 'and' is '&&'"},
		{"|", "; 'or' is '||'"},
		{"$", "; '${...}' is for use inside strings"},
		{".", NULL},
	};
	const char *from = l->p;
	const char *hint = "";

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (!strncmp(from, known[i].bytes, strlen(known[i].bytes)) && known[i].hint)
			hint = known[i].hint;
	/* A run of such characters is one mistake. */
	do {
		l->p++;
	} while (l->p < l->end && is_strange(*from) && is_strange(*l->p));
	if (!*from)
		diag_add(l->diag, loc_of(l, from, l->p), "a NUL byte: is this a script?");
	else if (isprint((unsigned char)*from) || (unsigned char)*from >= 0x80)
		diag_add(l->diag, loc_of(l, from, l->p), "unexpected character '%.*s'%s",
			 (unsigned char)*from >= 0xc0 ? (int)(l->p - from > 4 ? 4 : l->p - from)
						      : 1,
			 from, hint);
	else
		diag_add(l->diag, loc_of(l, from, l->p), "unexpected control character 0x%02x",
			 (unsigned char)*from);
}

static bool lex_mark(struct lexer *l)
{
	for (size_t i = 0; i < ARRAY_LEN(marks); i++) {
		size_t n = strlen(marks[i].text);
		const char *from = l->p;

		if ((size_t)(l->end - from) < n || memcmp(from, marks[i].text, n) != 0)
			continue;
		l->p += n;
		emit(l, marks[i].kind, from);
		if (strchr("()[]{}", marks[i].text[0]))
			track_bracket(l, marks[i].kind);
		return true;
	}
	return false;
}

static void lex_newline(struct lexer *l)
{
	l->p++;
	if (l->resume) {
		/* What follows the closing word still belongs to the line with the "<<". */
		l->p = l->resume;
		l->resume = NULL;
		return;
	}
	l->line = l->p;
	l->line_has_token = false;
}

/* Cuts up text until the end, or until an unpaired `stop` (0: none), which is left. */
static void lex_until(struct lexer *l, char stop)
{
	int outer = l->open;

	while (l->p < l->end && !diag_is_full(l->diag)) {
		char c = *l->p;

		if (stop && c == stop && l->open == outer)
			return;
		if (c == '\n') {
			if (l->is_in_text)
				return;
			lex_newline(l);
		} else if (is_blank(c)) {
			l->p++;
		} else if (c == '#' || (c == '/' && l->p[1] == '/')) {
			while (l->p < l->end && *l->p != '\n')
				l->p++;
		} else if (lex_address(l)) {
			continue;
		} else if (isdigit((unsigned char)c)) {
			lex_number(l);
		} else if (is_name_char(c)) {
			lex_name(l);
		} else if (c == '"') {
			lex_string(l);
		} else if (c == '<' && l->p[1] == '<' && lex_here(l)) {
			continue;
		} else if (!lex_mark(l)) {
			lex_unknown(l);
		}
	}
}

void lex_run(struct arena *a, struct diag *d, const struct source *src, struct tokens *out)
{
	struct lexer l = {.arena = a, .diag = d, .src = src, .out = out, .open = -1};

	l.p = l.line = src->text;
	l.end = src->text + src->len;
	if (src->len >= 3 && !memcmp(l.p, "\xef\xbb\xbf", 3))
		l.p += 3;
	lex_until(&l, 0);
	l.p = l.end;
	emit(&l, END_OF_FILE, l.p);
	out->list.at[out->list.n - 1].is_first = true;
}
