/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Graphs of real networks, as the Internet Topology Zoo (topology-zoo.org) and others collect them:
 * cities with coordinates, lines with speeds. Each node becomes a router and each edge a cable,
 * with the rate that it names and the delay that light in glass needs between the two places; OSPF
 * on all of them makes a network of it that works.
 *
 * Readers of the two formats (gml.c, graphml.c) fill a list of nodes and one of edges, by keys that
 * are the same in both. Only when all has been read are edges resolved: a file may name nodes that
 * come later.
 */
#include "vbet-server/import/zoo.h"

#include "lib/xalloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A signal in glass: two thirds of the speed of light. The Earth as a ball (IUGG's mean radius). */
static const double glass_km_per_s = 299792.458 * 2 / 3;
static const double earth_km = 6371.0088;
static const double pi = 3.14159265358979323846;

/*
 * What a router with ospfd needs (docs/reference.md, "Limits"), and some room. So that also small
 * machines run large graphs.
 */
enum { MEMORY = 48 << 20, FEW_NODES = 20, DELAY_STEP_NS = 10000 };

struct key {
	const char *name;
	size_t offset;
};

static const struct key node_keys[] = {
	{"label", offsetof(struct zoo_node, label)},
	{"Country", offsetof(struct zoo_node, country)},
	{"Longitude", offsetof(struct zoo_node, longitude)},
	{"Latitude", offsetof(struct zoo_node, latitude)},
	{"hyperedge", offsetof(struct zoo_node, hyperedge)},
};
static const struct key edge_keys[] = {
	{"LinkSpeedRaw", offsetof(struct zoo_edge, speed_raw)},
	{"LinkSpeed", offsetof(struct zoo_edge, speed)},
	{"LinkSpeedUnits", offsetof(struct zoo_edge, speed_units)},
	{"LinkLabel", offsetof(struct zoo_edge, label)},
	{"label", offsetof(struct zoo_edge, label)},
};
static const struct key graph_keys[] = {
	{"Network", offsetof(struct zoo, network)},
	{"GeoLocation", offsetof(struct zoo, where)},
	{"NetworkDate", offsetof(struct zoo, when)},
	{"label", offsetof(struct zoo, label)},
};

/* What a reader deals with, or what says nothing of a network that runs. */
static const char *const silent[] = {"id",       "source",   "target", "key",     "Internal",
				     "type",     "doubled",  "x",      "y",       "z",
				     "LinkType", "LinkNote", "Note",   "graphics"};

/*
 * Nodes, edges and the graph are filled by tables of keys with offsets; the text is kept and only
 * looked at when it is used.
 */
static bool set(void *thing, const struct key *keys, size_t n, const char *key, const char *value)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(keys[i].name, key) != 0)
			continue;
		*(const char **)((char *)thing + keys[i].offset) = value;
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(silent); i++)
		if (!strcmp(silent[i], key))
			return true;
	return false;
}

void zoo_set_node(struct zoo *z, const char *key, const char *value)
{
	if (!set(&z->nodes.at[z->nodes.n - 1], node_keys, ARRAY_LEN(node_keys), key, value))
		model_note(z->m, NULL, "%.64s of nodes", key);
}

void zoo_set_edge(struct zoo *z, const char *key, const char *value)
{
	if (!set(&z->edges.at[z->edges.n - 1], edge_keys, ARRAY_LEN(edge_keys), key, value))
		model_note(z->m, NULL, "%.64s of edges", key);
}

/* The rest says who made the file, and when. */
void zoo_set_graph(struct zoo *z, const char *key, const char *value)
{
	if (!strcmp(key, "directed"))
		z->is_directed = !strcmp(value, "1");
	set(z, graph_keys, ARRAY_LEN(graph_keys), key, value);
}

int zoo_add_node(struct zoo *z, const struct zoo_node *n)
{
	if (z->nodes.n >= IMPORT_MAX_NODES) {
		z->m->full = true;
		return model_check_size(z->m, z->e);
	}
	vec_push(&z->nodes, *n);
	return 0;
}

int zoo_add_edge(struct zoo *z, const struct zoo_edge *edge)
{
	if (z->edges.n >= IMPORT_MAX_LINKS) {
		z->m->full = true;
		return model_check_size(z->m, z->e);
	}
	vec_push(&z->edges, *edge);
	return 0;
}

/* ---- what numbers mean ---- */

/* A number of the file; NAN if it is none. */
static double number_of(const char *text)
{
	char *end = NULL;
	double v = text ? strtod(text, &end) : NAN;

	return text && end != text && !*end && isfinite(v) ? v : NAN;
}

/* 0: the edge does not say. */
static int64_t rate_of(const struct zoo_edge *edge)
{
	static const struct {
		char letter;
		double factor;
	} units[] = {{'K', 1e3}, {'M', 1e6}, {'G', 1e9}, {'T', 1e12}};
	double rate = number_of(edge->speed_raw);

	for (size_t i = 0; isnan(rate) && edge->speed_units && i < ARRAY_LEN(units); i++)
		if (*edge->speed_units == units[i].letter)
			rate = number_of(edge->speed) * units[i].factor;
	/* 1 kbit/s to 10 Tbit/s: what a cable takes, and what is no mistake. */
	return rate >= 1e3 && rate <= 1e13 ? (int64_t)rate : 0;
}

/* Along the great circle (haversine formula). 0: a node does not say where it is. */
static int64_t delay_of(const struct zoo_node *a, const struct zoo_node *b)
{
	double lat1 = number_of(a->latitude) * pi / 180;
	double lat2 = number_of(b->latitude) * pi / 180;
	double lon = (number_of(b->longitude) - number_of(a->longitude)) * pi / 180;
	double h = pow(sin((lat2 - lat1) / 2), 2) + cos(lat1) * cos(lat2) * pow(sin(lon / 2), 2);

	if (!(h >= 0))
		return 0;
	double km = 2 * earth_km * asin(h < 1 ? sqrt(h) : 1);

	/* Ten microseconds are two kilometres: coordinates of towns are no better. */
	return (int64_t)(km / glass_km_per_s * 1e9 / DELAY_STEP_NS + 0.5) * DELAY_STEP_NS;
}

/* ---- the model ---- */

static bool has_place(const struct zoo_node *n)
{
	return !isnan(number_of(n->latitude)) && !isnan(number_of(n->longitude));
}

static void add_node(struct zoo *z, const struct zoo_node *n)
{
	bool is_segment = number_of(n->hyperedge) == 1;
	size_t i = model_add_node(z->m, n->label && *n->label ? n->label : n->id,
				  is_segment ? IMPORT_SWITCH : IMPORT_ROUTER);
	struct import_node *node = &z->m->nodes.at[i];

	node->memory_bytes = is_segment || z->nodes.n <= FEW_NODES ? 0 : MEMORY;
	if (n->country && *n->country)
		node->comment = n->country;
	if (z->n_placed && !is_segment && !has_place(n))
		model_note(z->m, node->was, "no coordinates, and so no delay of links");
}

struct place {
	const char *id;
	size_t at;
};

static int compare_places(const void *a, const void *b)
{
	return strcmp(((const struct place *)a)->id, ((const struct place *)b)->id);
}

static const struct place *find_place(const struct place *places, size_t n, const char *id)
{
	struct place key = {id, 0};

	return id && n ? bsearch(&key, places, n, sizeof(key), compare_places) : NULL;
}

static int resolve(struct zoo *z, struct zoo_edge *edge, const struct place *places)
{
	const struct place *a = find_place(places, z->nodes.n, edge->source);
	const struct place *b = find_place(places, z->nodes.n, edge->target);
	const char *missing = !a ? edge->source : edge->target;

	if (!a || !b)
		return err_set(z->e, ERR_USAGE,
			       "%s:%u:%u: the edge leads to '%.64s', which is no node", z->m->file,
			       edge->line, edge->column, missing ? missing : "");
	edge->a = a->at;
	edge->b = b->at;
	return 0;
}

/* Sorted by id, which also finds two nodes with the same one. */
static int resolve_edges(struct zoo *z)
{
	struct place *places = xcalloc(z->nodes.n + 1, sizeof(*places));
	int rc = 0;

	for (size_t i = 0; i < z->nodes.n; i++)
		places[i] = (struct place){z->nodes.at[i].id, i};
	qsort(places, z->nodes.n, sizeof(*places), compare_places);
	for (size_t i = 1; i < z->nodes.n && rc == 0; i++)
		if (!compare_places(&places[i - 1], &places[i]))
			rc = err_set(z->e, ERR_USAGE, "%s: two nodes have the id '%.64s'",
				     z->m->file, places[i].id);
	for (size_t i = 0; i < z->edges.n && rc == 0; i++)
		rc = resolve(z, &z->edges.at[i], places);
	free(places);
	return rc;
}

static int add_edge(struct zoo *z, const struct zoo_edge *edge)
{
	struct import_model *m = z->m;
	struct import_end a = {edge->a, m->nodes.at[edge->a].nics.n};
	struct import_end b = {edge->b, m->nodes.at[edge->b].nics.n};

	if (a.node == b.node) {
		model_note(m, m->nodes.at[a.node].was, "an edge from a node to itself");
		return 0;
	}
	if (!model_nic(m, a.node, a.nic) || !model_nic(m, b.node, b.nic))
		return err_set(z->e, ERR_USAGE,
			       "%s:%u:%u: a node of this edge has more than %d edges", m->file,
			       edge->line, edge->column, IMPORT_MAX_NICS);
	struct import_link *l = model_add_link(m, a, b);

	l->rate_bps = rate_of(edge);
	l->delay_ns = delay_of(&z->nodes.at[a.node], &z->nodes.at[b.node]);
	if (edge->label && *edge->label)
		l->comment = edge->label;
	z->n_rates += l->rate_bps != 0;
	return 0;
}

static int compare_numbers(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of a directed graph, an edge and the one that leads back are one cable. */
static int add_edges(struct zoo *z)
{
	uint64_t *pairs = xcalloc(z->edges.n + 1, sizeof(*pairs));
	size_t n = z->is_directed ? z->edges.n : 0;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		pairs[i] = (uint64_t)z->edges.at[i].a << 32 | z->edges.at[i].b;
	qsort(pairs, n, sizeof(*pairs), compare_numbers);
	for (size_t i = 0; i < z->edges.n && rc == 0; i++) {
		const struct zoo_edge *edge = &z->edges.at[i];
		uint64_t back = (uint64_t)edge->b << 32 | edge->a;

		if (edge->a < edge->b || !n ||
		    !bsearch(&back, pairs, n, sizeof(*pairs), compare_numbers))
			rc = add_edge(z, edge);
	}
	free(pairs);
	return rc;
}

/*
 * With speeds, costs must tell them apart: the reference is 100 Gbit/s, as FRR's own (100 Mbit/s)
 * would make nearly all of them 1. Without speeds, hops decide.
 */
static void add_ospf(struct zoo *z)
{
	z->m->list = "routers";
	z->m->epilog = arena_printf(&z->m->arena,
				    "# OSPF on all of them: each reaches each within a minute.\n"
				    "config(routers, ospfd, <<END)\n"
				    "router ospf\n"
				    "%s"
				    " network 10.0.0.0/8 area 0\n"
				    "END\n",
				    z->n_rates ? " auto-cost reference-bandwidth 100000\n" : "");
}

int zoo_finish(struct zoo *z)
{
	struct import_model *m = z->m;
	const char *name = z->network ? z->network : z->label;

	if (name && *name)
		model_set_lab(m, name);
	if (z->where || z->when)
		m->comment = arena_printf(&m->arena, "%s%s%s", z->where ? z->where : "",
					  z->where && z->when ? ", " : "", z->when ? z->when : "");
	for (size_t i = 0; i < z->nodes.n; i++)
		z->n_placed += has_place(&z->nodes.at[i]);
	for (size_t i = 0; i < z->nodes.n; i++)
		add_node(z, &z->nodes.at[i]);
	if (model_check_size(m, z->e) < 0 || resolve_edges(z) < 0 || add_edges(z) < 0)
		return -1;
	if (z->n_rates && z->n_rates < m->links.n)
		model_note(m, NULL, "%zu of %zu edges have no speed: no limit",
			   m->links.n - z->n_rates, m->links.n);
	m->keep_auto_address = true;
	m->is_next_nic = true;
	add_ospf(z);
	return model_check_size(m, z->e);
}

void zoo_free(struct zoo *z)
{
	vec_free(&z->nodes);
	vec_free(&z->edges);
}
