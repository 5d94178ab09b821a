/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GraphML (graphml.graphdrawing.org) by expat: <key id= for= attr.name=>, <graph>, <node id=>,
 * <edge source= target=>, and <data key=> in each.
 *
 * expat calls for each element as it comes, and no tree is kept: `in` says what data belongs to,
 * `data` which value is being read. Text comes in pieces of any length and is put together in
 * `text`; what is longer than that is cut, for no name or number is.
 *
 * A document may not define entities: with those, a few lines can become gigabytes ("billion
 * laughs"), or be another file.
 */
#include "lib/xalloc.h"
#include "vbet-server/import/zoo.h"

#include <expat.h>
#include <stdio.h>
#include <string.h>

enum { MAX_DEPTH = 64, MAX_TEXT = 4096, MAX_KEYS = 1000 };

struct key {
	const char *id, *name;
};

struct graphml {
	struct zoo *z;
	XML_Parser parser;
	VEC(struct key) keys;
	enum { IN_FILE, IN_GRAPH, IN_NODE, IN_EDGE } in;
	unsigned depth, graphs;
	const char *data; /* the name of the value that is being read, or NULL */
	char text[MAX_TEXT];
	size_t len;
	bool failed;
};

/* The error says already why. */
static void stop(struct graphml *g)
{
	g->failed = true;
	XML_StopParser(g->parser, XML_FALSE);
}

static void fail(struct graphml *g, const char *what)
{
	if (g->failed)
		return;
	err_set(g->z->e, ERR_USAGE, "%s:%lu:%lu: %s", g->z->m->file,
		(unsigned long)XML_GetCurrentLineNumber(g->parser),
		(unsigned long)XML_GetCurrentColumnNumber(g->parser) + 1, what);
	stop(g);
}

static const char *attribute(struct graphml *g, const char **atts, const char *name)
{
	for (size_t i = 0; atts[i]; i += 2)
		if (!strcmp(atts[i], name))
			return arena_strdup(&g->z->m->arena, atts[i + 1]);
	return NULL;
}

/* <key>: what the data of this id is called. */
static void start_key(struct graphml *g, const char **atts)
{
	struct key k = {attribute(g, atts, "id"), attribute(g, atts, "attr.name")};

	/* How yEd draws it. */
	if (!k.name && attribute(g, atts, "yfiles.type"))
		k.name = "graphics";

	if (g->keys.n >= MAX_KEYS)
		fail(g, "too many keys");
	else if (k.id && k.name)
		vec_push(&g->keys, k);
}

static void start_graph(struct graphml *g, const char **atts)
{
	const char *edges = attribute(g, atts, "edgedefault");

	if (g->graphs++)
		fail(g, "more than one graph, or a graph in a node");
	g->z->is_directed = edges && !strcmp(edges, "directed");
	g->in = IN_GRAPH;
}

static void start_node(struct graphml *g, const char **atts)
{
	struct zoo_node n = {.id = attribute(g, atts, "id")};

	if (!n.id)
		fail(g, "a node has an id");
	else if (zoo_add_node(g->z, &n) < 0)
		stop(g);
	g->in = IN_NODE;
}

static void start_edge(struct graphml *g, const char **atts)
{
	struct zoo_edge edge = {
		.source = attribute(g, atts, "source"),
		.target = attribute(g, atts, "target"),
		.line = (unsigned)XML_GetCurrentLineNumber(g->parser),
		.column = (unsigned)XML_GetCurrentColumnNumber(g->parser) + 1,
	};

	if (!edge.source || !edge.target)
		fail(g, "an edge has a source and a target");
	else if (zoo_add_edge(g->z, &edge) < 0)
		stop(g);
	g->in = IN_EDGE;
}

/*
 * Data refer to a key by its id, and only the key says what it is called. Files without keys mean
 * the id itself.
 */
static void start_data(struct graphml *g, const char **atts)
{
	const char *id = attribute(g, atts, "key");

	g->data = id;
	for (size_t i = 0; id && i < g->keys.n; i++)
		if (!strcmp(g->keys.at[i].id, id))
			g->data = g->keys.at[i].name;
	g->len = 0;
}

/* yEd draws a text beside the node or edge. */
static void start_label(struct graphml *g, const char **atts)
{
	g->data = "label";
	g->len = 0;
}

static const struct {
	const char *name;
	void (*start)(struct graphml *g, const char **atts);
} elements[] = {
	{"key", start_key},         {"graph", start_graph}, {"node", start_node},
	{"edge", start_edge},       {"data", start_data},   {"NodeLabel", start_label},
	{"EdgeLabel", start_label},
};

/* Without the prefix of a namespace. */
static const char *local(const char *name)
{
	const char *colon = strrchr(name, ':');

	return colon ? colon + 1 : name;
}

static void start(void *ctx, const char *name, const char **atts)
{
	struct graphml *g = ctx;

	if (++g->depth > MAX_DEPTH) {
		fail(g, "nested too deeply");
		return;
	}
	if (!strcmp(local(name), "hyperedge"))
		model_note(g->z->m, NULL, "hyperedge");
	for (size_t i = 0; i < ARRAY_LEN(elements) && !g->failed; i++)
		if (!strcmp(elements[i].name, local(name)))
			elements[i].start(g, atts);
}

static void characters(void *ctx, const char *text, int len)
{
	struct graphml *g = ctx;
	size_t room = sizeof(g->text) - 1 - g->len;
	size_t n = (size_t)len < room ? (size_t)len : room;

	if (!g->data)
		return;
	memcpy(g->text + g->len, text, n);
	g->len += n;
}

static void end_data(struct graphml *g)
{
	const char *value = arena_strndup(&g->z->m->arena, g->text, g->len);

	if (g->in == IN_NODE && g->z->nodes.n)
		zoo_set_node(g->z, g->data, value);
	else if (g->in == IN_EDGE && g->z->edges.n)
		zoo_set_edge(g->z, g->data, value);
	else if (g->in == IN_GRAPH)
		zoo_set_graph(g->z, g->data, value);
	g->data = NULL;
}

static void end(void *ctx, const char *name)
{
	struct graphml *g = ctx;

	g->depth--;
	bool is_label = !strcmp(local(name), "NodeLabel") || !strcmp(local(name), "EdgeLabel");

	if (g->data && (is_label || !strcmp(local(name), "data")))
		end_data(g);
	else if (!strcmp(local(name), "node") || !strcmp(local(name), "edge"))
		g->in = IN_GRAPH;
}

static void entity(void *ctx, const char *name, int is_parameter, const char *value, int len,
		   const char *base, const char *system, const char *public, const char *notation)
{
	fail(ctx, "entities are not taken");
}

int graphml_read(struct import_model *m, const struct import_source *src, const char *text,
		 size_t len, struct err *e)
{
	struct zoo z = {.m = m, .e = e};
	struct graphml g = {.z = &z, .parser = XML_ParserCreate(NULL)};
	int rc = -1;

	if (!g.parser)
		return err_set(e, ERR_ENV, "out of memory");
	XML_SetUserData(g.parser, &g);
	XML_SetElementHandler(g.parser, start, end);
	XML_SetCharacterDataHandler(g.parser, characters);
	XML_SetEntityDeclHandler(g.parser, entity);
	if (XML_Parse(g.parser, text, (int)len, XML_TRUE) != XML_STATUS_OK)
		fail(&g, XML_ErrorString(XML_GetErrorCode(g.parser)));
	if (!g.failed)
		rc = zoo_finish(&z);
	XML_ParserFree(g.parser);
	vec_free(&g.keys);
	zoo_free(&z);
	return rc;
}
