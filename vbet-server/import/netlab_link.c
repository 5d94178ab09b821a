/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Links: "a-b", "[a, b, c]", a map of nodes and attributes, a map with a list of interfaces, or a
 * group of these. Two routers make a point-to-point link; anything else is a LAN, with a switch
 * unless it has two ends. Addresses come out of pools in the order of the links: of a
 * point-to-point link .1 and .2, of a LAN the ids of the nodes.
 */
#include "lib/xalloc.h"
#include "vbet-server/import/command.h"
#include "vbet-server/import/netlab.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_DEPTH = 4, MAX_ENDS = 256 };

const struct yaml_value *netlab_link_property(const struct netlab_link *l,
					      const struct netlab_end *end, const char *path)
{
	const struct yaml_value *v = end ? netlab_get(end->more, path) : NULL;

	v = v ? v : netlab_get(l->value, path);
	return v ? v : netlab_get(l->group, path);
}

/* ---- pools ---- */

struct netlab_pool *netlab_find_pool(struct netlab *n, const char *name)
{
	for (size_t i = 0; i < n->pools.n; i++)
		if (!strcmp(n->pools.at[i].name, name))
			return &n->pools.at[i];
	return NULL;
}

static const struct yaml_value *pool_value(struct netlab *n, const char *name, const char *key)
{
	return netlab_get(n->top, arena_printf(&n->m->arena, "addressing.%s.%s", name, key));
}

static bool is_true(const char *text)
{
	return text && (!strcmp(text, "true") || !strcmp(text, "True"));
}

static int set_pool(struct netlab *n, struct netlab_pool *p)
{
	static const char *const sizes[] = {"prefix", "prefix6"};

	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		const struct yaml_value *net = pool_value(n, p->name, netlab_families[f]);
		const struct yaml_value *size = pool_value(n, p->name, sizes[f]);

		if (net && is_true(yaml_text(net)))
			model_note(n->m, NULL, "unnumbered links: here they have addresses");
		else if (net)
			p->has[f] = netlab_parse_net(yaml_text(net), f, &p->net[f]);
		if (net && netlab_is_on(net) && !is_true(yaml_text(net)) && !p->has[f])
			model_note(n->m, NULL, "addressing.%.64s.%s: no prefix, so no addresses",
				   p->name, netlab_families[f]);
		if (size && yaml_text(size))
			p->size[f] = (unsigned)strtoul(yaml_text(size), NULL, 10);
		else if (!p->size[f])
			p->size[f] = f ? 64 : 24;
		if (p->has[f] && (p->size[f] < p->net[f].prefix || p->size[f] > (f ? 128 : 32)))
			return yaml_wrong(n->e, n->m->file, net ? net : n->top,
					  "the prefixes of a pool are parts of it, such as %s",
					  f ? "64" : "24");
	}
	return 0;
}

static int read_pools(struct netlab *n)
{
	static const struct {
		const char *name, *net;
		unsigned size;
	} defaults[] = {
		{"loopback", "10.0.0.0/24", 32},
		{"lan", "172.16.0.0/16", 24},
		{"p2p", "10.1.0.0/16", 30},
		{"l2only", NULL, 24},
	};
	const struct yaml_value *all = netlab_get(n->top, "addressing");

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		struct netlab_pool *p = vec_add(&n->pools);

		p->name = defaults[i].name;
		p->size[NETLAB_V4] = defaults[i].size;
		p->has[NETLAB_V4] =
			netlab_parse_net(defaults[i].net, NETLAB_V4, &p->net[NETLAB_V4]);
		if (set_pool(n, p) < 0)
			return -1;
	}
	for (size_t i = 0; all && all->kind == YAML_MAP && i < all->n && i < 100; i++) {
		const char *key = all->items[i].key;
		const char *name = arena_strndup(&n->m->arena, key, strcspn(key, "."));
		bool is_known = netlab_find_pool(n, name) || !strcmp(name, "mgmt") ||
				!strcmp(name, "router_id") || !strcmp(name, "vrf_loopback");

		if (is_known)
			continue;
		struct netlab_pool *p = vec_add(&n->pools);

		p->name = name;
		if (set_pool(n, p) < 0)
			return -1;
	}
	return 0;
}

/* The number-th network of a pool; false: it has not so many. */
static bool part_of(const struct netlab_pool *p, size_t f, uint64_t number, struct addr *out)
{
	unsigned bits = p->size[f] - p->net[f].prefix;

	*out = p->net[f];
	if (!p->has[f] || (bits < 64 && number >> bits) ||
	    addr_add_shifted(out, number, (f ? 128 : 32) - p->size[f]) < 0)
		return false;
	out->prefix = p->size[f];
	return true;
}

static void add_loopback(const struct netlab_pool *p, struct netlab_node *node, size_t f)
{
	static const char *const paths[] = {"loopback.ipv4", "loopback.ipv6"};
	const struct yaml_value *all = netlab_get(node->own, "loopback");
	const char *own = netlab_text(node->own, paths[f]);
	struct addr *a = &node->loopback[f];

	node->has_loopback[f] = netlab_parse_net(own, f, a);
	if (node->has_loopback[f] || (all && !netlab_is_on(all)))
		return;
	node->has_loopback[f] = part_of(p, f, node->id, a);
	/* Of a /64, the first address. */
	if (node->has_loopback[f] && p->size[f] < (f ? 128 : 32))
		addr_add(a, 1);
}

/* ---- ends ---- */

static int add_end(struct netlab *n, struct netlab_link *l, const char *name,
		   const struct yaml_value *at, const struct yaml_value *more)
{
	long place = model_find_node(n->m, name);
	struct netlab_end end = {.more = more};

	if (place < 0)
		return yaml_wrong(n->e, n->m->file, at, "there is no node '%.64s'", name);
	if (l->ends.n >= MAX_ENDS)
		return yaml_wrong(n->e, n->m->file, at, "a link has at most %d nodes", MAX_ENDS);
	for (size_t i = 0; i < l->ends.n; i++) {
		if (l->ends.at[i].node != (size_t)place)
			continue;
		model_note(n->m, name, "a link from a node to itself");
		return 0;
	}
	end.node = (size_t)place;
	end.nic = n->m->nodes.at[place].nics.n;
	if (!model_nic(n->m, end.node, end.nic))
		return yaml_wrong(n->e, n->m->file, at, "%.64s: a node has at most %d links", name,
				  IMPORT_MAX_NICS);
	l->routers += !n->nodes.at[place].is_host;
	vec_push(&l->ends, end);
	return 0;
}

/* Of "a-b - c", the node that the text begins with, and where the next one begins; NULL: none. */
static const char *next_name(struct netlab *n, const char **text)
{
	const char *start = *text + strspn(*text, " \t");

	/* Names may have a '-', so that every one is tried. */
	for (const char *p = start + strcspn(start, "-");; p += 1 + strcspn(p + 1, "-")) {
		size_t len = (size_t)(p - start);

		while (len && (start[len - 1] == ' ' || start[len - 1] == '\t'))
			len--;
		char *name = arena_strndup(&n->m->arena, start, len);

		*text = p + (*p == '-');
		if (model_find_node(n->m, name) >= 0)
			return name;
		if (!*p || len > 256)
			return NULL;
	}
}

static int read_pair(struct netlab *n, struct netlab_link *l, const struct yaml_value *v)
{
	const char *p = yaml_text(v);

	while (*p) {
		const char *name = next_name(n, &p);

		if (!name)
			return yaml_wrong(n->e, n->m->file, v,
					  "'%.64s' is not two nodes, such as r1-r2", yaml_text(v));
		if (add_end(n, l, name, v, NULL) < 0)
			return -1;
	}
	return 0;
}

static int read_interfaces(struct netlab *n, struct netlab_link *l, const struct yaml_value *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct yaml_value *item = v->items[i].value;
		const char *name = yaml_text(item) ? yaml_text(item) : netlab_text(item, "node");

		if (!name)
			return yaml_wrong(n->e, n->m->file, item, "an interface has a node");
		if (add_end(n, l, name, item, item) < 0)
			return -1;
	}
	return 0;
}

enum attribute { ATTRIBUTE_NONE, ATTRIBUTE_LOST, ATTRIBUTE_TAKEN };

/* Of which the part before a dot counts. */
static enum attribute find_attribute(const char *key)
{
	static const struct {
		const char *name;
		enum attribute is;
	} all[] = {
		{"ospf", ATTRIBUTE_TAKEN},  {"isis", ATTRIBUTE_TAKEN},
		{"bgp", ATTRIBUTE_TAKEN},   {"mtu", ATTRIBUTE_TAKEN},
		{"pool", ATTRIBUTE_TAKEN},  {"prefix", ATTRIBUTE_TAKEN},
		{"name", ATTRIBUTE_TAKEN},  {"role", ATTRIBUTE_TAKEN},
		{"type", ATTRIBUTE_TAKEN},  {"unnumbered", ATTRIBUTE_TAKEN},
		{"group", ATTRIBUTE_TAKEN}, {"interfaces", ATTRIBUTE_TAKEN},
		{"lag", ATTRIBUTE_LOST},    {"vlan", ATTRIBUTE_LOST},
		{"vrf", ATTRIBUTE_LOST},    {"evpn", ATTRIBUTE_LOST},
		{"mpls", ATTRIBUTE_LOST},   {"dhcp", ATTRIBUTE_LOST},
		{"bfd", ATTRIBUTE_LOST},    {"stp", ATTRIBUTE_LOST},
		{"eigrp", ATTRIBUTE_LOST},  {"gateway", ATTRIBUTE_LOST},
		{"ra", ATTRIBUTE_LOST},     {"libvirt", ATTRIBUTE_LOST},
		{"clab", ATTRIBUTE_LOST},   {"tc", ATTRIBUTE_LOST},
	};
	size_t len = strcspn(key, ".");

	for (size_t k = 0; k < ARRAY_LEN(all); k++)
		if (strlen(all[k].name) == len && !strncmp(all[k].name, key, len))
			return all[k].is;
	return ATTRIBUTE_NONE;
}

/* What is no node is an attribute. One that is not known, and has no value, is a mistyped node. */
static int read_map(struct netlab *n, struct netlab_link *l, const struct yaml_value *v)
{
	const struct yaml_value *interfaces = yaml_get(v, "interfaces");

	v = netlab_undot(n, v, true);
	if (interfaces && interfaces->kind == YAML_LIST && read_interfaces(n, l, interfaces) < 0)
		return -1;
	for (size_t i = 0; i < v->n; i++) {
		const char *key = v->items[i].key;
		const struct yaml_value *value = v->items[i].value;
		enum attribute is = find_attribute(key);

		if (model_find_node(n->m, key) >= 0) {
			if (add_end(n, l, key, value, value) < 0)
				return -1;
		} else if (is == ATTRIBUTE_NONE &&
			   (value->kind == YAML_NULL || value->kind == YAML_MAP)) {
			return yaml_wrong(
				n->e, n->m->file, value,
				"'%.64s' is no node, and no attribute of a link that is known",
				key);
		} else if (is != ATTRIBUTE_TAKEN) {
			model_note(n->m, NULL, "%.64s of links", key);
		}
	}
	return 0;
}

/* Of a bundle, the first cable: it carries what all of them would. */
static int read_bundle(struct netlab *n, struct netlab_link *l, const struct yaml_value *v)
{
	const struct yaml_value *members = netlab_get(v, "lag.members");

	if (!members || members->kind != YAML_LIST || !members->n || l->ends.n)
		return 0;
	const struct yaml_value *first = members->items[0].value;

	return yaml_text(first)           ? read_pair(n, l, first)
	       : first->kind == YAML_LIST ? read_interfaces(n, l, first)
	       : first->kind == YAML_MAP  ? read_map(n, l, first)
					  : 0;
}

static int read_list(struct netlab *n, const struct yaml_value *v, const struct yaml_value *group,
		     unsigned depth);

static int read_link(struct netlab *n, const struct yaml_value *v, const struct yaml_value *group,
		     unsigned depth)
{
	const struct yaml_value *members = yaml_get(v, "members");

	if (members && yaml_get(v, "group"))
		return read_list(n, members, v, depth + 1);
	if (!netlab_step(n))
		return 0;
	if (v->kind == YAML_MAP && v->n > NETLAB_MAX_KEYS)
		return yaml_wrong(n->e, n->m->file, v, "more than %d keys", NETLAB_MAX_KEYS);
	if (netlab_is_on(netlab_get(v, "disable")))
		return 0;
	struct netlab_link *l = vec_add(&n->links);

	l->value = v;
	l->group = group;
	if (yaml_text(v)           ? read_pair(n, l, v) < 0
	    : v->kind == YAML_LIST ? read_interfaces(n, l, v) < 0
				   : read_map(n, l, v) < 0 || read_bundle(n, l, v) < 0)
		return -1;
	return l->ends.n ? 0 : yaml_wrong(n->e, n->m->file, v, "the link has no nodes");
}

static int read_list(struct netlab *n, const struct yaml_value *v, const struct yaml_value *group,
		     unsigned depth)
{
	if (depth > MAX_DEPTH)
		return yaml_wrong(n->e, n->m->file, v,
				  "groups of links in groups of links: too deep");
	/* A map of lists is one list. */
	for (size_t i = 0; i < v->n && netlab_step(n); i++)
		if (v->kind == YAML_MAP ? read_list(n, v->items[i].value, group, depth + 1) < 0
					: read_link(n, v->items[i].value, group, depth) < 0)
			return -1;
	return 0;
}

/* ---- addresses ---- */

/* What the link says of its prefix: "10.0.0.0/24", or one for each family. */
static const char *own_prefix(const struct netlab_link *l, size_t f)
{
	static const char *const paths[] = {"prefix.ipv4", "prefix.ipv6"};
	const struct yaml_value *all = netlab_link_property(l, NULL, "prefix");
	const struct yaml_value *v = netlab_link_property(l, NULL, paths[f]);

	return v ? yaml_text(v) : all && f == NETLAB_V4 ? yaml_text(all) : NULL;
}

static bool is_unnumbered(struct netlab *n, const struct netlab_link *l, bool has_own,
			  const struct netlab_pool *pool)
{
	return netlab_is_on(netlab_link_property(l, NULL, "unnumbered")) ||
	       is_true(own_prefix(l, NETLAB_V4)) ||
	       (!has_own && pool && netlab_is_on(pool_value(n, pool->name, "unnumbered")));
}

static int take_from_pool(struct netlab *n, struct netlab_link *l, struct netlab_pool *pool)
{
	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		l->has[f] = part_of(pool, f, pool->next[f], &l->net[f]);
		if (pool->has[f] && !l->has[f])
			return yaml_wrong(n->e, n->m->file, l->value,
					  "the pool '%.64s' has no networks left", pool->name);
		pool->next[f]++;
	}
	return 0;
}

/* The network of a link: its own prefix, else the next one of its pool. */
static int choose_net(struct netlab *n, struct netlab_link *l)
{
	const struct yaml_value *all = netlab_link_property(l, NULL, "prefix");
	const struct yaml_value *name = netlab_link_property(l, NULL, "pool");
	const char *otherwise = l->is_p2p ? "p2p" : "lan";
	const char *pool_name = name && yaml_text(name) ? yaml_text(name) : otherwise;
	struct netlab_pool *pool = netlab_find_pool(n, pool_name);
	bool has_own = own_prefix(l, NETLAB_V4) || own_prefix(l, NETLAB_V6);

	if (all && !netlab_is_on(all))
		return 0;
	if (is_unnumbered(n, l, has_own, pool)) {
		model_note(n->m, NULL, "unnumbered links: here they have addresses");
		return take_from_pool(n, l, netlab_find_pool(n, otherwise));
	}
	if (!has_own)
		return pool ? take_from_pool(n, l, pool)
			    : yaml_wrong(n->e, n->m->file, name, "there is no pool '%.64s'",
					 pool_name);
	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		const char *text = own_prefix(l, f);

		l->has[f] = netlab_parse_net(text, f, &l->net[f]);
		if (text && !l->has[f])
			model_note(n->m, NULL, "prefix %.64s: no prefix, so no addresses", text);
	}
	return 0;
}

/* Is there an address for every id? */
static bool has_room(const struct netlab *n, const struct netlab_link *l, size_t f)
{
	unsigned bits = (f ? 128 : 32) - l->net[f].prefix;
	uint64_t size = bits < 2 ? 0 : bits > 32 ? UINT64_MAX : ((uint64_t)1 << bits) - 2;

	for (size_t i = 0; i < l->ends.n; i++)
		if (n->nodes.at[l->ends.at[i].node].id > size)
			return false;
	return true;
}

/* An end's own address: A, A/N, or the number of one in the link's network. */
static bool take_own(const struct netlab_link *l, struct netlab_end *end, size_t f,
		     const char *text)
{
	char *rest;
	long number = strtol(text, &rest, 10);

	if (!*rest && l->has[f]) {
		end->addr[f] = l->net[f];
		return addr_add(&end->addr[f], number) == 0 &&
		       addr_in_net(&end->addr[f], &l->net[f]);
	}
	if (addr_parse(text, strlen(text), &end->addr[f], NULL) < 0 ||
	    end->addr[f].family != (f ? AF_INET6 : AF_INET))
		return false;
	if (end->addr[f].prefix == ADDR_NO_PREFIX)
		end->addr[f].prefix = l->has[f] ? l->net[f].prefix : addr_bits(&end->addr[f]);
	return true;
}

static void choose_address(struct netlab *n, struct netlab_link *l, size_t i, size_t f, bool by_id)
{
	struct netlab_end *end = &l->ends.at[i];
	const struct yaml_value *own = netlab_get(end->more, netlab_families[f]);
	const char *text = own ? yaml_text(own) : NULL;
	char buf[80];

	if (text && netlab_is_on(own) && !is_true(text))
		end->has[f] = take_own(l, end, f, text);
	else if (!own && l->has[f]) {
		/* Of two addresses, the first one counts, too. */
		unsigned first = l->net[f].prefix + 1 >= (f ? 128u : 32u) ? 0 : 1;

		end->addr[f] = l->net[f];
		end->has[f] = addr_add(&end->addr[f], by_id ? n->nodes.at[end->node].id
							    : (int64_t)(i + first)) == 0 &&
			      addr_in_net(&end->addr[f], &l->net[f]);
	}
	if (!end->has[f])
		return;
	addr_format(&end->addr[f], true, buf, sizeof(buf));
	command_add(n->m, end->node,
		    arena_printf(&n->m->arena, "ip address add %s dev eth%zu", buf, end->nic));
}

static void set_gateways(struct netlab *n, struct netlab_link *l, size_t f)
{
	const struct netlab_end *router = NULL;
	char buf[80];

	for (size_t i = 0; i < l->ends.n && !router; i++)
		if (!n->nodes.at[l->ends.at[i].node].is_host && l->ends.at[i].has[f])
			router = &l->ends.at[i];
	for (size_t i = 0; router && i < l->ends.n; i++) {
		const struct netlab_end *end = &l->ends.at[i];

		if (!n->nodes.at[end->node].is_host || end->nic)
			continue;
		addr_format(&router->addr[f], false, buf, sizeof(buf));
		command_add(n->m, end->node,
			    arena_printf(&n->m->arena, "ip route add default via %s", buf));
	}
}

/* ---- one link ---- */

static void add_cables(struct netlab *n, const struct netlab_link *l)
{
	struct import_model *m = n->m;
	const struct yaml_value *name = netlab_link_property(l, NULL, "name");
	const char *text = name ? yaml_text(name) : NULL;
	size_t sw;

	if (l->ends.n == 2) {
		struct import_link *cable = model_add_link(
			m, (struct import_end){l->ends.at[0].node, l->ends.at[0].nic},
			(struct import_end){l->ends.at[1].node, l->ends.at[1].nic});

		cable->comment = text;
		return;
	}
	/* One alone has a carrier there, too. */
	text = text ? text : arena_printf(&m->arena, "lan%zu", (size_t)(l - n->links.at) + 1);
	if (model_find_node(m, text) >= 0)
		text = arena_printf(&m->arena, "lan-%s", text);
	sw = model_add_node(m, text, IMPORT_SWITCH);
	for (size_t i = 0; i < l->ends.n && !m->full; i++) {
		if (!model_nic(m, sw, i)) {
			m->full = true;
			return;
		}
		model_add_link(m, (struct import_end){sw, i},
			       (struct import_end){l->ends.at[i].node, l->ends.at[i].nic});
	}
}

static void set_role(struct netlab *n, struct netlab_link *l)
{
	const struct yaml_value *role = netlab_link_property(l, NULL, "role");
	const struct yaml_value *type = netlab_link_property(l, NULL, "type");
	const char *text = role ? yaml_text(role) : NULL;

	l->is_p2p = l->ends.n == 2 && l->routers == 2 &&
		    !(type && yaml_text(type) && !strcmp(yaml_text(type), "lan"));
	l->is_stub = text ? !strcmp(text, "stub") || !strcmp(text, "passive") : l->routers <= 1;
	l->is_external = text && !strcmp(text, "external");
	for (size_t i = 1; i < l->ends.n && !text; i++) {
		uint32_t as = n->nodes.at[l->ends.at[i].node].as;
		uint32_t first = n->nodes.at[l->ends.at[0].node].as;

		l->is_external |= as && first && as != first;
	}
}

static int finish_link(struct netlab *n, struct netlab_link *l)
{
	const char *mtu;

	set_role(n, l);
	if (choose_net(n, l) < 0)
		return -1;
	for (size_t f = 0; f < NETLAB_FAMILIES; f++) {
		bool by_id = !l->is_p2p && l->has[f] && has_room(n, l, f);

		for (size_t i = 0; i < l->ends.n; i++)
			choose_address(n, l, i, f, by_id);
		set_gateways(n, l, f);
	}
	for (size_t i = 0; i < l->ends.n; i++) {
		const struct yaml_value *v = netlab_link_property(l, &l->ends.at[i], "mtu");

		mtu = v ? yaml_text(v) : NULL;
		if (!mtu)
			continue;
		unsigned long number = strtoul(mtu, NULL, 10);

		if (number < 68 || number > 65535)
			return yaml_wrong(n->e, n->m->file, v,
					  "an MTU is a number from 68 to 65535");
		model_nic(n->m, l->ends.at[i].node, l->ends.at[i].nic)->mtu =
			number == 1500 ? 0 : (unsigned)number;
	}
	add_cables(n, l);
	return 0;
}

/* The links that VLANs or VRFs list, which come after all others. */
static int read_links_of(struct netlab *n, const char *key)
{
	const struct yaml_value *all = netlab_get(n->top, key);

	for (size_t i = 0; all && all->kind == YAML_MAP && i < all->n && netlab_step(n); i++) {
		const struct yaml_value *v = netlab_get(all->items[i].value, "links");

		if (!v)
			continue;
		if (read_list(n, v, NULL, 0) < 0)
			return -1;
		model_note(n->m, NULL, "%.8s.%.64s: here one network per link", key,
			   all->items[i].key);
	}
	return 0;
}

int netlab_read_links(struct netlab *n)
{
	const struct yaml_value *v = yaml_get(n->top, "links");

	if (v && v->kind != YAML_LIST && v->kind != YAML_MAP)
		return yaml_wrong(n->e, n->m->file, v, "links are a list, or lists with names");
	if (read_pools(n) < 0 || (v && read_list(n, v, NULL, 0) < 0) ||
	    read_links_of(n, "vlans") < 0 || read_links_of(n, "vrfs") < 0)
		return -1;
	for (size_t i = 0; i < n->nodes.n; i++)
		for (size_t f = 0; f < NETLAB_FAMILIES && !n->nodes.at[i].is_host; f++)
			add_loopback(netlab_find_pool(n, "loopback"), &n->nodes.at[i], f);
	for (size_t i = 0; i < n->links.n && !n->m->full; i++)
		if (finish_link(n, &n->links.at[i]) < 0)
			return -1;
	return 0;
}
