/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A flowchart (mermaid.js.org), which GitHub and GitLab draw in their pages. */
#include "vbet-server/export/format.h"

#include <stdlib.h>
#include <string.h>

/* Brackets around a node's text: the shape of its kind. */
static const struct {
	const char *open, *close;
} shapes[NODE_KINDS] = {
	[NODE_HOST] = {"[", "]"},        [NODE_ROUTER] = {"((", "))"},
	[NODE_FIREWALL] = {"{{", "}}"},  [NODE_SERVER] = {"[[", "]]"},
	[NODE_HUB] = {"{", "}"},         [NODE_SWITCH] = {"(", ")"},
	[NODE_SUBSTRATE] = {"[/", "/]"}, [NODE_ENDSYSTEM] = {"[", "]"},
	[NODE_OUTSIDE] = {">", "]"},     [NODE_INTERNET] = {"([", "])"},
};

/* Inside of quotes: Mermaid's own entities. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++)
		if (strchr("\"#<>&`", *text))
			fprintf(out, "#%d;", *text);
		else
			fputc(*text, out);
}

static void put_addrs(FILE *out, const struct graph_nic *n)
{
	char text[80];

	for (size_t i = 0; i < n->n_addrs; i++) {
		fputs(i ? " " : "", out);
		put_text(out, addr_format(&n->addrs[i], true, text, sizeof(text)));
	}
}

static void put_cable(FILE *out, const struct graph *g, const struct graph_cable *c)
{
	const struct graph_nic *a = &g->nodes[c->end[0].node].nics[c->end[0].nic];
	const struct graph_nic *b = &g->nodes[c->end[1].node].nics[c->end[1].nic];
	char *words = linkspec_text(&c->dir[0]);

	fprintf(out, "    n%d %s", c->end[0].node, c->cut.all ? "-.-" : "---");
	if (a->n_addrs || b->n_addrs || *words) {
		fputs("|\"", out);
		put_addrs(out, a);
		fputs(a->n_addrs && b->n_addrs ? " -- " : "", out);
		put_addrs(out, b);
		fputs((a->n_addrs || b->n_addrs) && *words ? "<br>" : "", out);
		put_text(out, words);
		fputs("\"|", out);
	}
	fprintf(out, " n%d\n", c->end[1].node);
	free(words);
}

void export_write_mermaid(struct export_lab *l, FILE *out)
{
	const struct graph *g = l->graph;

	fputs("flowchart LR\n", out);
	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		fprintf(out, "    n%zu%s\"", i, shapes[n->kind].open);
		put_text(out, n->label ? n->label : n->name);
		fprintf(out, "\"%s\n", shapes[n->kind].close);
	}
	for (size_t i = 0; i < g->n_cables; i++)
		put_cable(out, g, &g->cables[i]);
	for (size_t i = 0; i < g->n_vlinks; i++)
		for (size_t k = 1; k < g->vlinks[i].n_ends; k++)
			fprintf(out, "    n%d -. %s .- n%d\n", g->vlinks[i].ends[0].node,
				g->vnets[g->vlinks[i].vnet].name, g->vlinks[i].ends[k].node);
}
