/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The static routes of a node (netlab.tools, "Generic Routing: Static Routes"): a list of its own
 * or of one of its groups, whose items may include lists of the topology by name. A destination is
 * a prefix, the name of one, a pool, or the loopback of a node; a next hop an address, a node,
 * which is the neighbour's address or else its loopback, a list of these, or nothing at all.
 */
#include "vbet-server/import/command.h"
#include "vbet-server/import/netlab.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_DEPTH = 3 }; /* of lists in lists */

struct reader {
	struct netlab *n;
	const struct netlab_node *node;
	const struct netlab_on *on;
	size_t n_on;
	struct netlab_routes *out;
};

/* What is not carried over, once for each node. */
static void note(const struct reader *r, const char *what)
{
	model_note(r->n->m, r->node->name, "routing.static: %.64s", what);
}

/* ---- destinations ---- */

static bool net_of_node(const struct reader *r, const char *name, size_t f, struct addr *out)
{
	long place = model_find_node(r->n->m, name);

	if (place < 0 || !r->n->nodes.at[place].has_loopback[f])
		return false;
	*out = r->n->nodes.at[place].loopback[f];
	return true;
}

static bool net_of_pool(const struct reader *r, const char *name, size_t f, struct addr *out)
{
	const struct netlab_pool *p = netlab_find_pool(r->n, name);

	if (!p || !p->has[f])
		return false;
	*out = p->net[f];
	return true;
}

/* "10.0.0.0/8", a map of families, or the name of either among those of the topology. */
static bool net_of_prefix(const struct reader *r, const struct yaml_value *v, size_t f,
			  struct addr *out)
{
	const char *text = yaml_text(v);

	if (text && !strchr(text, '/')) {
		v = yaml_get(netlab_get(r->n->top, "prefix"), text);
		text = v ? yaml_text(v) : NULL;
	}
	return netlab_parse_net(text ? text : netlab_text(v, netlab_families[f]), f, out);
}

static bool find_net(const struct reader *r, const struct yaml_value *item, size_t f,
		     struct addr *out)
{
	const struct yaml_value *prefix = netlab_get(item, "prefix");
	const char *own = netlab_text(item, netlab_families[f]);
	const char *node = netlab_text(item, "node");
	const char *pool = netlab_text(item, "pool");

	if (own)
		return netlab_parse_net(own, f, out);
	if (prefix)
		return net_of_prefix(r, prefix, f, out);
	if (node)
		return net_of_node(r, node, f, out);
	return pool && net_of_pool(r, pool, f, out);
}

/* ---- next hops ---- */

/* The address of a neighbour on a link that both are on. */
static const struct addr *find_neighbour(const struct reader *r, size_t to, size_t f)
{
	for (size_t i = 0; i < r->n_on; i++) {
		const struct netlab_link *l = r->on[i].link;

		for (size_t k = 0; k < l->ends.n && r->on[i].end->has[f]; k++)
			if (l->ends.at[k].node == to && l->ends.at[k].has[f])
				return &l->ends.at[k].addr[f];
	}
	return NULL;
}

static bool is_reached(const struct reader *r, const struct addr *via, size_t f)
{
	for (size_t i = 0; i < r->n_on; i++)
		if (r->on[i].end->has[f] && addr_in_net(via, &r->on[i].end->addr[f]))
			return true;
	return false;
}

static void add_via(const struct reader *r, struct netlab_route *route, const struct addr *via)
{
	size_t f = route->net.family == AF_INET6;

	if (route->n_via == ARRAY_LEN(route->via)) {
		note(r, "more next hops");
		return;
	}
	route->is_far |= !is_reached(r, via, f);
	route->via[route->n_via++] = *via;
}

/* False: it says nothing of this family. */
static bool read_next_hop(const struct reader *r, const struct yaml_value *v,
			  struct netlab_route *route)
{
	size_t f = route->net.family == AF_INET6;
	const char *own = netlab_text(v, netlab_families[f]);
	const char *name = netlab_text(v, "node");
	long to = name ? model_find_node(r->n->m, name) : -1;
	struct addr via;

	if (own && addr_parse(own, strlen(own), &via, NULL) == 0 &&
	    via.family == route->net.family) {
		add_via(r, route, &via);
		return true;
	}
	if (to < 0 || own)
		return false;
	const struct addr *found = find_neighbour(r, (size_t)to, f);
	const struct netlab_node *node = &r->n->nodes.at[to];

	/* Not the way to itself. */
	if (!found && node->has_loopback[f] && !addr_in_net(&node->loopback[f], &route->net))
		found = &node->loopback[f];
	if (found)
		add_via(r, route, found);
	return found != NULL;
}

static bool read_next_hops(const struct reader *r, const struct yaml_value *v,
			   struct netlab_route *route)
{
	const struct yaml_value *list = netlab_get(v, "list");
	bool any = false;

	if (netlab_is_on(netlab_get(v, "discard")))
		return true;
	if (!list || list->kind != YAML_LIST)
		return read_next_hop(r, v, route);
	for (size_t i = 0; i < list->n && netlab_step(r->n); i++)
		any |= read_next_hop(r, list->items[i].value, route);
	return any;
}

/* ---- the lists ---- */

static void read_route(const struct reader *r, const struct yaml_value *item)
{
	const struct yaml_value *to = netlab_get(item, "nexthop");
	bool any = false;

	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		struct netlab_route route = {.n_via = 0};

		if (!find_net(r, item, f, &route.net))
			continue;
		route.net = addr_network(&route.net);
		if (!read_next_hops(r, to, &route))
			continue;
		any = true;
		vec_push(&r->out->at, route);
	}
	if (!any)
		note(r, "a destination or next hop of another kind");
	if (netlab_get(item, "vrf") || netlab_get(to, "vrf") || netlab_get(to, "intf"))
		note(r, "vrf, intf");
}

static void read_routes(const struct reader *r, const struct yaml_value *list, unsigned depth)
{
	const struct yaml_value *named = netlab_get(r->n->top, "routing.static");

	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n && netlab_step(r->n);
	     i++) {
		const struct yaml_value *item = netlab_undot(r->n, list->items[i].value, false);
		const char *name = netlab_text(item, "include");

		if (!name)
			read_route(r, item);
		else if (depth < MAX_DEPTH && yaml_get(named, name))
			read_routes(r, yaml_get(named, name), depth + 1);
		else
			note(r, "include");
	}
}

void netlab_find_routes(struct netlab *n, size_t place, const struct netlab_on *on, size_t n_on,
			struct netlab_routes *out)
{
	const struct netlab_node *node = &n->nodes.at[place];
	const struct reader r = {n, node, on, n_on, out};

	read_routes(&r, netlab_property(n, node, "routing.static"), 0);
}

/* ---- what becomes of them ---- */

void netlab_put_routes(const struct netlab_routes *routes, FILE *out)
{
	const struct netlab_route *r;
	char net[80];
	char via[80];

	if (routes->at.n)
		fputs("!\n", out);
	VEC_FOREACH (r, &routes->at) {
		const char *ip = r->net.family == AF_INET6 ? "ipv6" : "ip";

		addr_format(&r->net, true, net, sizeof(net));
		if (!r->n_via)
			fprintf(out, "%s route %s blackhole\n", ip, net);
		for (size_t i = 0; i < r->n_via; i++)
			fprintf(out, "%s route %s %s\n", ip, net,
				addr_format(&r->via[i], false, via, sizeof(via)));
	}
}

static void add_command(struct netlab *n, size_t place, const struct netlab_route *r)
{
	struct arena *a = &n->m->arena;
	char buf[80];
	const char *ip = r->net.family == AF_INET6 ? "ip -6" : "ip";
	const char *net = arena_printf(a, "%s", addr_format(&r->net, true, buf, sizeof(buf)));
	const char *text =
		arena_printf(a, "%s route replace %s%s", ip, r->n_via ? "" : "blackhole ", net);

	for (size_t i = 0; i < r->n_via; i++)
		text = arena_printf(a, "%s%s via %s", text, r->n_via > 1 ? " nexthop" : "",
				    addr_format(&r->via[i], false, buf, sizeof(buf)));
	command_add(n->m, place, text);
}

void netlab_add_routes(struct netlab *n, size_t place, const struct netlab_routes *routes)
{
	const struct netlab_route *r;

	VEC_FOREACH (r, &routes->at) {
		if (r->is_far)
			model_note(n->m, n->nodes.at[place].name,
				   "routing.static: a next hop that is no neighbour's, of a node "
				   "without FRR");
		else
			add_command(n, place, r);
	}
}
