/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/import/netlab.h"

#include "lib/xalloc.h"
#include "vbet-server/import/command.h"

#include <assert.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define PATTERN "*?[~" /* begins or is in a pattern of names */
enum { MAX_PATTERNS = 100, MAX_ID = 100000 };

/* ---- values ---- */

const struct yaml_value *netlab_get(const struct yaml_value *v, const char *path)
{
	if (!v || v->kind != YAML_MAP)
		return NULL;
	for (size_t i = 0; i < v->n; i++) {
		const char *key = v->items[i].key;
		size_t len = strlen(key);
		const struct yaml_value *value = v->items[i].value;

		if (strncmp(path, key, len) != 0 || (path[len] && path[len] != '.') || !len)
			continue;
		if (path[len])
			value = netlab_get(value, path + len + 1);
		if (value && value->kind != YAML_NULL)
			return value;
	}
	return NULL;
}

const char *netlab_text(const struct yaml_value *v, const char *path)
{
	const struct yaml_value *found = netlab_get(v, path);

	return found ? yaml_text(found) : NULL;
}

const struct yaml_value *netlab_property(const struct netlab *n, const struct netlab_node *node,
					 const char *path)
{
	const struct yaml_value *v = netlab_get(node->own, path);

	for (size_t i = 0; i < node->groups.n && !v; i++)
		v = netlab_get(node->groups.at[i], path);
	return v ? v : netlab_get(n->top, path);
}

bool netlab_is_on(const struct yaml_value *v)
{
	const char *text = v ? yaml_text(v) : NULL;

	return v && (!text || (strcmp(text, "false") != 0 && strcmp(text, "False") != 0 &&
			       strcmp(text, "no") != 0));
}

const char *const netlab_families[] = {"ipv4", "ipv6"};

bool netlab_parse_net(const char *text, size_t f, struct addr *out)
{
	return text && addr_parse(text, strlen(text), out, NULL) == 0 &&
	       out->family == (f ? AF_INET6 : AF_INET) && out->prefix != ADDR_NO_PREFIX;
}

bool netlab_step(struct netlab *n)
{
	n->m->full = n->m->full || ++n->steps > NETLAB_MAX_STEPS;
	return !n->m->full;
}

static int check_keys(const struct netlab *n, const struct yaml_value *v)
{
	return v->kind != YAML_MAP || v->n <= NETLAB_MAX_KEYS
		       ? 0
		       : yaml_wrong(n->e, n->m->file, v, "more than %d keys", NETLAB_MAX_KEYS);
}

/* ---- keys with dots ---- */

/*
 * The value of that key of `to`, a map with room for it, as a map that is nobody else's, with room
 * for one more; a value that several aliases share must not change. NULL: it is no map.
 */
static struct yaml_value *own_map(struct netlab *n, struct yaml_value *to, const char *key,
				  const struct yaml_value *at)
{
	static const char ours[] = "";
	struct arena *a = &n->m->arena;
	size_t i = 0;

	while (i < to->n && strcmp(to->items[i].key, key) != 0)
		i++;
	struct yaml_value *old = i < to->n ? to->items[i].value : NULL;
	bool is_ours = old && old->text == ours;
	size_t len = old && old->kind == YAML_MAP ? old->n : 0;

	if (old && old->kind != YAML_MAP && old->kind != YAML_NULL)
		return NULL;
	if (is_ours && len & (len - 1))
		return old;
	for (size_t k = 0; k < len; k++)
		netlab_step(n);
	struct yaml_value *own = is_ours ? old : arena_alloc(a, sizeof(*own));
	struct yaml_item *items = arena_alloc(a, (2 * len + 1) * sizeof(*items));

	if (len)
		memcpy(items, old->items, len * sizeof(*items));
	if (!is_ours)
		*own = (struct yaml_value){.line = at->line, .column = at->column, .text = ours};
	own->kind = YAML_MAP;
	own->items = items;
	own->n = len;
	to->items[i] = (struct yaml_item){.key = key, .value = own};
	to->n += i == to->n;
	return own;
}

const struct yaml_value *netlab_undot(struct netlab *n, const struct yaml_value *v, bool of_nodes)
{
	struct arena *a = &n->m->arena;
	struct yaml_value *out;
	size_t dots = 0;

	for (size_t i = 0; v->kind == YAML_MAP && i < v->n; i++)
		dots += strchr(v->items[i].key, '.') != NULL;
	if (!dots || v->n > NETLAB_MAX_KEYS)
		return v;
	out = arena_alloc(a, sizeof(*out));
	*out = *v;
	out->items = arena_alloc(a, v->n * sizeof(*out->items));
	out->n = 0;
	for (size_t i = 0; i < v->n && netlab_step(n); i++) {
		const char *key = v->items[i].key;
		size_t len = strcspn(key, ".");
		const char *first = key[len] && len ? arena_strndup(a, key, len) : NULL;
		struct yaml_value *in = NULL;

		if (first && (!of_nodes || model_find_node(n->m, first) >= 0))
			in = own_map(n, out, first, v->items[i].value);
		if (in)
			in->items[in->n++] = (struct yaml_item){key + len + 1, v->items[i].value};
		else
			out->items[out->n++] = v->items[i];
	}
	return out;
}

/* ---- nodes ---- */

static int add_node(struct netlab *n, const char *name, const struct yaml_value *at,
		    const struct yaml_value *own)
{
	struct netlab_node *node;

	if (model_find_node(n->m, name) >= 0)
		return yaml_wrong(n->e, n->m->file, at, "there are two nodes '%.64s'", name);
	model_add_node(n->m, name, IMPORT_ROUTER);
	if (n->m->full)
		return 0;
	node = vec_add(&n->nodes);
	node->name = name;
	node->own = own;
	return 0;
}

static int read_node(struct netlab *n, const struct yaml_value *list, size_t i)
{
	const struct yaml_value *value = list->items[i].value;
	const char *name = list->kind == YAML_MAP ? list->items[i].key
			   : yaml_text(value)     ? yaml_text(value)
						  : netlab_text(value, "name");

	if (!name || (list->kind == YAML_MAP && yaml_text(value)))
		return yaml_wrong(n->e, n->m->file, value,
				  "a node is a name, or a name with a map of properties");
	return check_keys(n, value) < 0 ? -1 : add_node(n, name, value, value);
}

static const struct yaml_value *members_of(const struct yaml_value *group)
{
	return group->kind == YAML_LIST ? group : yaml_get(group, "members");
}

/* With groups._auto_create, members that are not among the nodes are nodes as well. */
static int create_members(struct netlab *n, const struct yaml_value *groups)
{
	bool all = netlab_is_on(yaml_get(groups, "_auto_create"));

	for (size_t i = 0; groups && groups->kind == YAML_MAP && i < groups->n; i++) {
		const struct yaml_value *group = groups->items[i].value;
		const struct yaml_value *list = members_of(group);
		bool is_wanted = all || netlab_is_on(yaml_get(group, "_auto_create"));

		for (size_t k = 0; is_wanted && list && list->kind == YAML_LIST && k < list->n;
		     k++) {
			const struct yaml_value *v = list->items[k].value;
			const char *name = netlab_step(n) ? yaml_text(v) : NULL;

			if (name && !strpbrk(name, PATTERN) && model_find_node(n->m, name) < 0 &&
			    add_node(n, name, v, v) < 0)
				return -1;
		}
	}
	return 0;
}

static int read_nodes(struct netlab *n)
{
	const struct yaml_value *v = yaml_get(n->top, "nodes");
	const struct yaml_value *groups = yaml_get(n->top, "groups");

	v = v ? netlab_undot(n, v, false) : NULL;
	if (v ? v->kind != YAML_LIST && v->kind != YAML_MAP : !groups)
		return yaml_wrong(n->e, n->m->file, v ? v : n->top,
				  "the topology has no list or map of nodes");
	for (size_t i = 0; v && i < v->n && !n->m->full; i++)
		if (read_node(n, v, i) < 0)
			return -1;
	return create_members(n, groups);
}

/* The number that addresses are made of: that of the file, else the next one that is free. */
static int choose_ids(struct netlab *n)
{
	uint8_t *taken = xcalloc(MAX_ID + 1, 1);
	unsigned next = 1;
	int rc = 0;

	for (size_t i = 0; i < n->nodes.n && rc == 0; i++) {
		const struct yaml_value *v = netlab_get(n->nodes.at[i].own, "id");
		const char *text = v ? yaml_text(v) : NULL;
		unsigned long id = text ? strtoul(text, NULL, 10) : 0;

		if (v && (id < 1 || id > MAX_ID || taken[id]))
			rc = yaml_wrong(n->e, n->m->file, v,
					"an id is a number from 1 to %d that no other node has",
					MAX_ID);
		else if (v)
			taken[id] = 1;
		n->nodes.at[i].id = (unsigned)id;
	}
	for (size_t i = 0; i < n->nodes.n && rc == 0; i++) {
		while (taken[next])
			next++;
		if (!n->nodes.at[i].id)
			n->nodes.at[i].id = next++;
	}
	free(taken);
	return rc;
}

/* ---- groups ---- */

static void join(struct netlab *n, const char *member, const struct yaml_value *group,
		 unsigned *patterns)
{
	long place = model_find_node(n->m, member);

	if (place >= 0) {
		assert((size_t)place < n->nodes.n && n->nodes.at);
		struct netlab_node *node = &n->nodes.at[place];

		vec_push(&node->groups, group);
	} else if (!strpbrk(member, PATTERN) || ++*patterns > MAX_PATTERNS || *member == '~') {
		model_note(n->m, NULL, "member '%.64s' of a group: no such node", member);
	} else {
		for (size_t i = 0; i < n->nodes.n; i++)
			if (fnmatch(member, n->nodes.at[i].name, 0) == 0 && netlab_step(n))
				vec_push(&n->nodes.at[i].groups, group);
	}
}

static int read_groups(struct netlab *n)
{
	const struct yaml_value *groups = yaml_get(n->top, "groups");
	unsigned patterns = 0;

	for (size_t i = 0; groups && groups->kind == YAML_MAP && i < groups->n; i++) {
		const struct yaml_value *group = groups->items[i].value;
		const struct yaml_value *members = members_of(group);

		if (check_keys(n, group) < 0)
			return -1;

		for (size_t k = 0; members && members->kind == YAML_LIST && k < members->n; k++) {
			const char *member =
				netlab_step(n) ? yaml_text(members->items[k].value) : NULL;

			if (member)
				join(n, member, group, &patterns);
		}
	}
	for (size_t i = 0; i < n->nodes.n; i++) {
		const char *name = netlab_text(n->nodes.at[i].own, "group");
		const struct yaml_value *group = name ? yaml_get(groups, name) : NULL;

		if (group)
			vec_push(&n->nodes.at[i].groups, group);
	}
	return 0;
}

/* ---- what nodes are ---- */

static void set_module(struct netlab *n, struct netlab_node *node, const char *name)
{
	static const char *const names[] = {"ospf", "isis", "bgp"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		node->modules |= 1u << i;
		return;
	}
	if (strcmp(name, "routing") != 0)
		model_note(n->m, node->name, "module %s", name);
}

static void set_modules(struct netlab *n, struct netlab_node *node)
{
	const struct yaml_value *v = netlab_property(n, node, "module");

	if (v && yaml_text(v))
		set_module(n, node, yaml_text(v));
	for (size_t i = 0; v && v->kind == YAML_LIST && i < v->n; i++) {
		const char *name = yaml_text(v->items[i].value);

		if (name)
			set_module(n, node, name);
	}
}

static const char *device_of(const struct netlab *n, const struct netlab_node *node)
{
	const struct yaml_value *v = netlab_property(n, node, "device");
	const char *text = v ? yaml_text(v) : NULL;

	return text ? text : netlab_text(n->top, "defaults.device");
}

static void choose_kind(struct netlab *n, struct netlab_node *node)
{
	const struct yaml_value *role = netlab_property(n, node, "role");
	const char *text = role ? yaml_text(role) : NULL;
	const char *device = device_of(n, node);

	node->is_host = text ? !strcmp(text, "host") : device && !strcmp(device, "linux");
	if (text && strcmp(text, "host") != 0 && strcmp(text, "router") != 0)
		model_note(n->m, node->name, "role %s: here a router", text);
	if (device && strcmp(device, "linux") != 0 && strcmp(device, "frr") != 0 && !node->is_host)
		model_note(n->m, node->name, "device %s: here FRR", device);
	if (node->is_host)
		n->m->nodes.at[node - n->nodes.at].kind = IMPORT_HOST;
	else
		set_modules(n, node);
}

static struct netlab_node *find_member(struct netlab *n, const struct yaml_value *list, size_t i)
{
	const char *name = netlab_step(n) ? yaml_text(list->items[i].value) : NULL;
	long place = name ? model_find_node(n->m, name) : -1;

	return place >= 0 ? &n->nodes.at[place] : NULL;
}

static void set_reflectors(struct netlab *n, const struct yaml_value *list)
{
	for (size_t i = 0; list && list->kind == YAML_LIST && i < list->n && !n->m->full; i++) {
		struct netlab_node *node = find_member(n, list, i);

		if (node)
			node->is_reflector = true;
	}
}

static uint32_t as_number(const char *text)
{
	unsigned long number = text ? strtoul(text, NULL, 10) : 0;

	return number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* bgp.as_list: a map of systems with their members, or with "members" and "rr". */
static void read_systems(struct netlab *n)
{
	const struct yaml_value *list = netlab_get(n->top, "bgp.as_list");

	for (size_t i = 0; list && list->kind == YAML_MAP && i < list->n && !n->m->full; i++) {
		const struct yaml_value *item = list->items[i].value;
		const struct yaml_value *members =
			item->kind == YAML_LIST ? item : netlab_get(item, "members");

		for (size_t k = 0;
		     members && members->kind == YAML_LIST && k < members->n && !n->m->full; k++) {
			struct netlab_node *node = find_member(n, members, k);

			if (node)
				node->as = as_number(list->items[i].key);
		}
		set_reflectors(n, netlab_get(item, "rr"));
	}
	set_reflectors(n, netlab_get(n->top, "bgp.rr_list"));
}

/* The node's own number, its group's, that of the list, or that of all. */
static void choose_as(struct netlab *n, struct netlab_node *node)
{
	const struct yaml_value *v = netlab_property(n, node, "bgp.as");
	bool is_of_all = v && v == netlab_get(n->top, "bgp.as");

	if (v && !(is_of_all && node->as))
		node->as = as_number(yaml_text(v));
	node->is_reflector |= netlab_is_on(netlab_property(n, node, "bgp.rr"));
	if (!node->as)
		model_note(n->m, node->name, "bgp, since the node has no AS");
}

/* Notes the keys that are not among those known, of which the part before a dot counts. */
static void note_unknown(struct netlab *n, const char *was, const struct yaml_value *v,
			 const char *const *known, size_t n_known)
{
	for (size_t i = 0; v->kind == YAML_MAP && i < v->n; i++) {
		const char *key = v->items[i].key;
		size_t len = strcspn(key, ".");
		bool is_known = false;

		for (size_t k = 0; k < n_known; k++)
			is_known |= strlen(known[k]) == len && !strncmp(known[k], key, len);
		if (!is_known)
			model_note(n->m, was, "%.64s", key);
	}
}

/* Of the module routing, only static routes are carried over. */
static void note_routing(struct netlab *n, const char *was, const struct yaml_value *v)
{
	const struct yaml_value *routing = yaml_get(netlab_undot(n, v, false), "routing");

	for (size_t i = 0; routing && routing->kind == YAML_MAP && i < routing->n; i++) {
		const char *key = routing->items[i].key;
		size_t len = strcspn(key, ".");

		if (len != strlen("static") || strncmp(key, "static", len) != 0)
			model_note(n->m, was, "routing.%.64s", key);
	}
}

/* What a group says of its members is said of each node, but only what is understood is looked for.
 */
static void note_group_keys(struct netlab *n)
{
	static const char *const known[] = {"members", "device", "module", "ospf",     "isis",
					    "bgp",     "role",   "name",   "loopback", "image",
					    "box",     "memory", "cpu",    "provider", "routing"};
	const struct yaml_value *groups = yaml_get(n->top, "groups");

	for (size_t i = 0; groups && groups->kind == YAML_MAP && i < groups->n; i++) {
		char *who = xasprintf("group %.64s", groups->items[i].key);

		note_unknown(n, who, groups->items[i].value, known, ARRAY_LEN(known));
		note_routing(n, who, groups->items[i].value);
		free(who);
	}
}

static void note_keys(struct netlab *n)
{
	static const char *const of_all[] = {"nodes",   "links",   "groups",   "addressing",
					     "name",    "module",  "defaults", "provider",
					     "ospf",    "isis",    "bgp",      "version",
					     "message", "routing", "prefix"};
	static const char *const of_nodes[] = {
		"id",       "device", "module", "ospf", "isis",   "bgp", "role",     "group",
		"loopback", "name",   "image",  "box",  "memory", "cpu", "provider", "routing"};

	note_unknown(n, NULL, n->top, of_all, ARRAY_LEN(of_all));
	note_routing(n, NULL, n->top);
	note_group_keys(n);
	for (size_t i = 0; i < n->nodes.n; i++) {
		const struct netlab_node *node = &n->nodes.at[i];

		note_unknown(n, node->name, node->own, of_nodes, ARRAY_LEN(of_nodes));
		note_routing(n, node->name, node->own);
	}
}

/* ---- the whole ---- */

static void finish(struct netlab *n)
{
	for (size_t i = 0; i < n->nodes.n; i++)
		vec_free(&n->nodes.at[i].groups);
	for (size_t i = 0; i < n->links.n; i++)
		vec_free(&n->links.at[i].ends);
	vec_free(&n->nodes);
	vec_free(&n->links);
	vec_free(&n->pools);
}

static int read_all(struct netlab *n)
{
	const char *name = netlab_text(n->top, "name");

	if (name)
		model_set_lab(n->m, name);
	if (n->top->kind != YAML_MAP)
		return yaml_wrong(n->e, n->m->file, n->top, "a topology is a map");
	if (check_keys(n, n->top) < 0 || read_nodes(n) < 0 || choose_ids(n) < 0 ||
	    read_groups(n) < 0)
		return -1;
	read_systems(n);
	for (size_t i = 0; i < n->nodes.n; i++) {
		choose_kind(n, &n->nodes.at[i]);
		if (n->nodes.at[i].modules & NETLAB_BGP)
			choose_as(n, &n->nodes.at[i]);
		else
			n->nodes.at[i].as = 0;
	}
	note_keys(n);
	if (netlab_read_links(n) < 0)
		return -1;
	netlab_add_configs(n);
	return model_check_size(n->m, n->e);
}

int netlab_read(struct import_model *m, const struct import_source *src, const char *text,
		size_t len, struct err *e)
{
	struct netlab n = {.m = m, .e = e};
	int rc = -1;

	n.top = yaml_tree_read(&m->arena, m->file, text, len, e);
	m->is_next_nic = true;
	if (n.top)
		rc = read_all(&n);
	finish(&n);
	return rc;
}
