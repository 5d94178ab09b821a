/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Links: "- endpoints: [a:eth1, b:eth1]", the same with "type: veth" and endpoints of node and
 * interface, and "type: mgmt-net | host | macvlan | vxlan | dummy" with one endpoint, which leave
 * the lab. Interfaces are called after where they are looked for first: eth1 is the NIC with number
 * 1 (0 is the management network's), e1-3 that with number 3 if it is free.
 */
#include "lib/xalloc.h"
#include "vbet-server/import/clab.h"
#include "vbet-server/import/command.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

struct endpoint {
	const struct yaml_value *at;
	const char *node, *interface;
	const struct yaml_value *more; /* the map that it was given as, or NULL */
	size_t place;                  /* of the node */
	long nic;                      /* -1: not known yet */
	bool is_outside;
};

struct link {
	const struct yaml_value *value;
	struct endpoint ends[2];
	size_t n;
};

struct links {
	struct clab *c;
	VEC(struct link) list;
};

/* What stands for a node where the lab ends. */
static bool is_outside(const char *node)
{
	static const char *const names[] = {"host",  "mgmt-net",     "macvlan",
					    "vxlan", "vxlan-stitch", "dummy"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(node, names[i]))
			return true;
	return false;
}

static int read_endpoint(struct clab *c, const struct yaml_value *v, struct endpoint *out)
{
	const char *text = yaml_text(v);
	const char *colon = text ? strchr(text, ':') : NULL;

	*out = (struct endpoint){.at = v, .nic = -1};
	if (colon) {
		out->node = arena_strndup(&c->m->arena, text, (size_t)(colon - text));
		out->interface = colon + 1;
	} else if (v->kind == YAML_MAP) {
		out->node = yaml_text(yaml_get(v, "node"));
		out->interface = yaml_text(yaml_get(v, "interface"));
		out->more = v;
	}
	if (!out->node || !out->interface || !*out->interface) {
		yaml_wrong(
			c->e, c->m->file, v,
			"expected an endpoint such as \"r1:eth1\", or one with node and interface");
		return -1;
	}
	long place = model_find_node(c->m, out->node);

	/* A node may be called "host" as well. */
	out->is_outside = place < 0 && is_outside(out->node);
	if (place < 0 && !out->is_outside)
		return yaml_wrong(c->e, c->m->file, v, "there is no node '%.64s'", out->node);
	out->place = place < 0 ? 0 : (size_t)place;
	return 0;
}

/* ethN -> N; -1: it has another name. */
static long number_of(const char *interface)
{
	if (strncmp(interface, "eth", 3) != 0 || !isdigit((unsigned char)interface[3]) ||
	    strlen(interface) > 7 || strspn(interface + 3, "0123456789") != strlen(interface + 3) ||
	    (interface[3] == '0' && interface[4]))
		return -1;
	return strtol(interface + 3, NULL, 10);
}

static int take_nic(struct clab *c, struct endpoint *end, size_t nic)
{
	struct import_nic *n = model_nic(c->m, end->place, nic);

	if (!n)
		return yaml_wrong(c->e, c->m->file, end->at,
				  "%.64s: a node has at most %d interfaces, eth0 to eth%d",
				  end->node, IMPORT_MAX_NICS, IMPORT_MAX_NICS - 1);
	if (n->is_plugged)
		return yaml_wrong(c->e, c->m->file, end->at,
				  "%.64s:%.64s is in another link already", end->node,
				  end->interface);
	n->is_plugged = true;
	end->nic = (long)nic;
	return 0;
}

/* The number at the end of a name: 3 for e1-3. */
static size_t last_number(const char *interface)
{
	size_t at = strlen(interface);

	while (at && isdigit((unsigned char)interface[at - 1]))
		at--;
	return strlen(interface + at) < 4 ? strtoul(interface + at, NULL, 10) : 0;
}

static int take_named(struct clab *c, struct endpoint *end)
{
	const struct import_node *n = &c->m->nodes.at[end->place];
	size_t want = last_number(end->interface);
	bool is_switch = n->kind == IMPORT_SWITCH;
	bool is_known = false; /* an interface named twice: its second link is refused */

	for (size_t i = 0; i < n->nics.n && !is_switch && !is_known; i++) {
		is_known = n->nics.at[i].was && !strcmp(n->nics.at[i].was, end->interface);
		want = is_known ? i : want;
	}
	if (is_switch || (!is_known && (!want || want >= IMPORT_MAX_NICS ||
					(want < n->nics.n && n->nics.at[want].is_plugged))))
		want = model_free_nic(c->m, end->place, is_switch ? 0 : 1);
	if (take_nic(c, end, want) < 0)
		return -1;
	if (!is_switch)
		c->m->nodes.at[end->place].nics.at[want].was = end->interface;
	return 0;
}

/* An interface of another name keeps it as a second one, for the commands that use it. */
static void keep_name(struct clab *c, const struct endpoint *end)
{
	const char *name = end->interface;
	const char *p = name;

	while (isalnum((unsigned char)*p) || (*p && strchr("-_.", *p)))
		p++;
	model_note(c->m, NULL, "%s: the interface %s is eth%ld here%s", end->node, name, end->nic,
		   *p ? "" : ", and has its old name besides, for ip(8)");
	if (!*p && *name != '-')
		command_add(c->m, end->place,
			    arena_printf(&c->m->arena, "ip link property add dev eth%ld altname %s",
					 end->nic, name));
}

/* ---- one link ---- */

static int read_ends(struct clab *c, const struct yaml_value *v, struct link *l)
{
	const struct yaml_value *ends = yaml_get(v, "endpoints");
	const struct yaml_value *one = yaml_get(v, "endpoint");
	size_t n = ends && ends->kind == YAML_LIST ? ends->n : 0;

	if (one) {
		l->n = 1;
		return read_endpoint(c, one, &l->ends[0]);
	}
	if (n < 1 || n > 2)
		return yaml_wrong(c->e, c->m->file, v, "a link has two endpoints");
	for (l->n = 0; l->n < n; l->n++)
		if (read_endpoint(c, ends->items[l->n].value, &l->ends[l->n]) < 0)
			return -1;
	return 0;
}

static void note_keys(struct clab *c, const struct yaml_value *v)
{
	static const char *const known[] = {"endpoints",      "endpoint", "type", "mtu",
					    "host-interface", "mode",     "ipv4", "ipv6"};

	for (size_t i = 0; i < v->n; i++) {
		bool is_known = false;

		for (size_t k = 0; k < ARRAY_LEN(known); k++)
			is_known |= !strcmp(v->items[i].key, known[k]);
		if (!is_known)
			model_note(c->m, NULL, "%s of links", v->items[i].key);
	}
}

/*
 * Interfaces called ethN take their numbers while links are read; all others are given what is left
 * when every link is known, or eth1 might find its place taken.
 */
static int read_link(struct links *ls, const struct yaml_value *v)
{
	struct link l = {.value = v};

	if (v->kind != YAML_MAP)
		return yaml_wrong(ls->c->e, ls->c->m->file, v, "a link is a map with endpoints");
	if (read_ends(ls->c, v, &l) < 0)
		return -1;
	note_keys(ls->c, v);
	for (size_t i = 0; i < l.n; i++) {
		struct endpoint *end = &l.ends[i];
		bool is_guest =
			!end->is_outside && ls->c->m->nodes.at[end->place].kind != IMPORT_SWITCH;
		long number = is_guest ? number_of(end->interface) : -1;

		if (number >= 0 && take_nic(ls->c, end, (size_t)number) < 0)
			return -1;
	}
	vec_push(&ls->list, l);
	return 0;
}

/* ---- what is said of an end ---- */

static int set_mtu(struct clab *c, const struct link *l, const struct endpoint *end)
{
	const struct yaml_value *v = yaml_get(l->value, "mtu");
	const char *text = yaml_text(v);
	unsigned long mtu = text ? strtoul(text, NULL, 10) : 0;

	if (!v)
		return 0;
	if (mtu < 68 || mtu > 65535)
		return yaml_wrong(c->e, c->m->file, v, "an MTU is a number from 68 to 65535");
	if (c->m->nodes.at[end->place].kind != IMPORT_SWITCH)
		model_nic(c->m, end->place, (size_t)end->nic)->mtu =
			mtu == 1500 ? 0 : (unsigned)mtu;
	return 0;
}

/* Said at the end, or in the link's list of both ends' addresses. */
static const char *address_of(const struct link *l, const struct endpoint *end, const char *key)
{
	const struct yaml_value *list = yaml_get(l->value, key);
	size_t place = (size_t)(end - l->ends);
	const char *own = yaml_text(yaml_get(end->more, key));

	if (!own && list && list->kind == YAML_LIST && place < list->n)
		own = yaml_text(list->items[place].value);
	return own && *own ? own : NULL;
}

static int set_more(struct clab *c, const struct link *l, const struct endpoint *end)
{
	static const char *const addresses[] = {"ipv4", "ipv6"};
	const struct yaml_value *mac = yaml_get(end->more, "mac");
	const char *text = yaml_text(mac);
	uint8_t bytes[6];
	char out[24];

	if (c->m->nodes.at[end->place].kind == IMPORT_SWITCH)
		return 0;
	if (mac) {
		if (!text || addr_parse_mac(text, strlen(text), bytes, NULL) < 0)
			return yaml_wrong(c->e, c->m->file, mac, "this is no MAC of an interface");
		model_nic(c->m, end->place, (size_t)end->nic)->mac =
			arena_strdup(&c->m->arena, addr_format_mac(bytes, out, sizeof(out)));
	}
	for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
		text = address_of(l, end, addresses[i]);
		if (text)
			command_add(c->m, end->place,
				    arena_printf(&c->m->arena, "ip address add %s dev eth%ld", text,
						 end->nic));
	}
	return 0;
}

static int finish_end(struct clab *c, const struct link *l, struct endpoint *end)
{
	bool is_switch = c->m->nodes.at[end->place].kind == IMPORT_SWITCH;

	if (end->nic < 0 && take_named(c, end) < 0)
		return -1;
	if (!is_switch && number_of(end->interface) < 0)
		keep_name(c, end);
	return set_mtu(c, l, end) < 0 ? -1 : set_more(c, l, end);
}

/* A link that leaves the lab is not laid, but its NIC stays, as commands may name it. */
static int finish_link(struct clab *c, struct link *l)
{
	const char *type = yaml_text(yaml_get(l->value, "type"));
	size_t inside = 0;

	for (size_t i = 0; i < l->n; i++) {
		if (l->ends[i].is_outside)
			continue;
		inside++;
		if (finish_end(c, l, &l->ends[i]) < 0)
			return -1;
	}
	if (l->n == 2 && inside == 2 && l->ends[0].place == l->ends[1].place) {
		model_note(c->m, NULL, "link of %s to itself", l->ends[0].node);
		return 0;
	}
	if (l->n == 2 && inside == 2) {
		model_add_link(c->m, (struct import_end){l->ends[0].place, (size_t)l->ends[0].nic},
			       (struct import_end){l->ends[1].place, (size_t)l->ends[1].nic});
		return 0;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (l->ends[i].is_outside)
			continue;
		c->m->nodes.at[l->ends[i].place].nics.at[l->ends[i].nic].is_plugged = false;
		model_note(c->m, NULL, "link of %s:%s, of type %s: the NIC has no cable",
			   l->ends[i].node, l->ends[i].interface,
			   l->n == 2 ? l->ends[!i].node
			   : type    ? type
				     : "dummy");
	}
	return 0;
}

int clab_read_links(struct clab *c)
{
	const struct yaml_value *v = yaml_get(c->topology, "links");
	struct links ls = {.c = c};
	int rc = 0;

	if (v && v->kind != YAML_LIST)
		return yaml_wrong(c->e, c->m->file, v, "links are a list");
	for (size_t i = 0; v && i < v->n && rc == 0 && !c->m->full; i++)
		rc = read_link(&ls, v->items[i].value);
	for (size_t i = 0; i < ls.list.n && rc == 0 && !c->m->full; i++)
		rc = finish_link(c, &ls.list.at[i]);
	vec_free(&ls.list);
	return rc;
}
