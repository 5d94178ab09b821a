/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A kernel takes the longest prefix of its main table, of equal ones those with the least metric;
 * several next hops are several ways. Rules, other tables and VRFs are not looked at.
 *
 * Where a packet comes out is told by the wire at the NIC and by who on it has the address of the
 * next hop, as ARP would find out. Addresses that only a kernel makes (link-local ones) are those
 * of the NIC's MAC (RFC 4291, 2.5.1).
 */
#include "vbet-server/plan/forward.h"

#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "topo/wires.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ROUTES_MAX = 1 << 20, TOLD_MAX = 32 };

struct hop {
	struct addr dest, via; /* via.family 0: on the link */
	int nic;               /* of the node; -1: none that the graph has */
	uint32_t metric;
	unsigned type;
};

struct owned {
	size_t node;
	int nic; /* -1: none that the graph has */
	struct addr addr;
};

struct node {
	bool is_there;
	bool forwards[2]; /* IPv4, IPv6 */
	VEC(struct hop) hops;
};

struct forward {
	const struct graph *g;
	struct wires *wires;
	struct node *nodes;
	VEC(struct owned) owned; /* all addresses, by node */
};

struct forward *forward_create(const struct graph *g)
{
	struct wires *w = wires_create(g);

	if (!w)
		return NULL;
	struct forward *f = xcalloc(1, sizeof(*f));

	f->g = g;
	f->wires = w;
	f->nodes = xcalloc(g->n_nodes + 1, sizeof(*f->nodes));
	return f;
}

void forward_destroy(struct forward *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->g->n_nodes; i++)
		vec_free(&f->nodes[i].hops);
	vec_free(&f->owned);
	wires_destroy(f->wires);
	free(f->nodes);
	free(f);
}

void forward_add_address(struct forward *f, size_t node, const char *nic, const struct addr *addr)
{
	struct owned o = {node, graph_find_nic(&f->g->nodes[node], nic), *addr};

	f->nodes[node].is_there = true;
	vec_push(&f->owned, o);
}

/* ---- what a node said ---- */

static unsigned number_of(const struct words *w, const char *key)
{
	const char *v = words_get(w, key);

	return v ? (unsigned)strtoul(v, NULL, 10) : 0;
}

static void add_route(struct forward *f, size_t node, const struct words *w)
{
	const char *via = words_get(w, "via");
	const char *dev = words_get(w, "dev");
	struct node *n = &f->nodes[node];
	struct hop h = {.nic = dev ? graph_find_nic(&f->g->nodes[node], dev) : -1,
			.metric = number_of(w, "metric"),
			.type = number_of(w, "type")};

	if (n->hops.n == ROUTES_MAX || addr_parse(w->at[0], strlen(w->at[0]), &h.dest, NULL) < 0)
		return;
	if (h.dest.prefix == ADDR_NO_PREFIX ||
	    (via && addr_parse(via, strlen(via), &h.via, NULL) < 0))
		return;
	vec_push(&n->hops, h);
}

void forward_add_table(struct forward *f, size_t node, const char *text)
{
	f->nodes[node].is_there = true;
	while (*text) {
		size_t len = strcspn(text, "\n");
		struct arena a = {0};
		struct words w;

		if (words_split(text, len, &a, &w, NULL) == 0 && w.n) {
			if (w.n == 3 && !strcmp(w.at[0], "forwards"))
				f->nodes[node].forwards[*w.at[1] == '6'] = *w.at[2] != '0';
			else
				add_route(f, node, &w);
		}
		arena_finish(&a);
		text += len + (text[len] == '\n');
	}
}

/* ---- one step ---- */

static bool owns(const struct forward *f, size_t node, const struct addr *a)
{
	const struct owned *o;

	VEC_FOREACH (o, &f->owned)
		if (o->node == node && addr_same(&o->addr, a))
			return true;
	return false;
}

static bool is_link_local(const struct addr *a)
{
	return a->family == AF_INET6 && a->bytes[0] == 0xfe && (a->bytes[1] & 0xc0) == 0x80;
}

/* fe80::, and the MAC with a bit turned and ff:fe in its middle. */
static bool is_of_mac(const struct addr *a, const uint8_t mac[6])
{
	const uint8_t id[8] = {mac[0] ^ 2, mac[1], mac[2], 0xff, 0xfe, mac[3], mac[4], mac[5]};

	return !memcmp(a->bytes + 8, id, sizeof(id));
}

/* Who on the wire at a NIC has the address; -1: nobody. */
static int find_neighbor(const struct forward *f, size_t node, int nic, const struct addr *a)
{
	size_t wire = wires_of_nic(f->wires, node, (size_t)nic);
	const struct owned *o;

	VEC_FOREACH (o, &f->owned)
		if (o->node != node && o->nic >= 0 && addr_same(&o->addr, a) &&
		    wires_of_nic(f->wires, o->node, (size_t)o->nic) == wire)
			return (int)o->node;
	for (size_t i = 0; i < f->g->n_nodes && is_link_local(a); i++)
		for (size_t k = 0; i != node && f->nodes[i].is_there && k < f->g->nodes[i].n_nics;
		     k++)
			if (is_of_mac(a, f->g->nodes[i].nics[k].mac) &&
			    wires_of_nic(f->wires, i, k) == wire)
				return (int)i;
	return -1;
}

/* Of the routes that fit, those that the kernel would take: their number, the first in *best. */
static size_t find_hops(const struct node *n, const struct addr *to, const struct hop **best,
			size_t max)
{
	const struct hop *h;
	size_t count = 0;

	VEC_FOREACH (h, &n->hops) {
		if (h->dest.family != to->family || !addr_in_net(to, &h->dest))
			continue;
		if (count &&
		    (h->dest.prefix < best[0]->dest.prefix ||
		     (h->dest.prefix == best[0]->dest.prefix && h->metric > best[0]->metric)))
			continue;
		if (count && (h->dest.prefix > best[0]->dest.prefix || h->metric < best[0]->metric))
			count = 0;
		if (count < max)
			best[count++] = h;
	}
	return count;
}

enum { HOPS_MAX = 64, WHY_MAX = 160 };

/* Where a hop leads; -1: nowhere, and why. */
static int follow(const struct forward *f, size_t node, const struct hop *h, const struct addr *to,
		  char why[WHY_MAX])
{
	const char *name = f->g->nodes[node].name;
	const struct addr *next = h->via.family ? &h->via : to;
	char text[64];

	addr_format(next, false, text, sizeof(text));
	if (h->type != RTN_UNICAST) {
		snprintf(why, WHY_MAX, "%s has a route that refuses it", name);
		return -1;
	}
	/* A tunnel, a bridge, a loopback: what is behind cannot be seen from here. */
	if (h->nic < 0) {
		snprintf(why, WHY_MAX, "%s sends it by no NIC of the lab", name);
		return -1;
	}
	int found = find_neighbor(f, node, h->nic, next);

	if (found < 0)
		snprintf(why, WHY_MAX, "%s finds nobody with %s at %s", name, text,
			 f->g->nodes[node].nics[h->nic].name);
	return found;
}

/* Whether a node would pass a packet on that is not for itself; else why not. */
static bool may_pass(const struct forward *f, size_t node, const struct addr *to, char why[WHY_MAX])
{
	if (f->nodes[node].forwards[to->family == AF_INET6])
		return true;
	snprintf(why, WHY_MAX, "%s forwards nothing", f->g->nodes[node].name);
	return false;
}

/* ---- ways ---- */

struct walk {
	const struct forward *f;
	const struct addr *to;
	size_t *path; /* nodes so far */
	size_t n_path;
	char *lines[FORWARD_WAYS];
	size_t n_lines;
	bool all_arrive;
};

static void end_way(struct walk *w, const char *why)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = xmemstream(&text, &len);

	if (why)
		w->all_arrive = false;
	/* The last one is the destination, if it arrives. */
	for (size_t i = 1; i + !why < w->n_path; i++)
		fprintf(out, "%s%s", i > 1 ? " " : "", w->f->g->nodes[w->path[i]].name);
	if (why)
		fprintf(out, "%s%s", w->n_path > 1 ? ": " : "", why);
	fclose(out);
	for (size_t i = 0; i < w->n_lines; i++)
		if (!strcmp(w->lines[i], text)) {
			free(text);
			return;
		}
	if (w->n_lines == FORWARD_WAYS)
		free(text);
	else
		w->lines[w->n_lines++] = text;
}

static bool is_on_path(const struct walk *w, size_t node)
{
	for (size_t i = 0; i < w->n_path; i++)
		if (w->path[i] == node)
			return true;
	return false;
}

/* As deep as there are nodes; what is found beyond FORWARD_WAYS is not looked for. */
static void walk_from(struct walk *w, size_t node)
{
	const struct hop *hops[HOPS_MAX];
	char why[WHY_MAX];
	bool again = is_on_path(w, node);

	if (w->n_lines == FORWARD_WAYS)
		return;
	w->path[w->n_path++] = node;
	if (again) {
		snprintf(why, sizeof(why), "in a circle, back at %s", w->f->g->nodes[node].name);
		end_way(w, why);
	} else if (owns(w->f, node, w->to)) {
		end_way(w, NULL);
	} else if (w->n_path > 1 && !may_pass(w->f, node, w->to, why)) {
		end_way(w, why);
	} else {
		size_t n = find_hops(&w->f->nodes[node], w->to, hops, HOPS_MAX);

		snprintf(why, sizeof(why), "%s has no route", w->f->g->nodes[node].name);
		if (!n)
			end_way(w, why);
		for (size_t i = 0; i < n; i++) {
			int next = follow(w->f, node, hops[i], w->to, why);

			if (next < 0)
				end_way(w, why);
			else
				walk_from(w, (size_t)next);
		}
	}
	w->n_path--;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void forward_find_ways(const struct forward *f, size_t from, const struct addr *to, FILE *out,
		       bool *all_arrive)
{
	struct walk w = {.f = f, .to = to, .all_arrive = true};

	w.path = xcalloc(f->g->n_nodes + 2, sizeof(*w.path));
	walk_from(&w, from);
	qsort(w.lines, w.n_lines, sizeof(*w.lines), by_text);
	for (size_t i = 0; i < w.n_lines; i++) {
		fprintf(out, "%s\n", w.lines[i]);
		free(w.lines[i]);
	}
	free(w.path);
	*all_arrive = w.all_arrive;
}

/* ---- all addresses ---- */

/* What is at a NIC that hears nobody cannot be reached there, whatever routes say. */
static bool is_cut_off(const struct forward *f, const struct owned *o)
{
	if (o->nic < 0)
		return false;
	size_t wire = wires_of_nic(f->wires, o->node, (size_t)o->nic);

	for (size_t i = 0; i < f->g->n_nodes; i++)
		for (size_t k = 0; k < f->g->nodes[i].n_nics; k++)
			if ((i != o->node || (int)k != o->nic) &&
			    wires_of_nic(f->wires, i, k) == wire)
				return false;
	return true;
}

static bool is_loopback(const struct addr *a)
{
	return a->family == AF_INET && a->bytes[0] == 127;
}

/* Calls fn for each address that others may send to, until it says that it has seen enough. */
static void each_address(const struct forward *f,
			 bool (*fn)(const struct forward *f, const struct addr *to, FILE *out,
				    size_t *n),
			 FILE *out, size_t *n)
{
	for (size_t i = 0; i < f->owned.n; i++) {
		const struct addr *a = &f->owned.at[i].addr;

		if (!is_link_local(a) && !is_loopback(a) && !is_cut_off(f, &f->owned.at[i]) &&
		    !fn(f, a, out, n))
			return;
	}
}

enum colour { WHITE, GREY, BLACK };

/* A circle from here on, by depth first: told once. */
static bool has_circle(const struct forward *f, size_t node, const struct addr *to,
		       enum colour *colours, FILE *out)
{
	const struct hop *hops[HOPS_MAX];
	char why[WHY_MAX];
	size_t n = owns(f, node, to) ? 0 : find_hops(&f->nodes[node], to, hops, HOPS_MAX);
	bool found = false;

	colours[node] = GREY;
	for (size_t i = 0; i < n && !found; i++) {
		int next = follow(f, node, hops[i], to, why);
		char text[64];

		if (next < 0 || owns(f, (size_t)next, to) || !may_pass(f, (size_t)next, to, why))
			continue;
		if (colours[next] == GREY) {
			fprintf(out, "packets to %s go in a circle through %s and %s\n",
				addr_format(to, false, text, sizeof(text)), f->g->nodes[next].name,
				f->g->nodes[node].name);
			found = true;
		} else if (colours[next] == WHITE) {
			found = has_circle(f, (size_t)next, to, colours, out);
		}
	}
	colours[node] = BLACK;
	return found;
}

static bool look_for_circle(const struct forward *f, const struct addr *to, FILE *out, size_t *n)
{
	enum colour *colours = xcalloc(f->g->n_nodes + 1, sizeof(*colours));
	bool found = false;

	for (size_t i = 0; i < f->g->n_nodes && !found; i++)
		if (colours[i] == WHITE && f->nodes[i].is_there)
			found = has_circle(f, i, to, colours, out);
	free(colours);
	*n += found;
	return *n < TOLD_MAX;
}

bool forward_has_loop(const struct forward *f, FILE *out)
{
	size_t n = 0;

	each_address(f, look_for_circle, out, &n);
	return n > 0;
}

/* Whether what a node sends on by a hop gets lost at once: there, or at who gets it next. */
static bool is_lost(const struct forward *f, size_t node, const struct hop *h,
		    const struct addr *to, char why[WHY_MAX])
{
	const struct hop *next_hop;

	if (h->nic < 0 && h->type == RTN_UNICAST)
		return false; /* it cannot be seen */
	int next = follow(f, node, h, to, why);

	if (next < 0)
		return h->type == RTN_UNICAST;
	if (owns(f, (size_t)next, to))
		return false;
	if (!may_pass(f, (size_t)next, to, why))
		return true;
	if (find_hops(&f->nodes[next], to, &next_hop, 1) && next_hop->type == RTN_UNICAST)
		return false;
	snprintf(why, WHY_MAX, "%s, to which %s sends it, has no route", f->g->nodes[next].name,
		 f->g->nodes[node].name);
	return true;
}

static bool look_for_hole(const struct forward *f, const struct addr *to, FILE *out, size_t *n)
{
	for (size_t i = 0; i < f->g->n_nodes && *n < TOLD_MAX; i++) {
		const struct hop *hops[HOPS_MAX];
		size_t count = f->nodes[i].is_there && !owns(f, i, to)
				       ? find_hops(&f->nodes[i], to, hops, HOPS_MAX)
				       : 0;

		for (size_t k = 0; k < count && *n < TOLD_MAX; k++) {
			char why[WHY_MAX];
			char text[64];

			if (!is_lost(f, i, hops[k], to, why))
				continue;
			fprintf(out, "packets to %s get lost: %s\n",
				addr_format(to, false, text, sizeof(text)), why);
			++*n;
		}
	}
	return *n < TOLD_MAX;
}

bool forward_has_hole(const struct forward *f, FILE *out)
{
	size_t n = 0;

	each_address(f, look_for_hole, out, &n);
	return n > 0;
}

/* ---- who reaches whom ---- */

enum arrival { UNKNOWN, UNDER_WAY, ARRIVES, LOST };

/* Whether what a node sends to the address arrives on every way; a circle never does. */
static bool arrives(const struct forward *f, size_t node, const struct addr *to,
		    enum arrival *states)
{
	const struct hop *hops[HOPS_MAX];
	char why[WHY_MAX];
	bool all = true;

	if (states[node] != UNKNOWN)
		return states[node] == ARRIVES;
	states[node] = UNDER_WAY;
	if (!owns(f, node, to)) {
		size_t n = find_hops(&f->nodes[node], to, hops, HOPS_MAX);

		all = n > 0;
		for (size_t i = 0; i < n && all; i++) {
			int next = follow(f, node, hops[i], to, why);

			all = next >= 0 &&
			      (owns(f, (size_t)next, to) || may_pass(f, (size_t)next, to, why)) &&
			      arrives(f, (size_t)next, to, states);
		}
	}
	states[node] = all ? ARRIVES : LOST;
	return all;
}

/* has[NODE]: it has an address of that family; reached[FROM * n + TO]. */
struct reach {
	const struct forward *f;
	sa_family_t family;
	bool *has, *reached;
	enum arrival *states;
};

static void reach_address(struct reach *r, const struct owned *o)
{
	size_t n = r->f->g->n_nodes;

	r->has[o->node] = true;
	if (is_cut_off(r->f, o))
		return;
	memset(r->states, 0, n * sizeof(*r->states));
	for (size_t i = 0; i < n; i++)
		if (r->f->nodes[i].is_there && arrives(r->f, i, &o->addr, r->states))
			r->reached[i * n + o->node] = true;
}

static void print_unreached(const struct reach *r, FILE *out)
{
	size_t n = r->f->g->n_nodes;

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			if (i != k && r->has[i] && r->has[k] && !r->reached[i * n + k])
				fprintf(out, "%s %s%s\n", r->f->g->nodes[i].name,
					r->f->g->nodes[k].name,
					r->family == AF_INET6 ? " ipv6" : "");
}

void forward_print_unreached(const struct forward *f, FILE *out)
{
	static const sa_family_t families[] = {AF_INET, AF_INET6};
	size_t n = f->g->n_nodes + 1;

	for (size_t i = 0; i < 2; i++) {
		struct reach r = {.f = f,
				  .family = families[i],
				  .has = xcalloc(n, sizeof(bool)),
				  .reached = xcalloc(n * n, sizeof(bool)),
				  .states = xcalloc(n, sizeof(enum arrival))};
		const struct owned *o;

		VEC_FOREACH (o, &f->owned)
			if (o->addr.family == r.family && !is_link_local(&o->addr) &&
			    !is_loopback(&o->addr))
				reach_address(&r, o);
		print_unreached(&r, out);
		free(r.has);
		free(r.reached);
		free(r.states);
	}
}
