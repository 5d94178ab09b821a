/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/export/format.h"

#include "vbet-server/export/dot.h"

#include <string.h>

static void write_dot(struct export_lab *l, FILE *out)
{
	dot_write(out, l->graph);
}

static const struct export_format formats[] = {
	{"containerlab", export_write_clab}, {"graphml", export_write_graphml}, {"dot", write_dot},
	{"mermaid", export_write_mermaid},   {"json", export_write_json},
};

const struct export_format *export_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

const struct export_format *export_at(size_t i)
{
	return i < ARRAY_LEN(formats) ? &formats[i] : NULL;
}

void export_note(struct export_lab *l, const struct graph_node *n, const char *what)
{
	vec_push(&l->notes, arena_printf(&l->arena, "%s: %s", n ? n->name : l->graph->lab, what));
}

void export_finish(struct export_lab *l)
{
	vec_free(&l->files);
	vec_free(&l->notes);
	arena_finish(&l->arena);
}
