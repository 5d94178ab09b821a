/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Graphs of networks, as the Internet Topology Zoo has them (topology-zoo.org, "Dataset"), in
 * GraphML and in GML: nodes with names and coordinates, edges with speeds. Two readers, one
 * meaning.
 */
#ifndef VBET_SERVER_IMPORT_ZOO_H
#define VBET_SERVER_IMPORT_ZOO_H

#include "vbet-server/import/model.h"

/* Read the text into an empty model. 0, or -1 with "FILE:LINE:COLUMN: why". */
int graphml_read(struct import_model *m, const struct import_source *src, const char *text,
		 size_t len, struct err *e);
int gml_read(struct import_model *m, const struct import_source *src, const char *text, size_t len,
	     struct err *e);

/* ---- what both readers fill; strings in the arena of the model ---- */

struct zoo_node {
	const char *id; /* unique in the file */
	const char *label, *country;
	const char *longitude, *latitude; /* degrees, as they were written; NULL: not there */
	const char *hyperedge;            /* "1": a segment of several nodes */
};
struct zoo_edge {
	const char *source, *target; /* ids */
	const char *label, *speed_raw, *speed, *speed_units;
	unsigned line, column;
	size_t a, b; /* places of nodes; set by zoo_finish() */
};
struct zoo {
	struct import_model *m;
	struct err *e;
	const char *network, *label, *where, *when; /* of the graph; or NULL */
	bool is_directed;
	VEC(struct zoo_node) nodes;
	VEC(struct zoo_edge) edges;
	size_t n_rates;  /* links with a rate */
	size_t n_placed; /* nodes with coordinates */
};

/* 0, or -1: too many. */
int zoo_add_node(struct zoo *z, const struct zoo_node *n);
int zoo_add_edge(struct zoo *z, const struct zoo_edge *edge);
/* One value of the last node, the last edge or the graph, by the name that the Zoo gives it. */
void zoo_set_node(struct zoo *z, const char *key, const char *value);
void zoo_set_edge(struct zoo *z, const char *key, const char *value);
void zoo_set_graph(struct zoo *z, const char *key, const char *value);
/* Makes the model: routers that speak OSPF, with automatic addresses. */
int zoo_finish(struct zoo *z);
void zoo_free(struct zoo *z);

#endif
