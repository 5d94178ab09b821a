/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The network for programs (docs/import.md, "Export"): nodes with their NICs, cables with what they
 * do to frames, virtual networks and links. Not what is inside of guests: the script has that.
 */
#include "lib/json.h"

#include "vbet-server/export/format.h"

#include <stdlib.h>
#include <string.h>

static const char *nic_name(const struct graph *g, const struct graph_end *e)
{
	return g->nodes[e->node].nics[e->nic].name;
}

static void put_nic(struct json *j, const struct graph_nic *n)
{
	char text[80];

	json_open(j, NULL, '{');
	json_string(j, "name", n->name);
	json_uint(j, "mtu", n->mtu);
	json_open(j, "addresses", '[');
	for (size_t i = 0; i < n->n_addrs; i++)
		json_string(j, NULL, addr_format(&n->addrs[i], true, text, sizeof(text)));
	json_close(j, ']');
	for (size_t i = 0; i < n->n_params; i++)
		json_string(j, n->params[i].key, n->params[i].value);
	json_close(j, '}');
}

static void put_node(struct json *j, const struct graph *g, const struct graph_node *n)
{
	json_open(j, NULL, '{');
	json_string(j, "name", n->name);
	json_string(j, "kind", node_kind_name(n->kind));
	json_string(j, "label", n->label);
	json_string(j, "vnet", n->n_vnets == 1 ? g->vnets[n->vnets[0]].name : NULL);
	if (n->n_vnets > 1) {
		json_open(j, "vnets", '[');
		for (size_t i = 0; i < n->n_vnets; i++)
			json_string(j, NULL, g->vnets[n->vnets[i]].name);
		json_close(j, ']');
	}
	json_string(j, "on", n->place >= 0 ? g->nodes[n->place].name : NULL);
	json_open(j, "nics", '[');
	for (size_t i = 0; i < n->n_nics; i++)
		put_nic(j, &n->nics[i]);
	json_close(j, ']');
	json_open(j, "routes", '[');
	for (size_t i = 0; i < n->n_routes; i++) {
		json_open(j, NULL, '{');
		json_string(j, "dest", n->routes[i].dest);
		json_string(j, "via", n->routes[i].via);
		json_string(j, "dev", n->routes[i].dev);
		json_close(j, '}');
	}
	json_close(j, ']');
	json_open(j, "services", '[');
	for (size_t i = 0; i < n->n_configs; i++)
		json_string(j, NULL, n->configs[i].daemon);
	json_close(j, ']');
	json_close(j, '}');
}

static void put_ends(struct json *j, const struct graph *g, const struct graph_end *ends, size_t n)
{
	json_open(j, "ends", '[');
	for (size_t i = 0; i < n; i++) {
		json_open(j, NULL, '{');
		json_string(j, "node", g->nodes[ends[i].node].name);
		json_string(j, "nic", nic_name(g, &ends[i]));
		json_close(j, '}');
	}
	json_close(j, ']');
}

/* "rate=10Mbit delay=5ms", the words of "vbet link"; from the first end, and from the second. */
static void put_dirs(struct json *j, const struct graph_cable *c)
{
	static const char *const keys[] = {"forward", "back"};

	for (int i = 0; i < 2; i++) {
		char *text = linkspec_text(&c->dir[i]);

		json_string(j, keys[i], text);
		free(text);
	}
}

static void put_cable(struct json *j, const struct graph *g, const struct graph_cable *c)
{
	json_open(j, NULL, '{');
	json_string(j, "name", c->name);
	json_bool(j, "up", !c->cut.all);
	put_ends(j, g, c->end, 2);
	put_dirs(j, c);
	json_close(j, '}');
}

void export_write_json(struct export_lab *l, FILE *out)
{
	const struct graph *g = l->graph;
	struct json j;

	json_init(&j, out);
	json_open(&j, NULL, '{');
	json_int(&j, "version", 1);
	json_string(&j, "lab", g->lab);
	json_string(&j, "clock", g->clock == CLOCK_VIRTUAL ? "virtual" : "real");
	json_open(&j, "nodes", '[');
	for (size_t i = 0; i < g->n_nodes; i++)
		put_node(&j, g, &g->nodes[i]);
	json_close(&j, ']');
	json_open(&j, "cables", '[');
	for (size_t i = 0; i < g->n_cables; i++)
		put_cable(&j, g, &g->cables[i]);
	json_close(&j, ']');
	json_open(&j, "virtual_links", '[');
	for (size_t i = 0; i < g->n_vlinks; i++) {
		const struct graph_vlink *v = &g->vlinks[i];

		json_open(&j, NULL, '{');
		json_string(&j, "name", v->name);
		json_string(&j, "vnet", g->vnets[v->vnet].name);
		put_ends(&j, g, v->ends, v->n_ends);
		json_close(&j, '}');
	}
	json_close(&j, ']');
	json_close(&j, '}');
	fputc('\n', out);
}
