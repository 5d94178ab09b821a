/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `vbet substrate` shows: the substrate links of a lab, and for each direction the virtual
 * links that it carries, with what they were promised, what they may use now, and what became of
 * it.
 */
#include "lib/json.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/mtu.h"
#include "vbet-server/server/report.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *key, *title;
	enum unit_kind unit;
} columns[] = {
	{"guaranteed_bps", "guaranteed", UNIT_RATE},
	{"allotted_bps", "allotted", UNIT_RATE},
	{"max_bps", "max", UNIT_RATE},
	{"offered_frames", "offered", UNIT_COUNT},
	{"carried_frames", "carried", UNIT_COUNT},
};

static const char *link_kind(const struct graph_slink *l)
{
	static const char *const names[] = {
		[SLINK_CABLE] = "point to point",
		[SLINK_ACROSS] = "point to point across",
		[SLINK_LAN] = "multi-access",
	};

	return names[l->kind];
}

/*
 * What the substrate says of this node's end of a link. A process that has ended says nothing:
 * "{}".
 */
static char *end_status(const struct lab *lab, const struct graph_slink *l, size_t end,
			const char *substrate)
{
	char *name = xasprintf("%s@%s", l->name, lab->graph->nodes[l->ends[end].node].name);
	char *status = json_find_member(substrate, name);

	free(name);
	return status ? status : xstrdup("{}");
}

/* "full 3, too-long 1", or "-". */
static void print_drops(FILE *out, const char *vli)
{
	char *drops = json_member(vli, "dropped");
	const char *at = drops ? drops : "";
	const char *lead = "";
	char *item;

	while ((item = json_next(&at))) {
		char *colon = strrchr(item, ':');

		if (colon && strcmp(colon, ":0") != 0) {
			fprintf(out, "%s%.*s %s", lead, (int)(colon - item - 2), item + 1,
				colon + 1);
			lead = ", ";
		}
		free(item);
	}
	if (!*lead)
		fputc('-', out);
	free(drops);
}

static void print_vli(FILE *out, const char *vli)
{
	char *number = json_member(vli, "vli");
	char *vlink = json_member(vli, "vlink");
	char *group = vlink ? NULL : json_member(vli, "group");
	char *vnet = json_member(vli, "vnet");
	char *up = json_member(vli, "up");
	char *name = xasprintf("%s (%s)", vlink ? vlink : group ? group : "?", vnet ? vnet : "?");

	fprintf(out, "    %-11s%-26s", number ? number : "?", name);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		char *value = json_member(vli, columns[i].key);
		char text[32] = "-";

		if (value && (columns[i].unit == UNIT_COUNT || strcmp(value, "0") != 0))
			unit_format(columns[i].unit, strtoll(value, NULL, 10), text, sizeof(text));
		fprintf(out, " %10s", text);
		free(value);
	}
	fputs("  ", out);
	print_drops(out, vli);
	fputs(up && !strcmp(up, "false") ? "  DOWN\n" : "\n", out);
	free(number);
	free(vlink);
	free(group);
	free(vnet);
	free(up);
	free(name);
}

/* "to s2", "to s2, s3 (not heard)". */
static void print_neighbours(FILE *out, const char *status)
{
	char *all = json_member(status, "neighbours");
	const char *at = all ? all : "";
	const char *lead = " to ";
	char *item;

	while ((item = json_next(&at))) {
		char *name = json_member(item, "snode");
		char *open = json_member(item, "open");
		bool is_open = open && !strcmp(open, "true");

		fprintf(out, "%s%s%s", lead, name && strcmp(name, "null") != 0 ? name : "?",
			is_open ? "" : " (SILENT)");
		lead = ", ";
		free(name);
		free(open);
		free(item);
	}
	free(all);
}

static void print_end(FILE *out, const struct lab *lab, const struct graph_slink *l, size_t end,
		      const char *substrate)
{
	char *status = end_status(lab, l, end, substrate);
	const char *rows = l->kind == SLINK_LAN ? "multi_access" : "vlis";
	char *vlis = json_member(status, rows);
	const char *at = vlis ? vlis : "";
	char *vli;

	fprintf(out, "  from %s", lab->graph->nodes[l->ends[end].node].name);
	print_neighbours(out, status);
	fputc('\n', out);
	while ((vli = json_next(&at))) {
		print_vli(out, vli);
		free(vli);
	}
	free(vlis);
	free(status);
}

/* What the manager of a LAN has given to each vNet. */
static void print_manager(FILE *out, const struct lab *lab, const struct graph_slink *l,
			  const char *substrate)
{
	static const char *const keys[] = {"share_bps", "min_bps", "want_bps", "held_bps"};
	char *name = xasprintf("vbm@%s", l->name);
	char *status = json_find_member(substrate, name);
	char *rows = status ? json_member(status, "rows") : NULL;
	const char *at = rows ? rows : "";
	char *row;

	while ((row = json_next(&at))) {
		char *node = json_member(row, "snode");
		char *vnet = json_member(row, "vnet");
		char rate[ARRAY_LEN(keys)][32];

		for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
			char *value = json_member(row, keys[i]);

			unit_format(UNIT_RATE, value ? strtoll(value, NULL, 10) : 0, rate[i],
				    sizeof(rate[i]));
			free(value);
		}
		if (!node)
			fprintf(out, "  %s has %s of it, promised %s, wants %s, allotted %s\n",
				vnet ? vnet : "?", rate[0], rate[1], rate[2], rate[3]);
		free(node);
		free(vnet);
		free(row);
	}
	free(name);
	free(status);
	free(rows);
}

static void print_link(FILE *out, const struct lab *lab, const struct graph_slink *l,
		       const char *substrate)
{
	char rate[2][32];

	fprintf(out, "%s: %s", l->name, link_kind(l));
	if (l->lan >= 0)
		fprintf(out, " %s, VLAN %u, priority %u", lab->graph->slinks[l->lan].name,
			lab->graph->slinks[l->lan].vlan, lab->graph->slinks[l->lan].priority);
	fprintf(out, ", %s", l->encap == ENCAP_UDP ? "IP/UDP" : "Ethernet");
	for (int i = 0; i < 2; i++)
		unit_format(UNIT_RATE, l->rate_bps[i], rate[i], sizeof(rate[i]));
	if (l->rate_bps[0])
		fprintf(out, ", %s", rate[0]);
	if (l->rate_bps[1] && l->rate_bps[1] != l->rate_bps[0])
		fprintf(out, " and back %s", rate[1]);
	fputc('\n', out);
	for (size_t i = 0; i < l->n_ends; i++)
		print_end(out, lab, l, i, substrate);
	if (l->kind == SLINK_LAN)
		print_manager(out, lab, l, substrate);
}

/* Virtual links that are down, and why. */
static void print_down(FILE *out, const struct lab *lab, const char *substrate)
{
	for (size_t i = 0; i < lab->graph->n_vlinks; i++) {
		const struct graph_vlink *v = &lab->graph->vlinks[i];

		for (int dir = 0; dir < 2 && v->lan < 0; dir++) {
			char *name = xasprintf("%s:%s", v->name, dir ? "ba" : "ab");
			char *status = json_find_member(substrate, name);
			char *up = status ? json_member(status, "up") : NULL;
			char *reason = status ? json_member(status, "reason") : NULL;

			if (up && !strcmp(up, "false"))
				fprintf(out, "%s is down: %s\n", name,
					reason ? reason : "it is being set up");
			free(name);
			free(status);
			free(up);
			free(reason);
		}
	}
}

/* Virtual links whose path carries shorter packets than the NICs at their ends were made for. */
static void print_narrow(FILE *out, const struct lab *lab)
{
	for (size_t i = 0; i < lab->graph->n_vlinks; i++) {
		const struct graph_vlink *v = &lab->graph->vlinks[i];
		unsigned mtu = mtu_of_vlink(lab, v);
		unsigned most = 0;

		for (size_t k = 0; k < v->n_ends; k++) {
			unsigned m = lab->graph->nodes[v->ends[k].node].nics[v->ends[k].nic].mtu;

			most = m > most ? m : most;
		}
		if (mtu < most)
			fprintf(out, "%s carries packets of %u octets, its NICs were made for %u\n",
				v->name, mtu, most);
	}
}

void report_substrate_text(FILE *out, const struct lab *lab, const char *substrate)
{
	const struct graph *g = lab->graph;

	if (!g->n_slinks) {
		fprintf(out, "lab %s has no substrate links\n", g->lab);
		return;
	}
	fprintf(out, "    %-11s%-26s", "VLI", "virtual link (vNet)");
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		fprintf(out, " %10s", columns[i].title);
	fputs("  dropped\n", out);
	for (size_t i = 0; i < g->n_slinks; i++)
		print_link(out, lab, &g->slinks[i], substrate);
	print_narrow(out, lab);
	print_down(out, lab, substrate);
}

static void json_link(struct json *j, const struct lab *lab, const struct graph_slink *l,
		      const char *substrate)
{
	json_open(j, NULL, '{');
	json_string(j, "link", l->name);
	json_string(j, "kind", link_kind(l));
	json_string(j, "encapsulation", graph_encap_name(l->encap));
	json_string(j, "lan", l->lan >= 0 ? lab->graph->slinks[l->lan].name : NULL);
	json_open(j, "ends", '[');
	for (size_t i = 0; i < l->n_ends; i++) {
		const struct graph_node *n = &lab->graph->nodes[l->ends[i].node];
		char *status = end_status(lab, l, i, substrate);
		char *vlis = json_member(status, l->kind == SLINK_LAN ? "multi_access" : "vlis");
		char *neighbours = json_member(status, "neighbours");
		char *in = json_member(status, "in");

		json_open(j, NULL, '{');
		json_string(j, "node", n->name);
		json_string(j, "interface", n->nics[l->ends[i].nic].name);
		json_int(j, "rate_bps", l->rate_bps[l->kind == SLINK_LAN ? 0 : i]);
		json_raw(j, "neighbours", neighbours ? neighbours : "[]");
		json_raw(j, "vlis", vlis ? vlis : "[]");
		json_raw(j, "in", in ? in : "[]");
		json_close(j, '}');
		free(status);
		free(vlis);
		free(neighbours);
		free(in);
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void json_vlink(struct json *j, const struct lab *lab, const struct graph_vlink *v,
		       const char *substrate)
{
	const struct graph *g = lab->graph;

	json_open(j, NULL, '{');
	json_string(j, "name", v->name);
	json_string(j, "vnet", g->vnets[v->vnet].name);
	json_string(j, "lan", v->lan >= 0 ? g->slinks[v->lan].name : NULL);
	json_uint(j, "mtu", mtu_of_vlink(lab, v));
	json_open(j, "ends", '[');
	for (size_t i = 0; i < v->n_ends; i++) {
		const struct graph_node *n = &g->nodes[v->ends[i].node];
		char *name = xasprintf("%s:%s", n->name, n->nics[v->ends[i].nic].name);

		json_open(j, NULL, '{');
		json_string(j, "nic", name);
		json_string(j, "place", g->nodes[n->place].name);
		json_close(j, '}');
		free(name);
	}
	json_close(j, ']');
	json_open(j, "path", '[');
	for (size_t i = 0; i < v->n_path; i++)
		json_string(j, NULL, g->slinks[v->path[i]].name);
	json_close(j, ']');
	for (int dir = 0; dir < 2 && v->lan < 0; dir++) {
		char *name = xasprintf("%s:%s", v->name, dir ? "ba" : "ab");
		char *status = json_find_member(substrate, name);

		json_raw(j, dir ? "ba" : "ab", status ? status : "null");
		free(name);
		free(status);
	}
	json_close(j, '}');
}

void report_substrate_json(FILE *out, const struct lab *lab, const char *substrate)
{
	const struct graph *g = lab->graph;
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_string(&j, "lab", g->lab);
	json_open(&j, "links", '[');
	for (size_t i = 0; i < g->n_slinks; i++)
		json_link(&j, lab, &g->slinks[i], substrate);
	json_close(&j, ']');
	json_open(&j, "virtual_links", '[');
	for (size_t i = 0; i < g->n_vlinks; i++)
		json_vlink(&j, lab, &g->vlinks[i], substrate);
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
}
