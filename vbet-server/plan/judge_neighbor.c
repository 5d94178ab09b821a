/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Daemons of FRR call their neighbours by different things: an address, a router ID, a host name,
 * an interface. A node is meant by any of these that is its own; where a daemon says neither
 * address nor name, the interface tells, if nobody else is behind it.
 *
 * On a broadcast network two routers that are neither DR nor backup stay at 2-Way (RFC 2328, 10.4).
 * So does everybody for a while at first: it counts as come to its end only beside a DR that is
 * Full.
 */
#include "vbet-server/plan/judge.h"

#include "lib/vec.h"
#include "vbet-server/plan/judge_json.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { NEIGHBORS_MAX = 4096 };

struct neighbor {
	const char *id, *addr, *dev, *name; /* "": not said */
	char state[32], role[32];
};

struct neighbors {
	struct arena arena;
	VEC(struct neighbor) at;
};

/* "Full/DR" is a state and a role. */
static void add(struct neighbors *n, struct neighbor s, const char *state)
{
	size_t len = strcspn(state, "/");

	if (n->at.n == NEIGHBORS_MAX)
		return;
	snprintf(s.state, sizeof(s.state), "%.*s", (int)(len < 31 ? len : 31), state);
	snprintf(s.role, sizeof(s.role), "%.31s", state[len] ? state + len + 1 : "");
	vec_push(&n->at, s);
}

/* {"neighbors": {ID: [{"nbrState", "ifaceAddress", "ifaceName": "eth0:10.0.0.1"}]}} */
static void read_ospf(struct neighbors *n, struct json_object *root)
{
	struct json_object *all = judge_json_member(root, "neighbors", json_type_object);

	if (!all)
		return;
	json_object_object_foreach(all, id, list)
	{
		for (size_t i = 0; i < judge_json_length(list); i++) {
			struct json_object *o = json_object_array_get_idx(list, i);
			struct neighbor s = {.id = arena_strdup(&n->arena, id), .name = ""};
			const char *dev = judge_json_text(&n->arena, o, "ifaceName");

			s.addr = judge_json_text(&n->arena, o, "ifaceAddress");
			s.dev = arena_strndup(&n->arena, dev, strcspn(dev, ":"));
			add(n, s, judge_json_text(&n->arena, o, "nbrState"));
		}
	}
}

/* {"neighbors": [{"neighborId", "state", "interfaceName"}]} */
static void read_ospf6(struct neighbors *n, struct json_object *root)
{
	struct json_object *all = judge_json_member(root, "neighbors", json_type_array);

	for (size_t i = 0; i < judge_json_length(all); i++) {
		struct json_object *o = json_object_array_get_idx(all, i);
		struct neighbor s = {
			.id = judge_json_text(&n->arena, o, "neighborId"), .addr = "", .name = ""};
		const char *role = judge_json_text(&n->arena, o, "ifState");

		s.dev = judge_json_text(&n->arena, o, "interfaceName");
		add(n, s,
		    arena_printf(&n->arena, "%s/%s", judge_json_text(&n->arena, o, "state"), role));
	}
}

/* {FAMILY: {"peers": {ADDRESS or interface: {"hostname", "state"}}}} */
static void read_bgp(struct neighbors *n, struct json_object *root)
{
	if (!json_object_is_type(root, json_type_object))
		return;
	json_object_object_foreach(root, family, of_family)
	{
		(void)family;
		struct json_object *peers = judge_json_member(of_family, "peers", json_type_object);

		if (!peers)
			continue;
		json_object_object_foreach(peers, key, o)
		{
			struct neighbor s = {.id = "",
					     .name = judge_json_text(&n->arena, o, "hostname")};
			struct addr a;
			bool is_addr = addr_parse(key, strlen(key), &a, NULL) == 0;

			s.addr = is_addr ? arena_strdup(&n->arena, key) : "";
			s.dev = is_addr ? "" : arena_strdup(&n->arena, key);
			add(n, s, judge_json_text(&n->arena, o, "state"));
		}
	}
}

/* {"areas": [{"circuits": [{"adj": host name or system ID, "interface", "state"}]}]} */
static void read_isis(struct neighbors *n, struct json_object *root)
{
	struct json_object *areas = judge_json_member(root, "areas", json_type_array);

	for (size_t i = 0; i < judge_json_length(areas); i++) {
		struct json_object *circuits = judge_json_member(
			json_object_array_get_idx(areas, i), "circuits", json_type_array);

		for (size_t k = 0; k < judge_json_length(circuits); k++) {
			struct json_object *o = json_object_array_get_idx(circuits, k);
			struct neighbor s = {
				.id = "", .addr = "", .name = judge_json_text(&n->arena, o, "adj")};

			s.dev = judge_json_text(&n->arena, o, "interface");
			if (*s.name)
				add(n, s, judge_json_text(&n->arena, o, "state"));
		}
	}
}

/* [{"peer": ADDRESS, "interface", "status"}] */
static void read_bfd(struct neighbors *n, struct json_object *root)
{
	for (size_t i = 0; i < judge_json_length(root); i++) {
		struct json_object *o = json_object_array_get_idx(root, i);
		struct neighbor s = {
			.id = "", .name = "", .addr = judge_json_text(&n->arena, o, "peer")};

		s.dev = judge_json_text(&n->arena, o, "interface");
		add(n, s, judge_json_text(&n->arena, o, "status"));
	}
}

/* "show ip rip status" has no JSON: gateways, a line each, behind the line that begins so. */
static void read_rip(struct neighbors *n, const char *text)
{
	const char *head = strstr(text, "    Gateway ");
	struct addr a;

	for (const char *end = head ? strchr(head, '\n') : NULL; end; end = strchr(end + 1, '\n')) {
		const char *at = end + 1;
		size_t blanks = strspn(at, " ");
		size_t len = strcspn(at + blanks, " \n");

		if (addr_parse(at + blanks, len, &a, NULL) < 0)
			return;
		add(n,
		    (struct neighbor){.id = "",
				      .dev = "",
				      .name = "",
				      .addr = arena_strndup(&n->arena, at + blanks, len)},
		    "Up");
	}
}

static const struct {
	struct judge_protocol p;
	void (*read)(struct neighbors *n, struct json_object *root); /* NULL: no JSON */
} readers[] = {
	{{"ospf", "ospfd", "show ip ospf neighbor json", "Full", true}, read_ospf},
	{{"ospf6", "ospf6d", "show ipv6 ospf6 neighbor json", "Full", true}, read_ospf6},
	{{"bgp", "bgpd", "show bgp summary json", "Established", false}, read_bgp},
	{{"isis", "isisd", "show isis neighbor json", "Up", true}, read_isis},
	{{"rip", "ripd", "show ip rip status", "Up", true}, NULL},
	{{"bfd", "bfdd", "show bfd peers json", "up", false}, read_bfd},
};

const struct judge_protocol *judge_find_protocol(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		if (!strcmp(readers[i].p.name, name))
			return &readers[i].p;
	return NULL;
}

const char *judge_protocol_at(size_t i)
{
	return i < ARRAY_LEN(readers) ? readers[i].p.name : NULL;
}

/* False: that is no answer of such a daemon. */
static bool read_answer(const struct judge_protocol *p, const char *text, struct neighbors *n)
{
	size_t i = 0;

	while (&readers[i].p != p)
		i++;
	if (!readers[i].read) {
		read_rip(n, text);
		return true;
	}
	bool is_json;
	struct json_object *root = judge_json_parse(text, &is_json);

	if (is_json && root)
		readers[i].read(n, root);
	json_object_put(root);
	return is_json;
}

static bool is_address_of(const struct judge_peer *p, const char *text)
{
	struct addr a;

	if (!*text || addr_parse(text, strlen(text), &a, NULL) < 0)
		return false;
	for (size_t i = 0; i < p->n_addrs; i++)
		if (addr_same(&p->addrs[i], &a))
			return true;
	return false;
}

static bool is_peer(const struct judge_peer *p, const struct neighbor *s)
{
	if (*s->addr && !*s->name)
		return is_address_of(p, s->addr);
	if (is_address_of(p, s->addr) || is_address_of(p, s->id))
		return true;
	if (*s->name && (!strcmp(s->name, p->hostname) || !strcmp(s->name, p->node)))
		return true;
	for (size_t i = 0; i < p->n_devs; i++)
		if (*s->dev && !strcmp(s->dev, p->devs[i]))
			return true;
	return false;
}

static const struct judge_peer *find_peer(const struct judge_neighbors *q, const struct neighbor *s)
{
	for (size_t i = 0; i < q->n_peers; i++)
		if (is_peer(&q->peers[i], s))
			return &q->peers[i];
	return NULL;
}

static const char *wanted(const struct judge_neighbors *q)
{
	return q->state ? q->state : q->protocol->state;
}

static bool has_state(const struct judge_neighbors *q, const struct neighbor *s)
{
	return !strcasecmp(s->state, wanted(q));
}

/* Two that are neither DR nor backup, with a DR on their network. */
static bool is_at_rest(const struct judge_neighbors *q, const struct neighbors *n,
		       const struct neighbor *s)
{
	const struct neighbor *dr;

	if (q->state || strcasecmp(s->state, "2-Way") != 0 || strcasecmp(s->role, "DROther") != 0)
		return false;
	VEC_FOREACH (dr, &n->at)
		if (!strcmp(dr->dev, s->dev) && !strcmp(dr->role, "DR") && has_state(q, dr))
			return true;
	return false;
}

static void print(FILE *out, const struct judge_neighbors *q, const struct neighbor *s)
{
	const struct judge_peer *p = find_peer(q, s);

	fprintf(out, "%s: %s ", q->node, q->protocol->name);
	if (p)
		fprintf(out, "%s (%s%s%s)", p->node, *s->addr ? s->addr : s->id,
			*s->dev && (*s->addr || *s->id) ? ", " : "", s->dev);
	else
		fputs(*s->name ? s->name : *s->addr ? s->addr : *s->id ? s->id : s->dev, out);
	fprintf(out, " is %s%s%s\n", s->state, *s->role ? "/" : "", s->role);
}

static bool judge_pair(const struct judge_neighbors *q, const struct neighbors *n, FILE *out)
{
	const char *name = q->n_peers ? q->peers[0].node : "it";
	const struct neighbor *s;
	bool is_known = false;
	bool holds = false;

	VEC_FOREACH (s, &n->at) {
		if (!find_peer(q, s))
			continue;
		is_known = true;
		holds |= has_state(q, s);
		print(out, q, s);
	}
	if (is_known)
		return holds;
	fprintf(out, "%s: %s knows no neighbour %s\n", q->node, q->protocol->name, name);
	VEC_FOREACH (s, &n->at)
		print(out, q, s);
	return !strcasecmp(wanted(q), "down");
}

/* Those that are not as they should be are named; if there are none, all are. */
static bool judge_all(const struct judge_neighbors *q, const struct neighbors *n, FILE *out)
{
	const struct neighbor *s;
	bool holds = n->at.n > 0;

	VEC_FOREACH (s, &n->at) {
		bool is_good = has_state(q, s) || is_at_rest(q, n, s);

		holds &= is_good;
		if (!is_good || q->tells_all)
			print(out, q, s);
	}
	for (size_t i = 0; i < q->n_peers; i++) {
		bool is_known = false;

		VEC_FOREACH (s, &n->at)
			is_known |= is_peer(&q->peers[i], s);
		if (!is_known)
			fprintf(out, "%s: %s knows no neighbour %s\n", q->node, q->protocol->name,
				q->peers[i].node);
		holds &= is_known;
	}
	if (!n->at.n && !q->n_peers)
		fprintf(out, "%s: %s knows no neighbour\n", q->node, q->protocol->name);
	if (holds && !q->tells_all)
		VEC_FOREACH (s, &n->at)
			print(out, q, s);
	return holds;
}

bool judge_neighbors(const struct judge_neighbors *q, const char *text, FILE *out)
{
	struct neighbors n = {0};
	bool holds = false;

	if (!read_answer(q->protocol, text, &n))
		fprintf(out, "%s: the answer of %s cannot be read\n", q->node, q->protocol->daemon);
	else
		holds = q->is_all ? judge_all(q, &n, out) : judge_pair(q, &n, out);
	vec_free(&n.at);
	arena_finish(&n.arena);
	return holds;
}
