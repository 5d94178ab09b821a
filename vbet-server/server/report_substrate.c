/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What `vbet substrate` shows: the substrate links of a lab, and for each direction the virtual
 * links that it carries, with what they were promised, what they may use now, and what became of
 * it.
 *
 * The lab knows what was asked for (graph_slink, graph_vlink), the substrate what has become of it;
 * each row puts the two together. The substrate names its objects by where they are: "LINK@NODE" is
 * an S-Node's end of a link with its neighbours and what it sends, "vbm@LAN" the bandwidth manager
 * of a multi-access link, "VLINK:ab" and "VLINK:ba" the two directions of a virtual link.
 *
 * A process that has ended says nothing, so every look-up may find nothing; the functions of
 * lab/status.h take NULL as an object without members, and the report has a "-", "?" or nothing in
 * that place.
 */
#include "lib/columns.h"
#include "lib/json.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/mtu.h"
#include "vbet-server/server/report.h"

#include <inttypes.h>
#include <stdlib.h>

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

enum { NUMBERS = ((1 << ARRAY_LEN(columns)) - 1) << 2 }; /* columns that end at the same place */

static const char *link_kind(const struct graph_slink *l)
{
	static const char *const names[] = {
		[SLINK_CABLE] = "point to point",
		[SLINK_ACROSS] = "point to point across",
		[SLINK_LAN] = "multi-access",
	};

	return names[l->kind];
}

/* What the substrate says of this node's end of a link; NULL: its process has ended. */
static struct json_object *end_status(const struct lab *lab, const struct graph_slink *l,
				      size_t end, struct json_object *status)
{
	char *name = xasprintf("%s@%s", l->name, lab->graph->nodes[l->ends[end].node].name);
	struct json_object *object = status_object(status, name);

	free(name);
	return object;
}

/*
 * One row. On a point-to-point link it is a virtual link, on a multi-access one a group of
 * receivers of one vNet. For a rate, 0 is as good as not given and printed so; a count of 0 is
 * news.
 */
static void print_vli(FILE *out, struct json_object *vli)
{
	const char *number = status_text(vli, "vli");
	const char *vlink = status_text(vli, "vlink");
	const char *group = status_text(vli, "group");
	const char *vnet = status_text(vli, "vnet");
	char *name = xasprintf("%s (%s)", vlink ? vlink : group ? group : "?", vnet ? vnet : "?");

	fprintf(out, "    %s\t%s", number ? number : "?", name);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++) {
		bool known = status_member(vli, columns[i].key);
		int64_t value = status_number(vli, columns[i].key);
		char text[32] = "-";

		if (known && columns[i].unit == UNIT_COUNT)
			unit_format(UNIT_COUNT, value, text, sizeof(text));
		else if (value)
			unit_format_mbit(value, text, sizeof(text));
		fprintf(out, "\t%s", text);
	}
	fputc('\t', out);
	if (!report_drops(out, "", vli))
		fputc('-', out);
	fputs(status_is_false(vli, "up") ? "  DOWN\n" : "\n", out);
	free(name);
}

/* "to s2", "to s2, s3 (not heard)". */
static void print_neighbours(FILE *out, struct json_object *end)
{
	struct json_object *all = status_member(end, "neighbours");

	for (size_t i = 0; i < status_length(all); i++) {
		struct json_object *item = status_item(all, i);
		const char *name = status_text(item, "snode");
		bool is_open = status_is_true(item, "open");

		fprintf(out, "%s%s%s", i ? ", " : " to ", name ? name : "?",
			is_open ? "" : " (SILENT)");
	}
}

static void print_end(FILE *out, const struct lab *lab, const struct graph_slink *l, size_t end,
		      struct json_object *status)
{
	struct json_object *object = end_status(lab, l, end, status);
	struct json_object *vlis =
		status_member(object, l->kind == SLINK_LAN ? "multi_access" : "vlis");

	fprintf(out, "  from %s", lab->graph->nodes[l->ends[end].node].name);
	print_neighbours(out, object);
	fputc('\n', out);
	for (size_t i = 0; i < status_length(vlis); i++)
		print_vli(out, status_item(vlis, i));
}

/*
 * What the manager of a LAN has given to each vNet. The manager also has rows for each S-Node;
 * those belong to the ends, and are left to JSON.
 */
static void print_manager(FILE *out, const struct graph_slink *l, struct json_object *status)
{
	static const char *const keys[] = {"share_bps", "min_bps", "want_bps", "held_bps"};
	char *name = xasprintf("vbm@%s", l->name);
	struct json_object *rows = status_member(status_object(status, name), "rows");

	free(name);
	for (size_t i = 0; i < status_length(rows); i++) {
		struct json_object *row = status_item(rows, i);
		const char *vnet = status_text(row, "vnet");
		char rate[ARRAY_LEN(keys)][32];

		if (status_member(row, "snode"))
			continue;
		for (size_t k = 0; k < ARRAY_LEN(keys); k++)
			unit_format_mbit(status_number(row, keys[k]), rate[k], sizeof(rate[k]));
		fprintf(out, "  %s has %s of it, promised %s, wants %s, allotted %s\n",
			vnet ? vnet : "?", rate[0], rate[1], rate[2], rate[3]);
	}
}

static void print_link(FILE *out, const struct lab *lab, const struct graph_slink *l,
		       struct json_object *status)
{
	char rate[2][32];

	fprintf(out, "%s: %s", l->name, link_kind(l));
	if (l->lan >= 0)
		fprintf(out, " %s, VLAN %u, priority %u", lab->graph->slinks[l->lan].name,
			lab->graph->slinks[l->lan].vlan, lab->graph->slinks[l->lan].priority);
	fprintf(out, ", %s", graph_encap_title(l->encap));
	for (int i = 0; i < 2; i++)
		unit_format_mbit(l->rate_bps[i], rate[i], sizeof(rate[i]));
	if (l->rate_bps[0])
		fprintf(out, ", %s", rate[0]);
	if (l->rate_bps[1] && l->rate_bps[1] != l->rate_bps[0])
		fprintf(out, " and back %s", rate[1]);
	fputc('\n', out);
	for (size_t i = 0; i < l->n_ends; i++)
		print_end(out, lab, l, i, status);
	if (l->kind == SLINK_LAN)
		print_manager(out, l, status);
}

/*
 * Virtual links that are down, and why. Those on a LAN have no two directions: there it is its
 * manager and its groups that tell.
 */
static void print_down(FILE *out, const struct lab *lab, struct json_object *status)
{
	for (size_t i = 0; i < lab->graph->n_vlinks; i++) {
		const struct graph_vlink *v = &lab->graph->vlinks[i];

		for (int dir = 0; dir < 2 && v->lan < 0; dir++) {
			char *name = xasprintf("%s:%s", v->name, dir ? "ba" : "ab");
			struct json_object *object = status_object(status, name);
			const char *reason = status_text(object, "reason");

			if (status_is_false(object, "up"))
				fprintf(out, "%s is down: %s\n", name,
					reason ? reason : "it is being set up");
			free(name);
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

static void print_links(FILE *out, const struct lab *lab, struct json_object *status)
{
	char *rows = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&rows, &len);

	fputs("    VLI\tvirtual link (vNet)", f);
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		fprintf(f, "\t%s", columns[i].title);
	fputs("\tdropped\n", f);
	for (size_t i = 0; i < lab->graph->n_slinks; i++)
		print_link(f, lab, &lab->graph->slinks[i], status);
	fclose(f);
	columns_put(out, rows, NUMBERS);
	free(rows);
}

void report_substrate_text(FILE *out, const struct lab *lab, struct json_object *status)
{
	if (!lab->graph->n_slinks) {
		fprintf(out, "lab %s has no substrate links\n", lab->graph->lab);
		return;
	}
	print_links(out, lab, status);
	print_narrow(out, lab);
	print_down(out, lab, status);
}

static void json_link(struct json *j, const struct lab *lab, const struct graph_slink *l,
		      struct json_object *status)
{
	json_open(j, NULL, '{');
	json_string(j, "link", l->name);
	json_string(j, "kind", link_kind(l));
	json_string(j, "encapsulation", graph_encap_name(l->encap));
	json_string(j, "lan", l->lan >= 0 ? lab->graph->slinks[l->lan].name : NULL);
	json_open(j, "ends", '[');
	for (size_t i = 0; i < l->n_ends; i++) {
		const struct graph_node *n = &lab->graph->nodes[l->ends[i].node];
		struct json_object *end = end_status(lab, l, i, status);
		const char *vlis = l->kind == SLINK_LAN ? "multi_access" : "vlis";

		json_open(j, NULL, '{');
		json_string(j, "node", n->name);
		json_string(j, "interface", n->nics[l->ends[i].nic].name);
		json_int(j, "rate_bps", l->rate_bps[l->kind == SLINK_LAN ? 0 : i]);
		json_raw(j, "neighbours", status_json(status_member(end, "neighbours"), "[]"));
		json_raw(j, "vlis", status_json(status_member(end, vlis), "[]"));
		json_raw(j, "in", status_json(status_member(end, "in"), "[]"));
		json_close(j, '}');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void json_vlink(struct json *j, const struct lab *lab, const struct graph_vlink *v,
		       struct json_object *status)
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

		json_raw(j, dir ? "ba" : "ab", status_json(status_object(status, name), "null"));
		free(name);
	}
	json_close(j, '}');
}

void report_substrate_json(FILE *out, const struct lab *lab, struct json_object *status)
{
	const struct graph *g = lab->graph;
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_string(&j, "lab", g->lab);
	json_open(&j, "links", '[');
	for (size_t i = 0; i < g->n_slinks; i++)
		json_link(&j, lab, &g->slinks[i], status);
	json_close(&j, ']');
	json_open(&j, "virtual_links", '[');
	for (size_t i = 0; i < g->n_vlinks; i++)
		json_vlink(&j, lab, &g->vlinks[i], status);
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
}
