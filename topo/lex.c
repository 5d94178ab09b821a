/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Text to tokens, all of it before the parser begins. So the parser can look at the tokens before
 * an error and find where the statement began, which a lexer that is asked for one token at a time
 * could not offer.
 *
 * Nothing separates statements in the language but their first word, so each token remembers its
 * line's layout: whether it is first on its line, how far that is indented, and which bracket is
 * open around it. The parser finds its way with these after an error (parse.c). A "{" opens a block
 * if what stands before it can end a value, else a group: that is decided here, for the grammar has
 * no room for both.
 *
 * Brackets are paired while tokens are made, and a closing one closes what was left open inside, so
 * that one missing ")" is one mistake and not the rest of the file. In a string "${" starts the
 * same machine again up to the "}" (lex_text.c).
 *
 * What cannot be a token is reported and skipped; a literal that is wrong becomes VALUE_WRONG,
 * which no later stage reports again.
 */
#include "topo/lex_priv.h"

#include "lib/addr.h"
#include "lib/nearest.h"
#include "lib/xalloc.h"
#include "topo/parse.tab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
	{"...", ELLIPSIS}, {"..", DOTS}, {"==", EQ}, {"!=", NE}, {"<=", LE}, {">=", GE},
	{"&&", AND},       {"||", OR},   {"(", '('}, {")", ')'}, {"[", '['}, {"]", ']'},
	{"{", '{'},        {"}", '}'},   {",", ','}, {";", ';'}, {"=", '='}, {"<", '<'},
	{">", '>'},        {"+", '+'},   {"-", '-'}, {"*", '*'}, {"/", '/'}, {"%", '%'},
	{"!", '!'},        {":", ':'},
};

const char *lex_keyword(size_t i)
{
	return i < ARRAY_LEN(keywords) ? keywords[i].name : NULL;
}

struct loc lex_loc(const struct lexer *l, const char *from, const char *to)
{
	return (struct loc){l->src, (uint32_t)(from - l->src->text), (uint32_t)(to - l->src->text)};
}

/* True if a value can end with the token: what follows "{" then is a block. */
static bool ends_value(int kind)
{
	return kind == NAME || kind == NUMBER || kind == ADDRESS || kind == STRING ||
	       kind == TEXT_CLOSE || kind == ')' || kind == ']' || kind == '}' || kind == KW_ELSE;
}

/* "exec(...) contains {": a group. The token itself stands last already. */
static bool is_contains(const struct tokens *ts)
{
	const struct token *t = ts->list.n > 2 ? &ts->list.at[ts->list.n - 2] : NULL;

	return t && t->kind == NAME && !strcmp(t->name, "contains") && t[-1].kind == ')';
}

struct token *lex_emit(struct lexer *l, int kind, const char *from)
{
	struct tokens *ts = l->out;
	int before = ts->list.n ? ts->list.at[ts->list.n - 1].kind : 0;
	struct token *t = vec_add(&ts->list);

	t->kind = kind;
	t->loc = lex_loc(l, from, l->p);
	t->column = from > l->line ? (unsigned)(from - l->line) : 0;
	t->is_first = !l->line_has_token && !l->is_in_text;
	t->is_block = kind == '{' && ends_value(before) && !is_contains(ts);
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
	diag_add(l->diag, lex_loc(l, from, l->p), "%s", why);
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
	diag_add(l->diag, lex_loc(l, from, l->p), "unknown unit '%.40s'%s", unit,
		 nearest_hint(&near));
}

/*
 * A number without a unit: whole, with an exponent (1e6), or a fraction: a share (0.01). So six
 * digits behind the point are all that a share can hold; more are refused rather than rounded.
 */
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
	return *p == '%' && !lex_is_name(p[1]) && p[1] != '(';
}

/*
 * Everything that looks like a unit belongs to the number, known or not: "5mm" is a unit that
 * nobody knows, not a number beside a name.
 */
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
	while (lex_is_name(*l->p))
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
	lex_emit(l, NUMBER, from)->value = v;
}

/*
 * Length of an address with colons (IPv6 or MAC) at p, or 0. All have at least two: "2:" is the end
 * of what an expectation is called.
 */
static size_t colon_address(const char *p)
{
	size_t n = 0;
	size_t colons = 0;

	while (n < 5 && isxdigit((unsigned char)p[n]))
		n++;
	if (p[n] != ':' || (n == 0 && p[1] != ':'))
		return 0;
	while (isxdigit((unsigned char)p[n]) || p[n] == ':' ||
	       (p[n] == '.' && isdigit((unsigned char)p[n + 1])))
		colons += p[n++] == ':';
	return colons < 2 ? 0 : n;
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

/*
 * Tried before numbers and names, as all of these may begin with the same letters: "fe80::1" would
 * be a name, "10.0.0.1" a number with a rest.
 */
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
		/* 2001:172:16:10::1 has as many letters and colons as a MAC. */
		is_mac = colons == 5 && n == 17 && !memmem(from, n, "::", 2);
	} else {
		n = isdigit((unsigned char)*from) ? dotted_address(from) : 0;
	}
	if (!n)
		return false;
	l->p += n;
	if (!is_mac && *l->p == '/' && isdigit((unsigned char)l->p[1]))
		for (l->p++; isdigit((unsigned char)*l->p);)
			l->p++;
	while (lex_is_name(*l->p))
		l->p++;
	if (is_mac) {
		v.kind = VALUE_MAC;
		rc = addr_parse_mac(from, (size_t)(l->p - from), v.mac, &e);
	} else {
		rc = addr_parse(from, (size_t)(l->p - from), &v.addr, &e);
	}
	if (rc < 0)
		v = wrong_literal(l, from, e.text);
	lex_emit(l, ADDRESS, from)->value = v;
	return true;
}

static void lex_name(struct lexer *l)
{
	const char *from = l->p;
	int kind = NAME;

	while (lex_is_name(*l->p))
		l->p++;
	size_t len = (size_t)(l->p - from);

	if (len > LEX_MAX_NAME) {
		diag_add(l->diag, lex_loc(l, from, l->p), "the name is longer than %d letters",
			 LEX_MAX_NAME);
		len = LEX_MAX_NAME;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++)
		if (strlen(keywords[i].name) == len && !memcmp(keywords[i].name, from, len))
			kind = keywords[i].kind;
	const char *name = arena_strndup(l->arena, from, len);

	lex_emit(l, kind, from)->name = name;
}

/* ---- everything else ---- */

static bool is_strange(char c)
{
	return (unsigned char)c >= 0x80 || ((unsigned char)c < ' ' && !strchr("\t\r\n", c)) || !c ||
	       c == 0x7f;
}

/*
 * Typographic quotes and dashes come from word processors and web pages: the message says what to
 * write instead.
 */
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
		diag_add(l->diag, lex_loc(l, from, l->p), "a NUL byte: is this a script?");
	else if (isprint((unsigned char)*from) || (unsigned char)*from >= 0x80)
		diag_add(l->diag, lex_loc(l, from, l->p), "unexpected character '%.*s'%s",
			 (unsigned char)*from >= 0xc0 ? (int)(l->p - from > 4 ? 4 : l->p - from)
						      : 1,
			 from, hint);
	else
		diag_add(l->diag, lex_loc(l, from, l->p), "unexpected control character 0x%02x",
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
		lex_emit(l, marks[i].kind, from);
		if (strchr("()[]{}", marks[i].text[0]))
			track_bracket(l, marks[i].kind);
		return true;
	}
	return false;
}

/* "exec(...) matches /ERE/", in which "\/" is a slash. Nowhere else two names follow a call. */
static bool lex_pattern(struct lexer *l)
{
	const struct tokens *ts = l->out;
	const struct token *last = ts->list.n > 1 ? &ts->list.at[ts->list.n - 1] : NULL;
	const char *from = l->p;
	const char *end = from + 1;

	if (*from != '/' || !last || last->kind != NAME || strcmp(last->name, "matches") != 0 ||
	    last[-1].kind != ')')
		return false;
	while (end < l->end && *end != '/' && *end != '\n')
		end += *end == '\\' && end + 1 < l->end && end[1] != '\n' ? 2 : 1;
	if (end == l->end || *end == '\n') {
		l->p = end;
		lex_emit(l, STRING, from)->value =
			wrong_literal(l, from, "the expression has no second '/'");
		return true;
	}
	char *text = arena_alloc(l->arena, (size_t)(end - from));
	size_t len = 0;

	for (const char *p = from + 1; p < end; p++) {
		p += *p == '\\' && p[1] == '/';
		text[len++] = *p;
	}
	l->p = end + 1;
	lex_emit(l, STRING, from)->value = value_text(text, len);
	return true;
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

void lex_until(struct lexer *l, char stop)
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
		} else if (lex_is_blank(c)) {
			l->p++;
		} else if (lex_pattern(l)) {
			continue;
		} else if (c == '#' || (c == '/' && l->p[1] == '/')) {
			while (l->p < l->end && *l->p != '\n')
				l->p++;
		} else if (lex_address(l)) {
			continue;
		} else if (isdigit((unsigned char)c)) {
			lex_number(l);
		} else if (lex_is_name(c)) {
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
	lex_emit(&l, END_OF_FILE, l.p);
	out->list.at[out->list.n - 1].is_first = true;
}
