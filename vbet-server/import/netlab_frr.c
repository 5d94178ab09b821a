/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The configuration of a router, as netlab's templates for FRR make it of the modules: OSPF and
 * IS-IS on all links but those between autonomous systems, passive where there are no neighbours;
 * BGP with the neighbour on each external link, and among loopbacks within an autonomous system.
 */
#include "lib/xalloc.h"
#include "vbet-server/import/command.h"
#include "vbet-server/import/frr.h"
#include "vbet-server/import/netlab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_SESSIONS = 50000 }; /* of a lab */

struct writer {
	const struct netlab *n;
	const struct netlab_node *node;
	const struct netlab_on *on;
	size_t n_on;
	FILE *out;
};

static const char *format(const struct addr *a, bool with_prefix, char buf[80])
{
	return addr_format(a, with_prefix, buf, 80);
}

static bool has_family(const struct writer *w, size_t f)
{
	bool has = w->node->has_loopback[f];

	for (size_t i = 0; i < w->n_on && !has; i++)
		has = w->on[i].end->has[f];
	return has;
}

/* "0" is 0.0.0.0: FRR takes both, and shows the latter. */
static const char *area_of(const struct writer *w, const struct netlab_on *on)
{
	const struct yaml_value *v =
		on ? netlab_link_property(on->link, on->end, "ospf.area") : NULL;

	return yaml_word(v ? v : netlab_property(w->n, w->node, "ospf.area"), "0.0.0.0");
}

static const char *instance_of(const struct writer *w)
{
	return yaml_word(netlab_property(w->n, w->node, "isis.instance"), "Gandalf");
}

/* ---- interfaces ---- */

/* A module may be switched off on a link ("ospf: false"). */
static bool runs_on(const struct writer *w, const struct netlab_on *on, unsigned module,
		    const char *name)
{
	const struct yaml_value *v = netlab_link_property(on->link, on->end, name);

	return (w->node->modules & module) && !on->link->is_external && (!v || netlab_is_on(v));
}

static void put_number(const struct writer *w, const struct netlab_on *on, const char *path,
		       const char *command)
{
	const char *text = yaml_word(netlab_link_property(on->link, on->end, path), NULL);

	if (text && strspn(text, "0123456789") == strlen(text))
		fprintf(w->out, " %s %s\n", command, text);
}

static void put_ospf_interface(const struct writer *w, const struct netlab_on *on, size_t f)
{
	static const char *const names[] = {"ip ospf", "ipv6 ospf6"};
	const char *p = names[f];
	bool is_passive = on->link->is_stub ||
			  netlab_is_on(netlab_link_property(on->link, on->end, "ospf.passive"));
	const char *type = yaml_word(netlab_link_property(on->link, on->end, "ospf.network_type"),
				     on->link->is_p2p ? "point-to-point" : NULL);

	fprintf(w->out, " %s area %s\n", p, area_of(w, on));
	if (type)
		fprintf(w->out, " %s network %s\n", p, type);
	put_number(w, on, "ospf.cost", f ? "ipv6 ospf6 cost" : "ip ospf cost");
	put_number(w, on, "ospf.priority", f ? "ipv6 ospf6 priority" : "ip ospf priority");
	put_number(w, on, "ospf.timers.hello",
		   f ? "ipv6 ospf6 hello-interval" : "ip ospf hello-interval");
	put_number(w, on, "ospf.timers.dead",
		   f ? "ipv6 ospf6 dead-interval" : "ip ospf dead-interval");
	if (is_passive)
		fprintf(w->out, " %s passive\n", p);
}

static void put_isis_interface(const struct writer *w, const struct netlab_on *on)
{
	static const char *const names[] = {"ip", "ipv6"};

	for (size_t f = 0; f < NETLAB_FAMILIES; f++)
		if (on->end->has[f])
			fprintf(w->out, " %s router isis %s\n", names[f], instance_of(w));
	if (on->link->is_p2p)
		fputs(" isis network point-to-point\n", w->out);
	put_number(w, on, "isis.metric", "isis metric");
	put_number(w, on, "isis.cost", "isis metric");
	if (on->link->is_stub ||
	    netlab_is_on(netlab_link_property(on->link, on->end, "isis.passive")))
		fputs(" isis passive\n", w->out);
}

static void put_interface(const struct writer *w, const struct netlab_on *on)
{
	bool has_ospf = runs_on(w, on, NETLAB_OSPF, "ospf");
	bool has_isis = runs_on(w, on, NETLAB_ISIS, "isis");

	if (!has_ospf && !has_isis)
		return;
	fprintf(w->out, "!\ninterface eth%zu\n", on->end->nic);
	for (size_t f = 0; f < NETLAB_FAMILIES; f++)
		if (has_ospf && on->end->has[f])
			put_ospf_interface(w, on, f);
	if (has_isis)
		put_isis_interface(w, on);
}

static void put_loopback(const struct writer *w)
{
	static const char *const names[] = {"ip", "ipv6"};
	static const char *const ospf[] = {"ip ospf", "ipv6 ospf6"};
	char buf[80];

	if (!w->node->has_loopback[NETLAB_V4] && !w->node->has_loopback[NETLAB_V6])
		return;
	fputs("!\ninterface lo\n", w->out);
	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		if (!w->node->has_loopback[f])
			continue;
		fprintf(w->out, " %s address %s\n", names[f],
			format(&w->node->loopback[f], true, buf));
		if (w->node->modules & NETLAB_OSPF)
			fprintf(w->out, " %s area %s\n", ospf[f], area_of(w, NULL));
		if (w->node->modules & NETLAB_ISIS)
			fprintf(w->out, " %s router isis %s\n", names[f], instance_of(w));
	}
	if (w->node->modules & NETLAB_ISIS)
		fputs(" isis passive\n", w->out);
}

/* ---- OSPF and IS-IS ---- */

/* The loopback, or the first address that there is; without any, the id. */
static const char *router_id(const struct writer *w, const char *path, char buf[80])
{
	const char *own = yaml_word(netlab_get(w->node->own, path), NULL);

	if (own)
		return own;
	if (w->node->has_loopback[NETLAB_V4])
		return format(&w->node->loopback[NETLAB_V4], false, buf);
	snprintf(buf, 80, "10.0.%u.%u", w->node->id / 256 % 256, w->node->id % 256);
	return buf;
}

static void put_ospf(const struct writer *w)
{
	const char *bandwidth =
		yaml_word(netlab_property(w->n, w->node, "ospf.reference_bandwidth"), NULL);
	bool has_default = netlab_is_on(netlab_property(w->n, w->node, "ospf.default"));
	char buf[80];

	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		if (!has_family(w, f))
			continue;
		fprintf(w->out, "!\nrouter ospf%s\n %srouter-id %s\n", f ? "6" : "",
			f ? "ospf6 " : "ospf ", router_id(w, "ospf.router_id", buf));
		if (bandwidth && strspn(bandwidth, "0123456789") == strlen(bandwidth))
			fprintf(w->out, " auto-cost reference-bandwidth %s\n", bandwidth);
		if (has_default)
			fprintf(w->out, " default-information originate%s\n",
				netlab_is_on(netlab_property(w->n, w->node, "ospf.default.always"))
					? " always"
					: "");
	}
}

static void put_isis(const struct writer *w)
{
	const char *type = yaml_word(netlab_property(w->n, w->node, "isis.type"), "level-2");
	const char *area = yaml_word(netlab_property(w->n, w->node, "isis.area"), "49.0001");

	fprintf(w->out,
		"!\nrouter isis %s\n net %s.0000.0000.%04u.00\n is-type %s\n metric-style wide\n",
		instance_of(w), area, w->node->id % 10000,
		!strcmp(type, "level-2") ? "level-2-only" : type);
	if (has_family(w, NETLAB_V6))
		fputs(" topology ipv6-unicast\n", w->out);
}

/* ---- BGP ---- */

struct session {
	const struct netlab_node *to;
	const struct addr *addr;
	bool is_external;
};

struct sessions {
	VEC(struct session) of[NETLAB_FAMILIES];
};

/* One more of the lab's: false if that is too much. */
static bool spend(const struct writer *w, size_t *left)
{
	w->n->m->full = w->n->m->full || !*left;
	*left -= *left > 0;
	return !w->n->m->full;
}

static void find_external(const struct writer *w, struct sessions *s, size_t *left)
{
	for (size_t i = 0; i < w->n_on; i++) {
		const struct netlab_link *l = w->on[i].link;

		for (size_t k = 0; k < l->ends.n; k++) {
			const struct netlab_end *end = &l->ends.at[k];
			const struct netlab_node *to = &w->n->nodes.at[end->node];

			for (size_t f = 0; f < NETLAB_FAMILIES; f++)
				if (to->as && to->as != w->node->as && end->has[f] &&
				    w->on[i].end->has[f] && spend(w, left))
					vec_push(&s->of[f],
						 ((struct session){to, &end->addr[f], true}));
		}
	}
}

/* All of the same system; with reflectors, only to and from these. */
static void find_internal(const struct writer *w, struct sessions *s, size_t *left)
{
	bool has_reflector = false;

	for (size_t i = 0; i < w->n->nodes.n; i++)
		has_reflector |=
			w->n->nodes.at[i].as == w->node->as && w->n->nodes.at[i].is_reflector;
	for (size_t i = 0; i < w->n->nodes.n; i++) {
		const struct netlab_node *to = &w->n->nodes.at[i];

		if (to == w->node || to->as != w->node->as ||
		    (has_reflector && !w->node->is_reflector && !to->is_reflector))
			continue;
		if (!spend(w, left))
			return;
		for (size_t f = 0; f < NETLAB_FAMILIES; f++)
			if (to->has_loopback[f] && w->node->has_loopback[f])
				vec_push(&s->of[f],
					 ((struct session){to, &to->loopback[f], false}));
	}
}

static void put_neighbours(const struct writer *w, const struct sessions *s)
{
	char buf[80];

	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		for (size_t i = 0; i < s->of[f].n; i++) {
			const struct session *to = &s->of[f].at[i];
			const char *addr = format(to->addr, false, buf);

			fprintf(w->out, " neighbor %s remote-as %u\n", addr, to->to->as);
			fprintf(w->out, " neighbor %s description %s\n", addr,
				w->n->m->nodes.at[to->to - w->n->nodes.at].was);
			if (!to->is_external)
				fprintf(w->out, " neighbor %s update-source lo\n", addr);
		}
	}
}

static void put_networks(const struct writer *w, size_t f)
{
	const struct yaml_value *own = netlab_get(w->node->own, "bgp.originate");
	const struct yaml_value *loopback =
		netlab_property(w->n, w->node, "bgp.advertise_loopback");
	char buf[80];

	if (w->node->has_loopback[f] && (!loopback || netlab_is_on(loopback))) {
		struct addr net = addr_network(&w->node->loopback[f]);

		fprintf(w->out, "  network %s\n", format(&net, true, buf));
	}
	for (size_t i = 0; i < w->n_on; i++) {
		const struct netlab_on *on = &w->on[i];
		const struct yaml_value *v =
			netlab_link_property(on->link, on->end, "bgp.advertise");
		struct addr net = addr_network(&on->end->addr[f]);

		if (on->end->has[f] && (v ? netlab_is_on(v) : on->link->is_stub))
			fprintf(w->out, "  network %s\n", format(&net, true, buf));
	}
	for (size_t i = 0; own && own->kind == YAML_LIST && i < own->n && f == NETLAB_V4; i++) {
		const char *text = yaml_word(own->items[i].value, NULL);

		if (text)
			fprintf(w->out, "  network %s\n", text);
	}
}

static void put_family(const struct writer *w, const struct sessions *s, size_t f)
{
	static const char *const names[] = {"ipv4", "ipv6"};
	char buf[80];

	if (!has_family(w, f))
		return;
	fprintf(w->out, " address-family %s unicast\n", names[f]);
	put_networks(w, f);
	for (size_t i = 0; i < s->of[f].n; i++) {
		const struct session *to = &s->of[f].at[i];
		const char *addr = format(to->addr, false, buf);

		fprintf(w->out, "  neighbor %s activate\n", addr);
		if (!to->is_external)
			fprintf(w->out, "  neighbor %s next-hop-self\n", addr);
		if (!to->is_external && w->node->is_reflector && !to->to->is_reflector)
			fprintf(w->out, "  neighbor %s route-reflector-client\n", addr);
	}
	fputs(" exit-address-family\n", w->out);
}

static void put_bgp(const struct writer *w, size_t *left)
{
	const struct yaml_value *own = netlab_get(w->node->own, "bgp.originate");
	struct sessions s = {0};
	char buf[80];

	find_external(w, &s, left);
	find_internal(w, &s, left);
	fprintf(w->out,
		"!\nrouter bgp %u\n bgp router-id %s\n no bgp ebgp-requires-policy\n"
		" no bgp default ipv4-unicast\n bgp bestpath as-path multipath-relax\n",
		w->node->as, router_id(w, "bgp.router_id", buf));
	put_neighbours(w, &s);
	for (size_t f = 0; f < NETLAB_FAMILIES; f++)
		put_family(w, &s, f);
	for (size_t i = 0; own && own->kind == YAML_LIST && i < own->n; i++) {
		const char *text = yaml_word(own->items[i].value, NULL);

		fprintf(w->out, "%s", i ? "" : "!\n");
		if (text)
			fprintf(w->out, "ip route %s Null0\n", text);
	}
	for (size_t f = 0; f < NETLAB_FAMILIES; f++)
		vec_free(&s.of[f]);
}

/* ---- the whole ---- */

static char *make_config(const struct writer *base, const struct netlab_routes *routes,
			 size_t *left)
{
	struct writer w = *base;
	char *text = NULL;
	size_t len;

	w.out = xmemstream(&text, &len);
	fputs("frr defaults traditional\n", w.out);
	put_loopback(&w);
	for (size_t i = 0; i < w.n_on; i++)
		put_interface(&w, &w.on[i]);
	if (w.node->modules & NETLAB_OSPF)
		put_ospf(&w);
	if (w.node->modules & NETLAB_ISIS)
		put_isis(&w);
	if (w.node->as)
		put_bgp(&w, left);
	netlab_put_routes(routes, w.out);
	fclose(w.out);
	return text;
}

static void add_loopback_commands(struct netlab *n, size_t place)
{
	char buf[80];

	for (size_t f = 0; f < NETLAB_FAMILIES; f++)
		if (n->nodes.at[place].has_loopback[f])
			command_add(
				n->m, place,
				arena_printf(&n->m->arena, "ip address add %s dev lo",
					     format(&n->nodes.at[place].loopback[f], true, buf)));
}

static void add_config(struct netlab *n, size_t place, const struct netlab_on *on, size_t n_on,
		       size_t *left)
{
	struct writer w = {.n = n, .node = &n->nodes.at[place], .on = on, .n_on = n_on};
	struct netlab_routes routes = {.at = {0}};

	if (n->m->full)
		return;
	netlab_find_routes(n, place, on, n_on, &routes);
	if (w.node->is_host || !w.node->modules) {
		add_loopback_commands(n, place);
		netlab_add_routes(n, place, &routes);
	} else {
		char *text = make_config(&w, &routes, left);

		frr_add_config(n->m, place, text);
		free(text);
	}
	vec_free(&routes.at);
}

void netlab_add_configs(struct netlab *n)
{
	struct {
		VEC(struct netlab_on) on;
	} *of = xcalloc(n->nodes.n + 1, sizeof(*of));
	size_t left = MAX_SESSIONS;

	for (size_t i = 0; i < n->links.n; i++) {
		const struct netlab_link *l = &n->links.at[i];

		for (size_t k = 0; k < l->ends.n; k++)
			vec_push(&of[l->ends.at[k].node].on,
				 ((struct netlab_on){l, &l->ends.at[k]}));
	}
	for (size_t i = 0; i < n->nodes.n; i++) {
		add_config(n, i, of[i].on.at, of[i].on.n, &left);
		vec_free(&of[i].on);
	}
	free(of);
}
