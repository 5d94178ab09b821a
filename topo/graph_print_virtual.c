/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The part of a graph's text that is about substrate links, virtual networks and virtual links.
 *
 * Names with a dot are derived, of interfaces or of cables: nothing can be given such a name, and
 * it comes again by itself. So it is not printed, and what refers to it says node("...").
 */
#include "lib/units.h"
#include "topo/graph_print.h"

#include <string.h>

/* The beginning of a definition, and ", name = ..." at its end if the name is no variable. */
static void print_own_name(FILE *out, const char *name)
{
	if (graph_is_plain(name))
		fprintf(out, "%s = ", name);
}

static void print_other_name(FILE *out, const char *name)
{
	if (!graph_is_plain(name))
		graph_put_param(out, "name", name);
}

static void print_link(FILE *out, const struct graph *g, int slink)
{
	graph_put_name(out, g->slinks[slink].name);
}

void graph_put_vnet(FILE *out, const struct graph_vnet *v)
{
	char text[32];

	print_own_name(out, v->name);
	fputs("vnet(", out);
	if (v->share_ppm)
		fprintf(out, "share = %s", unit_format(UNIT_PPM, v->share_ppm, text, sizeof(text)));
	if (!graph_is_plain(v->name)) {
		fputs(v->share_ppm ? ", name = " : "name = ", out);
		graph_put_string(out, v->name);
	}
	fputs(")\n", out);
}

static void print_rate(FILE *out, const char *name, int64_t bps)
{
	char text[32];

	fprintf(out, "%s = %s", name, unit_format(UNIT_RATE, bps, text, sizeof(text)));
}

static void print_lan(FILE *out, const struct graph *g, const struct graph_slink *l)
{
	const struct graph_nic *first = &g->nodes[l->ends[0].node].nics[l->ends[0].nic];
	const struct graph_cable *c = &g->cables[first->cable];

	/* slan() needs the switch for members without a cable; here all have one. */
	fputs("slan(", out);
	graph_put_name(out, g->nodes[c->end[!first->cable_end].node].name);
	for (size_t i = 0; i < l->n_ends; i++) {
		fputs(", ", out);
		graph_put_end(out, g, &l->ends[i]);
	}
	print_rate(out, ", rate", l->rate_bps[0]);
	if (l->vlan)
		fprintf(out, ", vlan = %u", l->vlan);
	fprintf(out, ", priority = %u, manager = ", l->priority);
	graph_put_name(out, g->nodes[l->manager].name);
}

/*
 * All that a default would decide is said (encapsulation, manager, priority), so the text means the
 * same when defaults change.
 */
static void print_slink(FILE *out, const struct graph *g, const struct graph_slink *l)
{
	bool has_name = l->is_named && !strchr(l->name, '.');

	if (has_name)
		print_own_name(out, l->name);
	if (l->kind == SLINK_LAN) {
		print_lan(out, g, l);
	} else {
		fputs("slink(", out);
		graph_put_end(out, g, &l->ends[0]);
		fputs(", ", out);
		graph_put_end(out, g, &l->ends[1]);
	}
	if (l->kind == SLINK_ACROSS) {
		fputs(", over = ", out);
		print_link(out, g, l->lan);
	}
	if (l->kind == SLINK_CABLE)
		fprintf(out, ", encapsulation = %s", graph_encap_name(l->encap));
	if (has_name)
		print_other_name(out, l->name);
	fputs(")\n", out);
}

/*
 * Rates that are equal in both directions are said once, else in two groups. The links of a path
 * are named one by one, so a way that the embedding has chosen is the same when the text is read
 * again.
 */
static void print_vlink(FILE *out, const struct graph *g, const struct graph_vlink *v)
{
	static const char *const names[] = {", forward = {", ", back = {"};
	bool has_name = !strchr(v->name, '.');

	if (has_name)
		print_own_name(out, v->name);
	fputs("vlink(", out);
	if (v->lan >= 0)
		print_link(out, g, v->lan);
	for (size_t i = 0; i < v->n_ends; i++) {
		fputs(i || v->lan >= 0 ? ", " : "", out);
		graph_put_end(out, g, &v->ends[i]);
	}
	for (int dir = 0; dir < 2 && v->lan < 0; dir++) {
		bool both = v->min_bps[0] == v->min_bps[1] && v->max_bps[0] == v->max_bps[1];

		if (both && dir)
			break;
		fputs(both ? ", " : names[dir], out);
		print_rate(out, "min", v->min_bps[dir]);
		if (v->max_bps[dir])
			print_rate(out, ", max", v->max_bps[dir]);
		fputs(both ? "" : "}", out);
	}
	if (v->n_ends && g->nodes[v->ends[0].node].n_vnets > 1) {
		fputs(", vnet = ", out);
		graph_put_name(out, g->vnets[v->vnet].name);
	}
	for (size_t i = 0; i < v->n_path; i++) {
		fputs(i ? ", " : ", via = [", out);
		print_link(out, g, v->path[i]);
	}
	fputs(v->n_path ? "]" : "", out);
	if (has_name)
		print_other_name(out, v->name);
	fputs(")\n", out);
}

/*
 * Nodes that are held by one that comes after them. A node can only be placed on one that is there
 * already.
 */
static void print_late_places(FILE *out, const struct graph *g)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		const struct graph_node *n = &g->nodes[i];

		if (n->place < 0 || &g->nodes[n->place] < n)
			continue;
		fputs("set(", out);
		graph_put_name(out, n->name);
		fputs(", on = ", out);
		graph_put_name(out, g->nodes[n->place].name);
		fputs(")\n", out);
	}
}

void graph_put_virtual(FILE *out, const struct graph *g)
{
	print_late_places(out, g);
	if (g->n_slinks)
		fputc('\n', out);
	for (size_t i = 0; i < g->n_slinks; i++)
		print_slink(out, g, &g->slinks[i]);
	if (g->n_vlinks)
		fputc('\n', out);
	for (size_t i = 0; i < g->n_vlinks; i++)
		print_vlink(out, g, &g->vlinks[i]);
}
