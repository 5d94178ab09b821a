/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GML (M. Himsolt, "GML: A portable Graph File Format", 1996): keys, each followed by a number, a
 * string, or a list of keys in brackets. Ours are graph, node, edge, and what is in these.
 *
 * It is read in one pass, by descent through the lists; what is not known is read over, as the
 * format asks for. A node is added when its list begins and filled as keys come, for their order is
 * free. Positions are counted letter by letter, for messages with line and column.
 */
#include "lib/xalloc.h"
#include "vbet-server/import/zoo.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 64 };
enum scope { OUTSIDE, GRAPH, NODE, EDGE };

struct gml {
	struct zoo *z;
	const char *p, *line_start;
	unsigned line;
	unsigned graphs;
};

static int wrong(struct gml *g, const char *what)
{
	return err_set(g->z->e, ERR_USAGE, "%s:%u:%zu: %s", g->z->m->file, g->line,
		       (size_t)(g->p - g->line_start) + 1, what);
}

static void step(struct gml *g)
{
	if (*g->p++ == '\n') {
		g->line++;
		g->line_start = g->p;
	}
}

/* Blanks, and comments: lines that begin with '#'. */
static void skip(struct gml *g)
{
	while (isspace((unsigned char)*g->p) || *g->p == '#') {
		if (*g->p == '#')
			while (*g->p && *g->p != '\n')
				step(g);
		else
			step(g);
	}
}

/* &amp; &quot; &lt; &gt; &#233; : a string is ASCII (5.3 of the paper); UTF-8 is taken as it is. */
static size_t put_entity(const char *name, size_t len, char *out)
{
	static const struct {
		const char *name;
		char c;
	} known[] = {{"amp", '&'}, {"quot", '"'}, {"lt", '<'}, {"gt", '>'}, {"apos", '\''}};
	unsigned code = 0;

	for (size_t i = 0; i < ARRAY_LEN(known); i++)
		if (strlen(known[i].name) == len && !strncmp(known[i].name, name, len))
			return *out = known[i].c, 1;
	if (len < 2 || *name != '#')
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (!isdigit((unsigned char)name[i]) || code > 0x7ff)
			return 0;
		code = code * 10 + (unsigned)(name[i] - '0');
	}
	if (code < ' ' || code > 0x7ff)
		return 0;
	if (code < 0x80)
		return *out = (char)code, 1;
	out[0] = (char)(0xc0 | code >> 6);
	out[1] = (char)(0x80 | (code & 0x3f));
	return 2;
}

static char *read_string(struct gml *g)
{
	const char *start = ++g->p;
	char *out;
	size_t n = 0;

	while (*g->p && *g->p != '"')
		step(g);
	if (!*g->p) {
		wrong(g, "the string has no end");
		return NULL;
	}
	out = arena_alloc(&g->z->m->arena, (size_t)(g->p - start) + 1);
	for (const char *p = start; p < g->p;) {
		const char *semicolon = *p == '&' ? memchr(p, ';', (size_t)(g->p - p)) : NULL;
		size_t put = semicolon && semicolon - p < 8
				     ? put_entity(p + 1, (size_t)(semicolon - p - 1), out + n)
				     : 0;

		n += put;
		if (put)
			p = semicolon + 1;
		else
			out[n++] = *p++;
	}
	g->p++;
	return out;
}

static char *read_word(struct gml *g)
{
	const char *start = g->p;

	while (*g->p && !isspace((unsigned char)*g->p) && !strchr("[]\"#", *g->p))
		g->p++;
	return arena_strndup(&g->z->m->arena, start, (size_t)(g->p - start));
}

static int read_list(struct gml *g, enum scope scope, unsigned depth);

/*
 * Lists inside of nodes and edges (graphics and the like) are read in the scope OUTSIDE, where no
 * key means anything.
 */
static int open_list(struct gml *g, enum scope scope, const char *key, unsigned depth)
{
	enum scope inner = OUTSIDE;

	if (depth >= MAX_DEPTH)
		return wrong(g, "nested too deeply");
	if (scope == OUTSIDE && depth == 0 && !strcmp(key, "graph")) {
		if (g->graphs++)
			return wrong(g, "more than one graph");
		inner = GRAPH;
	} else if (scope == GRAPH && !strcmp(key, "node")) {
		if (zoo_add_node(g->z, &(struct zoo_node){0}) < 0)
			return -1;
		inner = NODE;
	} else if (scope == GRAPH && !strcmp(key, "edge")) {
		struct zoo_edge edge = {.line = g->line,
					.column = (unsigned)(g->p - g->line_start) + 1};

		if (zoo_add_edge(g->z, &edge) < 0)
			return -1;
		inner = EDGE;
	}
	g->p++;
	if (read_list(g, inner, depth + 1) < 0)
		return -1;
	if (*g->p != ']')
		return wrong(g, "expected ']'");
	g->p++;
	if (inner == NODE && !g->z->nodes.at[g->z->nodes.n - 1].id)
		return wrong(g, "the node has no id");
	return 0;
}

static void set_value(struct gml *g, enum scope scope, const char *key, const char *value)
{
	if (scope == GRAPH) {
		zoo_set_graph(g->z, key, value);
	} else if (scope == NODE) {
		struct zoo_node *n = &g->z->nodes.at[g->z->nodes.n - 1];

		if (!strcmp(key, "id"))
			n->id = value;
		zoo_set_node(g->z, key, value);
	} else if (scope == EDGE) {
		struct zoo_edge *edge = &g->z->edges.at[g->z->edges.n - 1];

		if (!strcmp(key, "source"))
			edge->source = value;
		if (!strcmp(key, "target"))
			edge->target = value;
		zoo_set_edge(g->z, key, value);
	}
}

static int read_list(struct gml *g, enum scope scope, unsigned depth)
{
	for (;;) {
		skip(g);
		if (!*g->p || *g->p == ']')
			return 0;
		if (!isalpha((unsigned char)*g->p) && *g->p != '_')
			return wrong(g, "expected a key");
		const char *key = read_word(g);

		skip(g);
		if (*g->p == '[') {
			if (open_list(g, scope, key, depth) < 0)
				return -1;
			continue;
		}
		const char *value = *g->p == '"' ? read_string(g) : read_word(g);

		if (!value)
			return -1;
		if (!*value && g->p[-1] != '"')
			return wrong(g, "expected a value");
		set_value(g, scope, key, value);
	}
}

int gml_read(struct import_model *m, const struct import_source *src, const char *text, size_t len,
	     struct err *e)
{
	struct zoo z = {.m = m, .e = e};
	struct gml g = {.z = &z, .p = text, .line_start = text, .line = 1};
	int rc = read_list(&g, OUTSIDE, 0);

	if (rc == 0 && (size_t)(g.p - text) != len)
		rc = wrong(&g, *g.p ? "this ']' closes nothing" : "a NUL byte");
	if (rc == 0)
		rc = zoo_finish(&z);
	zoo_free(&z);
	return rc;
}
