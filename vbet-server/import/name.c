/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of other tools may have letters, lengths and dots that ours may not. They are changed as
 * little as can be, so that people recognise them: accents go ("São" becomes "Sao"), what is left
 * of the rest becomes '_', and of two that have become equal the second gets a number.
 *
 * The order of the nodes decides who keeps a name, so the same lab always gives the same names.
 */
#include "vbet-server/import/name.h"

#include "lib/xalloc.h"
#include "topo/lex.h"

#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Unicode's letters U+00C0 to U+017F without their marks; '_' is none. */
static const char plain_letters[] =
	"AAAAAAACEEEEIIIIDNOOOOO_OUUUUYTsaaaaaaaceeeeiiiidnooooo_ouuuuyty"
	"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOo"
	"RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/* Words that a variable would hide, or that nobody could read as one. */
static const char *const taken_words[] = {
	"NIC",          "all",       "allow_duplicates",
	"auto_address", "cable",     "clock",
	"default",      "endsystem", "false",
	"firewall",     "host",      "hub",
	"internet",     "lab",       "no",
	"node",         "none",      "off",
	"on",           "outside",   "router",
	"routers",      "seed",      "server",
	"spin",         "substrate", "switch",
	"true",         "vnet",      "yes",
};

/*
 * The next letter of UTF-8, as one of ASCII if it can be; '_' otherwise. Letters of one and two
 * octets are known; all others, also broken ones, are '_', and always at least one octet is taken.
 */
static char next_letter(const char **p)
{
	const unsigned char *u = (const unsigned char *)*p;
	unsigned code;

	if (u[0] < 0x80) {
		*p += 1;
		return isalnum(u[0]) || u[0] == '-' ? (char)u[0] : '_';
	}
	*p += 1;
	while (((unsigned char)**p & 0xc0) == 0x80)
		*p += 1;
	if (*p - (const char *)u != 2)
		return '_';
	code = (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu);
	return code >= 0xc0 && code - 0xc0 < sizeof(plain_letters) - 1 ? plain_letters[code - 0xc0]
								       : '_';
}

/* One blank more than letters: an 'n' may be put before the first one. */
char *name_make_legal(struct arena *a, const char *text)
{
	char *out = arena_alloc(a, NAME_MAX_LETTERS + 2);
	size_t n = 0;

	for (const char *p = text; *p && n < NAME_MAX_LETTERS;) {
		char c = next_letter(&p);

		if (c == '_' && (!n || out[n - 1] == '_'))
			continue;
		if (!n && !isalpha((unsigned char)c))
			out[n++] = 'n';
		out[n++] = c;
	}
	if (n > NAME_MAX_LETTERS)
		n = NAME_MAX_LETTERS;
	while (n && (out[n - 1] == '_' || out[n - 1] == '-'))
		n--;
	if (!n)
		out[n++] = 'n';
	out[n] = '\0';
	return out;
}

char *name_make_lab(struct arena *a, const char *text)
{
	char *out = name_make_legal(a, text);

	for (char *p = out; *p; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	return out;
}

static bool is_word(const char *name)
{
	for (size_t i = 0; lex_keyword(i); i++)
		if (!strcmp(lex_keyword(i), name))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(taken_words); i++)
		if (!strcmp(taken_words[i], name))
			return true;
	return false;
}

char *name_make_variable(struct arena *a, const char *name)
{
	char *out = arena_printf(a, is_word(name) ? "%s_node" : "%s", name);

	for (char *p = out; *p; p++)
		if (*p == '-')
			*p = '_';
	return out;
}

/* ---- names that are taken: a table with open addressing ---- */

static uint32_t hash_of(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

static const char **place_of(const struct name_set *s, const char *name)
{
	size_t i = hash_of(name) & (s->cap - 1);

	while (s->at[i] && strcmp(s->at[i], name) != 0)
		i = (i + 1) & (s->cap - 1);
	return &s->at[i];
}

static void grow(struct name_set *s)
{
	struct name_set old = *s;

	s->cap = old.cap ? old.cap * 2 : 64;
	s->at = xcalloc(s->cap, sizeof(*s->at));
	for (size_t i = 0; i < old.cap; i++)
		if (old.at[i])
			*place_of(s, old.at[i]) = old.at[i];
	free(old.at);
}

const char *name_take(struct name_set *s, struct arena *a, const char *name)
{
	const char *want = name;

	if (s->n * 2 >= s->cap)
		grow(s);
	for (unsigned number = 2; *place_of(s, want); number++)
		want = arena_printf(a, "%s_%u", name, number);
	*place_of(s, want) = want;
	s->n++;
	return want;
}

void name_set_finish(struct name_set *s)
{
	free(s->at);
	*s = (struct name_set){0};
}
