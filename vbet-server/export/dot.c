/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/export/dot.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static const char *const shapes[NODE_KINDS] = {
	[NODE_HOST] = "shape=box, fillcolor=\"#ffffff\"",
	[NODE_ROUTER] = "shape=ellipse, fillcolor=\"#dce9f7\"",
	[NODE_FIREWALL] = "shape=octagon, fillcolor=\"#f9d9d0\"",
	[NODE_SERVER] = "shape=box3d, fillcolor=\"#eeeeee\"",
	[NODE_HUB] = "shape=triangle, fillcolor=\"#f3efd9\"",
	[NODE_SWITCH] = "shape=box, style=\"rounded,filled\", fillcolor=\"#e2f1dd\"",
	[NODE_SUBSTRATE] = "shape=hexagon, fillcolor=\"#dddddd\"",
	[NODE_ENDSYSTEM] = "shape=box, style=\"filled,dashed\", fillcolor=\"#ffffff\"",
	[NODE_OUTSIDE] = "shape=box, style=\"filled,dotted\", fillcolor=\"#ffffff\"",
	[NODE_INTERNET] = "shape=egg, style=\"filled,dotted\", fillcolor=\"#ffffff\"",
};

/* Dark enough for lines on white; the light ones fill nodes. */
static const char *const colours[] = {"#1f77b4", "#d62728", "#2ca02c", "#9467bd",
				      "#ff7f0e", "#8c564b", "#e377c2", "#17becf"};
static const char *const light_colours[] = {"#cfe3f3", "#f6cfcf", "#cfeccf", "#e2d6ee",
					    "#ffe0c2", "#e4d6d3", "#f8dcf0", "#c9f0f4"};

/* Inside of "...": names of labels may have a backslash. */
static void put_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void put_node(FILE *out, const struct graph *g, size_t i)
{
	const struct graph_node *n = &g->nodes[i];

	fprintf(out, "\tn%zu [label=\"", i);
	put_text(out, n->label ? n->label : n->name);
	fprintf(out, "\", %s", shapes[n->kind]);
	if (n->n_vnets)
		fprintf(out, ", fillcolor=\"%s\"",
			light_colours[(size_t)n->vnets[0] % ARRAY_LEN(light_colours)]);
	fputs("]\n", out);
	if (n->n_vnets && n->place >= 0)
		fprintf(out, "\tn%zu -- n%d [style=dotted, color=gray60]\n", i, n->place);
}

/* ---- cables ---- */

/* What stands at cables: nothing; addresses; networks, and what of addresses is behind them. */
enum detail { DETAIL_NONE, DETAIL_ADDRESSES, DETAIL_NETWORKS };

static const struct graph_nic *nic_of(const struct graph *g, const struct graph_end *end)
{
	return &g->nodes[end->node].nics[end->nic];
}

static const char *param_of(const struct graph_nic *nic, const char *key)
{
	for (size_t i = 0; i < nic->n_params; i++)
		if (!strcmp(nic->params[i].key, key))
			return nic->params[i].value;
	return NULL;
}

/* Around a router with more cables than this, whole addresses would lie on one another. */
enum { CROWD = 3 };

static bool is_crowded(const struct graph *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		size_t n = 0;

		for (size_t k = 0; k < g->nodes[i].n_nics; k++)
			n += g->nodes[i].nics[k].n_addrs > 0;
		if (n > CROWD)
			return true;
	}
	return false;
}

/* Both ends have one IPv4 address each, in one network: it can stand in the middle. */
static bool share_network(const struct graph_nic *a, const struct graph_nic *b)
{
	return a->n_addrs == 1 && b->n_addrs == 1 && a->addrs->family == AF_INET &&
	       b->addrs->family == AF_INET && a->addrs->prefix == b->addrs->prefix &&
	       addr_in_net(a->addrs, b->addrs);
}

/* ".1", where its network stands in the middle: all numbers that are not the network's alone. */
static void put_host(FILE *out, const char *key, const struct addr *a)
{
	fprintf(out, ", %s=\"", key);
	for (unsigned i = a->prefix < 32 ? a->prefix / 8 : 3; i < 4; i++)
		fprintf(out, ".%u", a->bytes[i]);
	fputc('"', out);
}

static void put_end(FILE *out, const char *key, const struct graph_nic *nic)
{
	char buf[80];

	if (!nic->n_addrs)
		return;
	fprintf(out, ", %s=\"", key);
	for (size_t i = 0; i < nic->n_addrs; i++)
		fprintf(out, "%s%s", i ? "\\n" : "",
			addr_format(&nic->addrs[i], true, buf, sizeof(buf)));
	fputc('"', out);
}

/* net: or NULL. */
static void put_link(FILE *out, const struct graph_cable *c, const struct addr *net)
{
	char *there = linkspec_text(&c->dir[0]);
	char *back = linkspec_text(&c->dir[1]);

	if (net || *there || *back) {
		char buf[80];

		fputs(", label=\"", out);
		if (net)
			fputs(addr_format(net, true, buf, sizeof(buf)), out);
		fputs(net && (*there || *back) ? "\\n" : "", out);
		put_text(out, there);
		if (strcmp(there, back) != 0) {
			fputs("\\nback: ", out);
			put_text(out, back);
		}
		fputc('"', out);
	}
	free(there);
	free(back);
}

static void put_cable(FILE *out, const struct graph *g, const struct graph_cable *c,
		      enum detail detail)
{
	const struct graph_nic *a = nic_of(g, &c->end[0]);
	const struct graph_nic *b = nic_of(g, &c->end[1]);
	const char *vlan = param_of(a, "vlan") ? param_of(a, "vlan") : param_of(b, "vlan");
	bool is_trunk = param_of(a, "trunk") || param_of(b, "trunk");

	fprintf(out, "\tn%d -- n%d [", c->end[0].node, c->end[1].node);
	fputs(is_trunk ? "penwidth=3" : "penwidth=1", out);
	if (vlan)
		fprintf(out, ", color=\"%s\"",
			colours[strtoul(vlan, NULL, 10) % ARRAY_LEN(colours)]);
	if (c->cut.all)
		fputs(", style=dashed", out);
	if (detail == DETAIL_NETWORKS && share_network(a, b)) {
		struct addr net = addr_network(a->addrs);

		put_host(out, "taillabel", a->addrs);
		put_host(out, "headlabel", b->addrs);
		put_link(out, c, &net);
	} else if (detail != DETAIL_NONE) {
		put_end(out, "taillabel", a);
		put_end(out, "headlabel", b);
		put_link(out, c, NULL);
	}
	fputs("]\n", out);
}

/* ---- virtual links ---- */

static void put_vlink(FILE *out, const struct graph *g, size_t i)
{
	const struct graph_vlink *v = &g->vlinks[i];
	const char *colour = colours[(size_t)v->vnet % ARRAY_LEN(colours)];

	if (v->n_ends == 2) {
		fprintf(out, "\tn%d -- n%d [style=dashed, color=\"%s\"]\n", v->ends[0].node,
			v->ends[1].node, colour);
		return;
	}
	fprintf(out, "\tv%zu [shape=point, color=\"%s\"]\n", i, colour);
	for (size_t k = 0; k < v->n_ends; k++)
		fprintf(out, "\tv%zu -- n%d [style=dashed, color=\"%s\"]\n", i, v->ends[k].node,
			colour);
}

/* Of few nodes, edges keep their length, so that what stands at them has room. */
static const char few[] = "\tlayout=neato\n\tsplines=true\n\toverlap=scale\n"
			  "\tnode [fontsize=12]\n"
			  "\tedge [fontsize=9, len=2.8, labeldistance=3]\n";
static const char many[] = "\tlayout=sfdp\n\toverlap=prism\n\tsplines=line\n\tnode [fontsize=14]\n";

/* They do not move what cables hold together. */
static void put_adjacency(FILE *out, const struct dot_adjacency *a, bool is_brief)
{
	fprintf(out, "\tn%d -- n%d [color=\"%s\", style=%s, weight=0, constraint=false", a->a, a->b,
		a->is_up ? "#2ca02c" : "#d62728", a->is_up ? "bold" : "\"bold,dashed\"");
	if (!is_brief) {
		fprintf(out, ", fontcolor=\"%s\", label=\"", a->is_up ? "#2ca02c" : "#d62728");
		put_text(out, a->text);
		fputc('"', out);
	}
	fputs("]\n", out);
}

void dot_write(FILE *out, const struct graph *g)
{
	dot_write_living(out, g, NULL, 0);
}

void dot_write_living(FILE *out, const struct graph *g, const struct dot_adjacency *adjacencies,
		      size_t n)
{
	bool is_brief = g->n_nodes > DOT_MANY_NODES;
	enum detail detail = is_brief        ? DETAIL_NONE
			     : is_crowded(g) ? DETAIL_NETWORKS
					     : DETAIL_ADDRESSES;

	fputs("graph \"", out);
	put_text(out, g->lab);
	fputs("\" {\n\toutputorder=edgesfirst\n", out);
	fputs("\tnode [style=filled, fontname=\"sans-serif\", margin=\"0.08,0.04\", "
	      "height=0.3, width=0.3]\n\tedge [fontname=\"sans-serif\", color=gray30]\n",
	      out);
	fputs(is_brief ? many : few, out);
	for (size_t i = 0; i < g->n_nodes; i++)
		put_node(out, g, i);
	for (size_t i = 0; i < g->n_cables; i++)
		put_cable(out, g, &g->cables[i], detail);
	for (size_t i = 0; i < g->n_vlinks; i++)
		put_vlink(out, g, i);
	for (size_t i = 0; i < n; i++)
		put_adjacency(out, &adjacencies[i], is_brief);
	fputs("}\n", out);
}
