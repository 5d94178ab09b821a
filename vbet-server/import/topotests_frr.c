/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a router of a topotest is configured with: one frr.conf of what the JSON says. */
#include "lib/xalloc.h"
#include "vbet-server/import/command.h"
#include "vbet-server/import/frr.h"
#include "vbet-server/import/topotests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LINES = 100000 };

struct writer {
	struct topotests *t;
	struct topotests_router *r;
	FILE *out;
};

static const char *word_at(const struct yaml_value *v, const char *key)
{
	return yaml_word(yaml_get(v, key), NULL);
}

/* One more line of what the file repeats: false, and the model is full, if it is too much. */
static bool spend(const struct writer *w)
{
	w->t->m->full = w->t->m->full || ++w->t->lines > MAX_LINES;
	return !w->t->m->full;
}

static void note_keys(const struct writer *w, const struct yaml_value *v, const char *const *known,
		      size_t n, const char *of)
{
	for (size_t i = 0; v && v->kind == YAML_MAP && i < v->n && spend(w); i++) {
		bool is_known = false;

		for (size_t k = 0; k < n; k++)
			is_known |= !strcmp(v->items[i].key, known[k]);
		if (!is_known)
			model_note(w->t->m, w->r->name, "%.64s%s%s", v->items[i].key,
				   *of ? " of " : "", of);
	}
}

/* ---- interfaces ---- */

static const char *const protocols[] = {"ospf", "ospf6"};

static const char *area_of(const struct writer *w, const struct topotests_link *l, size_t f)
{
	const struct yaml_value *own = yaml_get(w->r->own, protocols[f]);
	const char *area = word_at(yaml_get(l->v, protocols[f]), "area");

	return area ? area : word_at(yaml_get(yaml_get(own, "neighbors"), l->key), "area");
}

static bool has_ospf(const struct writer *w, const struct topotests_link *l, size_t f)
{
	return yaml_get(w->r->own, protocols[f]) &&
	       (yaml_get(l->v, protocols[f]) || area_of(w, l, f));
}

static void put_ospf_interface(const struct writer *w, const struct topotests_link *l, size_t f)
{
	static const char *const commands[] = {"ip ospf", "ipv6 ospf6"};
	static const struct {
		const char *key, *command;
	} lines[] = {{"hello_interval", "hello-interval"},
		     {"dead_interval", "dead-interval"},
		     {"network", "network"},
		     {"priority", "priority"},
		     {"cost", "cost"}};
	static const char *const known[] = {"area",    "hello_interval", "dead_interval",
					    "network", "priority",       "cost"};
	const struct yaml_value *v = yaml_get(l->v, protocols[f]);

	if (area_of(w, l, f))
		fprintf(w->out, " %s area %s\n", commands[f], area_of(w, l, f));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		if (word_at(v, lines[i].key))
			fprintf(w->out, " %s %s %s\n", commands[f], lines[i].command,
				word_at(v, lines[i].key));
	note_keys(w, v, known, ARRAY_LEN(known), protocols[f]);
}

static void put_interface(const struct writer *w, const struct topotests_link *l)
{
	static const char *const known[] = {"ipv4", "ipv6",        "ospf",     "ospf6",
					    "type", "description", "dst_node", "interface"};
	char buf[80];

	note_keys(w, l->v, known, ARRAY_LEN(known), "links");
	if (!l->is_loopback && (!l->is_plugged || (!has_ospf(w, l, 0) && !has_ospf(w, l, 1))))
		return;
	if (l->is_loopback)
		fputs("!\ninterface lo\n", w->out);
	else
		fprintf(w->out, "!\ninterface eth%zu\n", l->nic);
	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++) {
		if (l->has[f] && l->is_loopback)
			fprintf(w->out, " %s address %s\n", f ? "ipv6" : "ip",
				addr_format(&l->addr[f], true, buf, sizeof(buf)));
		if (has_ospf(w, l, f))
			put_ospf_interface(w, l, f);
	}
}

/* ---- OSPF ---- */

static void put_redistribute(const struct writer *w, const struct yaml_value *v, const char *indent)
{
	const struct yaml_value *list = yaml_get(v, "redistribute");

	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n && spend(w); i++) {
		const struct yaml_value *item = list->items[i].value;

		if (word_at(item, "redist_type"))
			fprintf(w->out, "%sredistribute %s\n", indent,
				word_at(item, "redist_type"));
		if (yaml_get(item, "attribute") || yaml_get(item, "route_map"))
			model_note(w->t->m, w->r->name, "route maps of redistribution");
	}
}

static void put_ospf(const struct writer *w, const char *protocol)
{
	static const char *const known[] = {"router_id", "neighbors",     "redistribute",
					    "area",      "maximum-paths", "default-information"};
	const struct yaml_value *v = yaml_get(w->r->own, protocol);
	const struct yaml_value *areas = yaml_get(v, "area");
	const struct yaml_value *def = yaml_get(v, "default-information");

	if (!v)
		return;
	fprintf(w->out, "!\nrouter %s\n", protocol);
	if (word_at(v, "router_id"))
		fprintf(w->out, " %s router-id %s\n", protocol, word_at(v, "router_id"));
	if (word_at(v, "maximum-paths"))
		fprintf(w->out, " maximum-paths %s\n", word_at(v, "maximum-paths"));
	put_redistribute(w, v, " ");
	for (size_t i = 0; areas && areas->kind == YAML_LIST && i < areas->n && spend(w); i++) {
		const char *id = word_at(areas->items[i].value, "id");
		const char *type = word_at(areas->items[i].value, "type");

		if (id && type)
			fprintf(w->out, " area %s %s\n", id, type);
	}
	if (yaml_get(def, "originate"))
		fprintf(w->out, " default-information originate%s\n",
			yaml_get(def, "always") ? " always" : "");
	note_keys(w, v, known, ARRAY_LEN(known), protocol);
}

/* ---- networks, also several in a row ---- */

static void put_networks(const struct writer *w, const struct yaml_value *item,
			 const char *count_key, bool is_route, const char *after)
{
	const struct yaml_value *v = yaml_get(item, "network");
	const char *count = word_at(item, count_key);
	unsigned long n = count ? strtoul(count, NULL, 10) : 1;
	char buf[80];

	for (size_t i = 0; v && i < (v->kind == YAML_LIST ? v->n : 1); i++) {
		const char *text = yaml_text(v->kind == YAML_LIST ? v->items[i].value : v);
		struct addr a;

		if (!text || addr_parse(text, strlen(text), &a, NULL) < 0)
			continue;
		if (a.prefix == ADDR_NO_PREFIX)
			a.prefix = addr_bits(&a);
		a = addr_network(&a);
		for (unsigned long k = 0; k < n && spend(w); k++) {
			fprintf(w->out, "%s%s%s%s\n",
				is_route ? (addr_bits(&a) > 32 ? "ipv6" : "ip") : "",
				is_route ? " route " : "  network ",
				addr_format(&a, true, buf, sizeof(buf)), after);
			if (addr_add_shifted(&a, 1, addr_bits(&a) - a.prefix) < 0)
				break;
		}
	}
}

static void put_static_routes(const struct writer *w)
{
	static const char *const known[] = {"network", "next_hop", "no_of_ip", "admin_distance",
					    "tag"};
	const struct yaml_value *list = yaml_get(w->r->own, "static_routes");

	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n && spend(w); i++) {
		const struct yaml_value *item = list->items[i].value;
		const char *via = word_at(item, "next_hop");
		const char *tag = word_at(item, "tag");
		const char *distance = word_at(item, "admin_distance");
		const char *after = arena_printf(
			&w->t->m->arena, " %s%s%s%s%s", via ? via : "Null0", tag ? " tag " : "",
			tag ? tag : "", distance ? " " : "", distance ? distance : "");

		fputs(i ? "" : "!\n", w->out);
		put_networks(w, item, "no_of_ip", true, after);
		note_keys(w, item, known, ARRAY_LEN(known), "static routes");
	}
}

/* ---- BGP ---- */

struct peer {
	const char *as;
	char addr[80];
	bool is_internal;
	const struct yaml_value *v; /* what is said of it */
};

static const struct yaml_value *bgp_of(const struct topotests_router *r)
{
	const struct yaml_value *v = yaml_get(r->own, "bgp");

	/* One instance may be a list, too. */
	return v && v->kind == YAML_LIST && v->n ? v->items[0].value : v;
}

static void put_peer(const struct writer *w, const struct peer *p)
{
	const char *source = word_at(p->v, "source_link");
	const char *keepalive = word_at(p->v, "keepalivetimer");
	const char *hold = word_at(p->v, "holddowntimer");
	const struct topotests_link *l = source ? topotests_find_link(w->r, source) : NULL;

	fprintf(w->out, " neighbor %s remote-as %s\n", p->addr, p->as);
	if (l && l->is_loopback)
		fprintf(w->out, " neighbor %s update-source lo\n", p->addr);
	else if (l)
		fprintf(w->out, " neighbor %s update-source eth%zu\n", p->addr, l->nic);
	if (keepalive && hold)
		fprintf(w->out, " neighbor %s timers %s %s\n", p->addr, keepalive, hold);
	if (word_at(p->v, "ebgp_multihop"))
		fprintf(w->out, " neighbor %s ebgp-multihop %s\n", p->addr,
			word_at(p->v, "ebgp_multihop"));
}

static void put_peer_in_family(const struct writer *w, const struct peer *p)
{
	static const char *const known[] = {
		"source_link",   "keepalivetimer",         "holddowntimer", "ebgp_multihop",
		"next_hop_self", "route_reflector_client", "activate"};

	fprintf(w->out, "  neighbor %s activate\n", p->addr);
	if (yaml_get(p->v, "next_hop_self"))
		fprintf(w->out, "  neighbor %s next-hop-self\n", p->addr);
	if (yaml_get(p->v, "route_reflector_client"))
		fprintf(w->out, "  neighbor %s route-reflector-client\n", p->addr);
	note_keys(w, p->v, known, ARRAY_LEN(known), "neighbors");
}

/* The address of the neighbour on that link of its own: "r2": {"dest_link": {"r1": {...}}}. */
static void each_peer(const struct writer *w, const struct yaml_value *family, size_t f,
		      void (*fn)(const struct writer *w, const struct peer *p))
{
	const struct yaml_value *list = yaml_get(family, "neighbor");

	for (size_t i = 0; list && list->kind == YAML_MAP && i < list->n && spend(w); i++) {
		long place = model_find_node(w->t->m, list->items[i].key);
		bool is_router = place >= 0 && (size_t)place < w->t->routers.n;
		struct topotests_router *to = is_router ? &w->t->routers.at[place] : NULL;
		const struct yaml_value *links = yaml_get(list->items[i].value, "dest_link");
		struct peer p = {.as = to ? word_at(bgp_of(to), "local_as") : NULL};

		for (size_t k = 0; links && links->kind == YAML_MAP && k < links->n && spend(w);
		     k++) {
			const struct topotests_link *l =
				to ? topotests_find_link(to, links->items[k].key) : NULL;

			p.v = links->items[k].value;
			if (!l || !p.as || !l->has[f]) {
				model_note(w->t->m, w->r->name,
					   "neighbor %.64s: it has no such link",
					   list->items[i].key);
				continue;
			}
			addr_format(&l->addr[f], false, p.addr, sizeof(p.addr));
			fn(w, &p);
		}
	}
}

static void put_family(const struct writer *w, const struct yaml_value *v, const char *name,
		       size_t f)
{
	static const char *const known[] = {"neighbor", "redistribute", "advertise_networks"};
	const struct yaml_value *list = yaml_get(v, "advertise_networks");

	if (!v)
		return;
	fprintf(w->out, " address-family %s unicast\n", name);
	put_redistribute(w, v, "  ");
	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n && spend(w); i++)
		put_networks(w, list->items[i].value, "no_of_network", false, "");
	each_peer(w, v, f, put_peer_in_family);
	fputs(" exit-address-family\n", w->out);
	note_keys(w, v, known, ARRAY_LEN(known), name);
}

static void put_bgp(const struct writer *w)
{
	static const char *const known[] = {"local_as", "router_id", "address_family",
					    "default_ipv4_unicast"};
	static const char *const families[] = {"ipv4", "ipv6"};
	const struct yaml_value *v = bgp_of(w->r);
	const char *as = word_at(v, "local_as");

	if (!v)
		return;
	if (!as) {
		model_note(w->t->m, w->r->name, "bgp without local_as");
		return;
	}
	fprintf(w->out,
		"!\nrouter bgp %s\n no bgp ebgp-requires-policy\n no bgp network import-check\n"
		" no bgp default ipv4-unicast\n",
		as);
	if (word_at(v, "router_id"))
		fprintf(w->out, " bgp router-id %s\n", word_at(v, "router_id"));
	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++)
		each_peer(w,
			  yaml_get(yaml_get(yaml_get(v, "address_family"), families[f]), "unicast"),
			  f, put_peer);
	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++)
		put_family(
			w,
			yaml_get(yaml_get(yaml_get(v, "address_family"), families[f]), "unicast"),
			families[f], f);
	note_keys(w, v, known, ARRAY_LEN(known), "bgp");
}

/* ---- the whole ---- */

static void add_config(struct topotests *t, size_t place)
{
	static const char *const known[] = {"links", "ospf", "ospf6", "bgp", "static_routes"};
	struct writer w = {.t = t, .r = &t->routers.at[place]};
	char *text = NULL;
	size_t len;

	w.out = xmemstream(&text, &len);
	fputs("frr defaults traditional\n", w.out);
	for (size_t i = 0; i < w.r->links.n; i++)
		put_interface(&w, &w.r->links.at[i]);
	put_static_routes(&w);
	put_ospf(&w, "ospf");
	put_ospf(&w, "ospf6");
	put_bgp(&w);
	note_keys(&w, w.r->own, known, ARRAY_LEN(known), "");
	fclose(w.out);
	frr_add_config(t->m, place, text);
	free(text);
}

void topotests_add_configs(struct topotests *t)
{
	for (size_t i = 0; i < t->routers.n && !t->m->full; i++)
		add_config(t, i);
}
