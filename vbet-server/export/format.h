/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts that a graph can be written as. Pure: files beside the text are the caller's. */
#ifndef VBET_SERVER_EXPORT_FORMAT_H
#define VBET_SERVER_EXPORT_FORMAT_H

#include "lib/arena.h"
#include "lib/vec.h"
#include "topo/graph.h"

#include <stdio.h>

/* A file that belongs to the text, beside it: "r1/frr.conf". */
struct export_file {
	const char *path, *text;
};

struct export_lab {
	const struct graph *graph; /* borrowed */
	struct arena arena;
	VEC(struct export_file) files;
	struct strvec notes; /* "NODE: WHAT": what the format has no place for */
};

/* What the format has no place for, of a node (or NULL: of the lab). */
void export_note(struct export_lab *l, const struct graph_node *n, const char *what);
void export_finish(struct export_lab *l);

struct export_format {
	const char *name;
	void (*write)(struct export_lab *l, FILE *out);
};

/* NULL: there is none. The i-th; NULL past the end. */
const struct export_format *export_find(const char *name);
const struct export_format *export_at(size_t i);

/* The formats that are written here; that of dot is in dot.h. */
void export_write_json(struct export_lab *l, FILE *out);
void export_write_mermaid(struct export_lab *l, FILE *out);
void export_write_graphml(struct export_lab *l, FILE *out);
void export_write_clab(struct export_lab *l, FILE *out);

#endif
