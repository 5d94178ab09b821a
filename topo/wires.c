/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Sets that are merged. For each VLAN that some port of a switch is in (and for untagged frames)
 * there is an element of each NIC, which stands for its end of a cable, and one of each hub or
 * switch, which stands for its inside. A cable joins its two ends, VLAN by VLAN; what a port joins
 * depends on its parameters (vswitch/switch_set.c). If two elements that are to be joined are in
 * one set already, a frame can come back to where it was: that is a loop.
 */
#include "topo/wires.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

enum {
	VLAN_DEFAULT = 1, /* of ports of which nothing is said, in a switch with VLANs */
	VLANS = 4096,
	MAX_ELEMENTS = 1 << 23,
};

struct wires {
	const struct graph *g;
	size_t *set;       /* element -> element; itself: the first of its set */
	size_t *first_nic; /* of a node: which number its NICs have among all */
	uint16_t *vlan;    /* which VLAN a place stands for; place 0: untagged frames */
	size_t n_vlans;    /* places */
	size_t n_nics;
	bool skip_rstp; /* switches with a spanning tree join nothing */
};

static const char *find_param(const struct graph_pair *params, size_t n, const char *key)
{
	const char *value = NULL;

	for (size_t i = 0; i < n; i++) /* the last one holds */
		if (!strcmp(params[i].key, key))
			value = params[i].value;
	return value;
}

static const char *port_param(const struct graph_nic *nic, const char *key)
{
	return find_param(nic->params, nic->n_params, key);
}

static bool has_vlans(const struct graph_node *n)
{
	for (size_t i = 0; i < n->n_nics; i++)
		if (port_param(&n->nics[i], "vlan") || port_param(&n->nics[i], "trunk") ||
		    port_param(&n->nics[i], "native"))
			return true;
	return false;
}

/* Is it in "10,20-29", or "all"? */
static bool is_listed(const char *list, unsigned vlan)
{
	char *end;

	if (!strcmp(list, "all"))
		return true;
	for (const char *p = list; *p; p = end + (*end == ',')) {
		unsigned long from = strtoul(p, &end, 10);
		unsigned long to = *end == '-' ? strtoul(end + 1, &end, 10) : from;

		if (vlan >= from && vlan <= to)
			return true;
		if (*end && *end != ',')
			return false;
	}
	return false;
}

/* The VLAN of untagged frames at a port of a switch with VLANs; 0: none may enter. */
static unsigned untagged_vlan(const struct graph_nic *nic)
{
	const char *native = port_param(nic, "native");
	const char *vlan = port_param(nic, "vlan");

	if (native)
		return (unsigned)strtoul(native, NULL, 10);
	if (port_param(nic, "trunk"))
		return 0;
	return vlan ? (unsigned)strtoul(vlan, NULL, 10) : VLAN_DEFAULT;
}

/* Only VLANs that untagged frames come into matter: what stations tag themselves is their own. */
static void find_vlans(struct wires *w)
{
	bool seen[VLANS] = {false};

	w->vlan = xcalloc(VLANS + 1, sizeof(*w->vlan));
	w->n_vlans = 1;
	for (size_t i = 0; i < w->g->n_nodes; i++) {
		const struct graph_node *n = &w->g->nodes[i];

		if (n->kind != NODE_SWITCH || !has_vlans(n))
			continue;
		for (size_t k = 0; k < n->n_nics; k++) {
			unsigned vlan = untagged_vlan(&n->nics[k]);

			if (vlan && vlan < VLANS && !seen[vlan])
				w->vlan[w->n_vlans++] = (uint16_t)vlan;
			seen[vlan % VLANS] = true;
		}
	}
}

static size_t nic_element(const struct wires *w, size_t node, size_t nic, size_t place)
{
	return (w->first_nic[node] + nic) * w->n_vlans + place;
}

static size_t node_element(const struct wires *w, size_t node, size_t place)
{
	return (w->n_nics + node) * w->n_vlans + place;
}

/* Union and find with halving of the way, as in check.c, but over elements of a finished graph. */
static size_t find(const struct wires *w, size_t i)
{
	while (w->set[i] != i) {
		w->set[i] = w->set[w->set[i]];
		i = w->set[i];
	}
	return i;
}

/* False: they are in one set already. */
static bool join(struct wires *w, size_t a, size_t b)
{
	a = find(w, a);
	b = find(w, b);
	if (a == b)
		return false;
	w->set[a > b ? a : b] = a > b ? b : a;
	return true;
}

/*
 * Without VLANs a port joins every place to the inside of its device. With them an access port
 * joins its untagged frames to its VLAN's place inside, a trunk each VLAN to itself.
 */
static void join_port(struct wires *w, size_t node, size_t nic, bool vlans)
{
	const struct graph_nic *port = &w->g->nodes[node].nics[nic];
	const char *trunk = port_param(port, "trunk");

	for (size_t p = 0; p < w->n_vlans; p++) {
		if (!vlans)
			join(w, nic_element(w, node, nic, p), node_element(w, node, p));
		else if (p && untagged_vlan(port) == w->vlan[p])
			join(w, nic_element(w, node, nic, 0), node_element(w, node, p));
		else if (p && trunk && is_listed(trunk, w->vlan[p]))
			join(w, nic_element(w, node, nic, p), node_element(w, node, p));
	}
}

static void join_devices(struct wires *w)
{
	for (size_t i = 0; i < w->g->n_nodes; i++) {
		const struct graph_node *n = &w->g->nodes[i];
		const char *rstp = find_param(n->params, n->n_params, "rstp");
		bool vlans = n->kind == NODE_SWITCH && has_vlans(n);

		if (!node_kind_is_device(n->kind) ||
		    (w->skip_rstp && rstp && strcmp(rstp, "on") == 0))
			continue;
		for (size_t k = 0; k < n->n_nics; k++)
			join_port(w, i, k, vlans);
	}
}

static bool is_cut(const struct graph_cable *c)
{
	return c->cut.all || c->cut.end[0] || c->cut.end[1] || c->cut.dir[0] || c->cut.dir[1];
}

/* False: it closes a loop. */
static bool join_cable(struct wires *w, const struct graph_cable *c)
{
	bool is_new = true;

	for (size_t p = 0; p < w->n_vlans && !is_cut(c); p++)
		is_new &= join(w, nic_element(w, (size_t)c->end[0].node, (size_t)c->end[0].nic, p),
			       nic_element(w, (size_t)c->end[1].node, (size_t)c->end[1].nic, p));
	return is_new;
}

static void join_virtual(struct wires *w)
{
	for (size_t i = 0; i < w->g->n_vlinks; i++) {
		const struct graph_vlink *v = &w->g->vlinks[i];

		for (size_t k = 1; k < v->n_ends; k++)
			join(w, nic_element(w, (size_t)v->ends[0].node, (size_t)v->ends[0].nic, 0),
			     nic_element(w, (size_t)v->ends[k].node, (size_t)v->ends[k].nic, 0));
	}
}

static struct wires *begin(const struct graph *g, bool skip_rstp)
{
	struct wires *w = xcalloc(1, sizeof(*w));

	w->g = g;
	w->skip_rstp = skip_rstp;
	w->first_nic = xcalloc(g->n_nodes + 1, sizeof(*w->first_nic));
	for (size_t i = 0; i < g->n_nodes; i++) {
		w->first_nic[i] = w->n_nics;
		w->n_nics += g->nodes[i].n_nics;
	}
	find_vlans(w);
	size_t n = (w->n_nics + g->n_nodes) * w->n_vlans;

	if (n > MAX_ELEMENTS) {
		wires_destroy(w);
		return NULL;
	}
	w->set = xcalloc(n + 1, sizeof(*w->set));
	for (size_t i = 0; i < n; i++)
		w->set[i] = i;
	join_devices(w);
	return w;
}

struct wires *wires_create(const struct graph *g)
{
	struct wires *w = begin(g, false);

	for (size_t i = 0; w && i < g->n_cables; i++)
		join_cable(w, &g->cables[i]);
	if (w)
		join_virtual(w);
	return w;
}

void wires_destroy(struct wires *w)
{
	if (!w)
		return;
	free(w->set);
	free(w->first_nic);
	free(w->vlan);
	free(w);
}

size_t wires_of_nic(const struct wires *w, size_t node, size_t nic)
{
	return find(w, nic_element(w, node, nic, 0));
}

size_t wires_of_device(const struct wires *w, size_t node)
{
	return find(w, node_element(w, node, 0));
}

void wires_find_loops(const struct graph *g, void (*fn)(void *ctx, size_t cable), void *ctx)
{
	struct wires *w = begin(g, true);

	for (size_t i = 0; w && i < g->n_cables; i++)
		if (!join_cable(w, &g->cables[i]))
			fn(ctx, i);
	wires_destroy(w);
}
