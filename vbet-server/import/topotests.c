/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/import/topotests.h"

#include "lib/xalloc.h"
#include "vbet-server/import/command.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_LINKS = 200 };

static const char *const families[] = {"ipv4", "ipv6"};

/* The addresses that "auto" stands for. */
struct counter {
	bool has[TOPOTESTS_FAMILIES];
	struct addr next[TOPOTESTS_FAMILIES];
	unsigned length[TOPOTESTS_FAMILIES];
};

struct topotests_link *topotests_find_link(struct topotests_router *r, const char *key)
{
	for (size_t i = 0; i < r->links.n; i++)
		if (!strcmp(r->links.at[i].key, key))
			return &r->links.at[i];
	return NULL;
}

static int wrong(struct topotests *t, const struct yaml_value *v, const char *what,
		 const char *name)
{
	return yaml_wrong(t->e, t->m->file, v, "%s '%.64s'", what, name);
}

/* ---- routers and their links ---- */

static int compare_links(const void *a, const void *b)
{
	return strcmp(((const struct topotests_link *)a)->key,
		      ((const struct topotests_link *)b)->key);
}

static int read_router(struct topotests *t, const struct yaml_item *item)
{
	const struct yaml_value *links = yaml_get(item->value, "links");

	if (item->value->kind != YAML_MAP)
		return wrong(t, item->value, "expected a map for router", item->key);
	if (links && (links->kind != YAML_MAP || links->n > MAX_LINKS))
		return wrong(t, links, "too many links, or no map of them, of router", item->key);
	model_add_node(t->m, item->key, IMPORT_ROUTER);
	if (t->m->full)
		return 0;
	struct topotests_router *r = vec_add(&t->routers);

	r->name = item->key;
	r->own = item->value;
	for (size_t i = 0; links && i < links->n; i++) {
		const struct yaml_value *v = links->items[i].value;
		const char *type = yaml_text(yaml_get(v, "type"));
		struct topotests_link l = {.key = links->items[i].key, .v = v};

		l.is_loopback = (type && !strcmp(type, "loopback")) || !strcmp(l.key, "lo");
		vec_push(&r->links, l);
	}
	if (r->links.n)
		qsort(r->links.at, r->links.n, sizeof(*r->links.at), compare_links);
	return 0;
}

static int read_routers(struct topotests *t)
{
	const struct yaml_value *v = yaml_get(t->top, "routers");

	if (!v || v->kind != YAML_MAP)
		return yaml_wrong(t->e, t->m->file, v ? v : t->top, "there is no map of routers");
	for (size_t i = 0; i < v->n && !t->m->full; i++)
		if (read_router(t, &v->items[i]) < 0)
			return -1;
	return 0;
}

/* ---- addresses ---- */

static bool parse(const char *text, size_t f, struct addr *out)
{
	return text && addr_parse(text, strlen(text), out, NULL) == 0 &&
	       out->family == (f ? AF_INET6 : AF_INET);
}

static unsigned length_of(const struct yaml_value *v, size_t f)
{
	const char *text = yaml_text(yaml_get(v, f ? "v6mask" : "v4mask"));
	unsigned long n = text ? strtoul(text, NULL, 10) : 0;

	return n >= 8 && n <= (f ? 128 : 32) ? (unsigned)n : (f ? 64 : 24);
}

static void start_counter(struct topotests *t, struct counter *c)
{
	const struct yaml_value *v = yaml_get(t->top, "link_ip_start");

	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++) {
		c->length[f] = length_of(v, f);
		c->has[f] = parse(yaml_text(yaml_get(v, families[f])), f, &c->next[f]);
		c->next[f].prefix = c->length[f];
		/* The network's own address is none, but of the smallest networks. */
		if (c->has[f] && c->length[f] < (f ? 127 : 32))
			addr_add(&c->next[f], 1);
	}
}

static void set_loopback(struct topotests *t, size_t router, struct topotests_link *l,
			 unsigned count)
{
	const struct yaml_value *prefix = yaml_get(t->top, "lo_prefix");
	int column = t->routers.at[router].name[0] - 'a';

	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++) {
		const char *own = yaml_text(yaml_get(l->v, families[f]));
		const char *start = yaml_text(yaml_get(prefix, families[f]));

		if (own && !strcmp(own, "auto") && start)
			own = arena_printf(&t->m->arena, f ? "%s%u:%d/%u" : "%s%u.%d/%u", start,
					   count, column < 0 ? 0 : column, length_of(prefix, f));
		l->has[f] = parse(own, f, &l->addr[f]);
		if (l->has[f] && l->addr[f].prefix == ADDR_NO_PREFIX)
			l->addr[f].prefix = addr_bits(&l->addr[f]);
	}
}

/* An address of its own, or of the counter; false: this end has none. */
static bool set_address(struct topotests_link *l, size_t f, const struct counter *c, int64_t offset,
			bool is_auto)
{
	const char *own = yaml_text(yaml_get(l->v, families[f]));

	if (is_auto && c->has[f]) {
		l->addr[f] = c->next[f];
		return l->has[f] = addr_add(&l->addr[f], offset) == 0;
	}
	l->has[f] = parse(own, f, &l->addr[f]);
	if (l->has[f] && l->addr[f].prefix == ADDR_NO_PREFIX)
		l->addr[f].prefix = c->length[f];
	return l->has[f];
}

static bool is_auto(const struct topotests_link *l, size_t f)
{
	const char *own = yaml_text(yaml_get(l->v, families[f]));

	return own && !strcmp(own, "auto");
}

static void add_address_commands(struct topotests *t, size_t node, const struct topotests_link *l)
{
	char buf[80];

	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++)
		if (l->has[f])
			command_add(t->m, node,
				    arena_printf(&t->m->arena, "ip address add %s dev eth%zu",
						 addr_format(&l->addr[f], true, buf, sizeof(buf)),
						 l->nic));
}

/* ---- cables ---- */

static int take_nic(struct topotests *t, size_t node, struct topotests_link *l)
{
	l->nic = t->m->nodes.at[node].nics.n;
	l->is_plugged = true;
	return model_nic(t->m, node, l->nic)
		       ? 0
		       : wrong(t, l->v, "more than 64 links of router", t->routers.at[node].name);
}

/* "r2-link1" of r1 is "r1-link1" of r2. */
static int add_cable(struct topotests *t, struct counter *c, size_t node, struct topotests_link *l)
{
	size_t len = strcspn(l->key, "-");
	char *peer = arena_strndup(&t->m->arena, l->key, len);
	long place = model_find_node(t->m, peer);
	const char *key =
		arena_printf(&t->m->arena, "%s%s", t->routers.at[node].name, l->key + len);

	if (l->is_plugged)
		return 0;
	if (place < 0) {
		model_note(t->m, t->routers.at[node].name, "link to '%.64s', which is no router",
			   peer);
		return 0;
	}
	struct topotests_link *back = topotests_find_link(&t->routers.at[place], key);

	if (!back || back == l || back->is_plugged)
		return wrong(t, l->v, "the other end has no link", key);
	if (take_nic(t, node, l) < 0 || take_nic(t, (size_t)place, back) < 0)
		return -1;
	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++) {
		bool taken = is_auto(l, f);

		set_address(l, f, c, 0, taken);
		set_address(back, f, c, 1, taken);
		if (taken && c->has[f] &&
		    addr_add_shifted(&c->next[f], 1, addr_bits(&c->next[f]) - c->length[f]) < 0)
			c->has[f] = false;
	}
	add_address_commands(t, node, l);
	add_address_commands(t, (size_t)place, back);
	model_add_link(t->m, (struct import_end){node, l->nic},
		       (struct import_end){(size_t)place, back->nic})
		->comment = l->key[len] ? l->key + len + 1 : NULL;
	return 0;
}

static int add_to_switch(struct topotests *t, struct counter *c, size_t sw, struct topotests_link l)
{
	const char *own = yaml_text(yaml_get(l.v, "dst_node"));
	const char *name = own ? own : arena_strndup(&t->m->arena, l.key, strcspn(l.key, "-"));
	long place = model_find_node(t->m, name);
	size_t port = t->m->nodes.at[sw].nics.n;

	if (place < 0 || (size_t)place >= t->routers.n)
		return wrong(t, l.v, "there is no router", name);
	l.key = t->m->nodes.at[sw].was;
	if (t->routers.at[place].links.n > 2 * MAX_LINKS || !model_nic(t->m, sw, port) ||
	    take_nic(t, (size_t)place, &l) < 0)
		return wrong(t, l.v, "too many links of", name);
	for (size_t f = 0; f < TOPOTESTS_FAMILIES; f++) {
		bool taken = is_auto(&l, f);

		if (set_address(&l, f, c, 0, taken) && taken && addr_add(&c->next[f], 1) < 0)
			c->has[f] = false;
	}
	add_address_commands(t, (size_t)place, &l);
	model_add_link(t->m, (struct import_end){sw, port},
		       (struct import_end){(size_t)place, l.nic});
	vec_push(&t->routers.at[place].links, l);
	return 0;
}

static int read_switches(struct topotests *t, struct counter *c)
{
	const struct yaml_value *v = yaml_get(t->top, "switches");

	for (size_t i = 0; v && v->kind == YAML_MAP && i < v->n && !t->m->full; i++) {
		const struct yaml_value *links = yaml_get(v->items[i].value, "links");

		if (model_find_node(t->m, v->items[i].key) >= 0)
			return wrong(t, v->items[i].value, "there are two nodes", v->items[i].key);
		size_t sw = model_add_node(t->m, v->items[i].key, IMPORT_SWITCH);
		VEC(struct topotests_link) list = {0};
		int rc = 0;

		for (size_t k = 0; links && links->kind == YAML_MAP && k < links->n; k++)
			vec_push(&list, ((struct topotests_link){.key = links->items[k].key,
								 .v = links->items[k].value}));
		if (list.n)
			qsort(list.at, list.n, sizeof(*list.at), compare_links);
		for (size_t k = 0; k < list.n && rc == 0 && !t->m->full; k++)
			rc = add_to_switch(t, c, sw, list.at[k]);
		vec_free(&list);
		if (rc < 0)
			return -1;
	}
	return 0;
}

struct order {
	const char *name;
	size_t place;
};

static int compare_orders(const void *a, const void *b)
{
	return strcmp(((const struct order *)a)->name, ((const struct order *)b)->name);
}

/* In the order of names (r1, r10, r2), from which addresses follow. */
static int add_links(struct topotests *t)
{
	struct order *order = xcalloc(t->routers.n + 1, sizeof(*order));
	struct counter c;
	unsigned loopbacks = 0;
	int rc = 0;

	start_counter(t, &c);
	for (size_t i = 0; i < t->routers.n; i++)
		order[i] = (struct order){t->routers.at[i].name, i};
	qsort(order, t->routers.n, sizeof(*order), compare_orders);
	for (size_t i = 0; i < t->routers.n && rc == 0; i++) {
		struct topotests_router *r = &t->routers.at[order[i].place];

		for (size_t k = 0; k < r->links.n && rc == 0 && !t->m->full; k++)
			if (r->links.at[k].is_loopback)
				set_loopback(t, order[i].place, &r->links.at[k], ++loopbacks);
			else
				rc = add_cable(t, &c, order[i].place, &r->links.at[k]);
	}
	free(order);
	return rc < 0 ? -1 : read_switches(t, &c);
}

int topotests_read(struct import_model *m, const struct import_source *src, const char *text,
		   size_t len, struct err *e)
{
	struct topotests t = {.m = m, .e = e};
	int rc = -1;

	t.top = yaml_tree_read(&m->arena, m->file, text, len, e);
	m->is_next_nic = true;
	if (t.top && read_routers(&t) == 0 && model_check_size(m, e) == 0 && add_links(&t) == 0) {
		topotests_add_configs(&t);
		rc = model_check_size(m, e);
	}
	for (size_t i = 0; i < t.routers.n; i++)
		vec_free(&t.routers.at[i].links);
	vec_free(&t.routers);
	return rc;
}
