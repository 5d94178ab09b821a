/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * GraphML (graphml.graphdrawing.org) with the names of attributes that the Topology Zoo has, as far
 * as it has them; the others are those of the language.
 */
#include "vbet-server/export/format.h"

#include "lib/xalloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *id, *of, *name, *type;
} keys[] = {
	{"d0", "graph", "Network", "string"},     {"d1", "node", "label", "string"},
	{"d2", "node", "kind", "string"},         {"d3", "node", "addresses", "string"},
	{"d4", "edge", "LinkSpeedRaw", "double"}, {"d5", "edge", "LinkLabel", "string"},
	{"d6", "edge", "link", "string"},
};

static void put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		if (*text == '&')
			fputs("&amp;", out);
		else if (*text == '<')
			fputs("&lt;", out);
		else if (*text == '>')
			fputs("&gt;", out);
		else if (*text == '"')
			fputs("&quot;", out);
		else
			fputc(*text, out);
}

static void put_data(FILE *out, const char *key, const char *text)
{
	if (!*text)
		return;
	fprintf(out, "      <data key=\"%s\">", key);
	put_text(out, text);
	fputs("</data>\n", out);
}

static void put_node(FILE *out, const struct graph_node *n, size_t i)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);
	const char *blank = "";
	char addr[80];

	for (size_t k = 0; k < n->n_nics; k++)
		for (size_t m = 0; m < n->nics[k].n_addrs; m++, blank = " ")
			fprintf(f, "%s%s", blank,
				addr_format(&n->nics[k].addrs[m], true, addr, sizeof(addr)));
	fclose(f);
	fprintf(out, "    <node id=\"%zu\">\n", i);
	put_data(out, "d1", n->name);
	put_data(out, "d2", node_kind_name(n->kind));
	put_data(out, "d3", text);
	fputs("    </node>\n", out);
	free(text);
}

static void put_cable(FILE *out, const struct graph *g, const struct graph_cable *c)
{
	char *words = linkspec_text(&c->dir[0]);

	fprintf(out, "    <edge source=\"%d\" target=\"%d\">\n", c->end[0].node, c->end[1].node);
	if (c->dir[0].rate_bps)
		fprintf(out, "      <data key=\"d4\">%" PRId64 ".0</data>\n", c->dir[0].rate_bps);
	put_data(out, "d5", c->name);
	put_data(out, "d6", words);
	fputs("    </edge>\n", out);
	free(words);
	(void)g;
}

static void note_what_is_left(struct export_lab *l)
{
	for (size_t i = 0; i < l->graph->n_nodes; i++) {
		const struct graph_node *n = &l->graph->nodes[i];

		if (n->n_configs + n->n_commands + n->n_files + n->n_routes + n->n_sysctls)
			export_note(l, n, "routes, configurations, files and commands");
	}
	if (l->graph->n_vlinks)
		export_note(l, NULL, "virtual links");
}

void export_write_graphml(struct export_lab *l, FILE *out)
{
	const struct graph *g = l->graph;

	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	      "<graphml xmlns=\"http://graphml.graphdrawing.org/xmlns\">\n",
	      out);
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		fprintf(out, "  <key id=\"%s\" for=\"%s\" attr.name=\"%s\" attr.type=\"%s\"/>\n",
			keys[i].id, keys[i].of, keys[i].name, keys[i].type);
	fputs("  <graph edgedefault=\"undirected\">\n", out);
	put_data(out, "d0", g->lab);
	for (size_t i = 0; i < g->n_nodes; i++)
		put_node(out, &g->nodes[i], i);
	for (size_t i = 0; i < g->n_cables; i++)
		put_cable(out, g, &g->cables[i]);
	fputs("  </graph>\n</graphml>\n", out);
	note_what_is_left(l);
}
