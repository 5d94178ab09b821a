/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answers are those of FRR 8.4: zebra/zebra_vty.c, ospfd/ospf_vty.c, ospf6d/ospf6_route.c,
 * bgpd/bgp_route.c. Each becomes a list of routes to the one destination that is asked for; what is
 * asked of them is then the same for all.
 */
#include "vbet-server/plan/judge_table.h"

#include "lib/addr.h"
#include "lib/vec.h"
#include "vbet-server/plan/judge_json.h"
#include "vbet-server/plan/judge_priv.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { HOPS_MAX = 4096 };

/* A next hop of a route; those with the same route follow each other. */
struct hop {
	const char *via, *dev; /* "": it has none */
	const char *proto;     /* who says so; "": the table's own daemon */
	const char *note;      /* of the route, to be shown */
	int64_t metric;        /* -1: none */
	int set;               /* those with the same number are one set; -1: it is in none */
	bool is_dead;          /* told, but not to be used */
};

struct hops {
	struct arena arena;
	struct addr dest;
	VEC(struct hop) at;
	int n_sets;
};

static int64_t number_of(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	if (!json_object_object_get_ex(o, key, &v) || !json_object_is_type(v, json_type_int))
		return -1;
	return json_object_get_int64(v);
}

static bool is_true(struct json_object *o, const char *key)
{
	struct json_object *v = NULL;

	return json_object_object_get_ex(o, key, &v) && json_object_get_boolean(v);
}

static void add(struct hops *h, struct hop hop)
{
	if (h->at.n < HOPS_MAX)
		vec_push(&h->at, hop);
}

/*
 * A recursive next hop is followed by those that resolve it. It is what the protocol says, so it
 * counts, with the interface of the first of them.
 */
static void read_rib_hops(struct hops *h, struct json_object *hops, struct hop route)
{
	for (size_t i = 0; i < judge_json_length(hops); i++) {
		struct json_object *o = json_object_array_get_idx(hops, i);
		struct hop hop = route;

		hop.via = judge_json_text(&h->arena, o, "ip");
		hop.dev = judge_json_text(&h->arena, o, "interfaceName");
		hop.is_dead = !is_true(o, "active");
		if (is_true(o, "resolver"))
			hop.set = -1;
		if (is_true(o, "recursive") && !*hop.dev && i + 1 < judge_json_length(hops))
			hop.dev = judge_json_text(&h->arena, json_object_array_get_idx(hops, i + 1),
						  "interfaceName");
		add(h, hop);
	}
	if (!judge_json_length(hops))
		add(h, route);
}

/* [{"protocol", "selected", "metric", "nexthops": [{"ip", "interfaceName", "active"}]}] */
static void read_rib(struct hops *h, struct json_object *routes)
{
	size_t n = judge_json_length(routes);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(routes, i);
		struct hop route = {.via = "",
				    .dev = "",
				    .proto = judge_json_text(&h->arena, o, "protocol"),
				    .note = is_true(o, "selected") ? "selected" : "not selected",
				    .metric = number_of(o, "metric"),
				    .set = h->n_sets++};

		read_rib_hops(h, judge_json_member(o, "nexthops", json_type_array), route);
	}
}

/* {"routeType", "cost", "type2cost", "nexthops": [{"ip", "via" or "directly attached to"}]} */
static void read_ospf(struct hops *h, struct json_object *o)
{
	struct json_object *hops = judge_json_member(o, "nexthops", json_type_array);
	struct hop route = {.proto = "",
			    .note = judge_json_text(&h->arena, o, "routeType"),
			    .set = h->n_sets++};

	/* An external route of type 2 has the metric with which it came. */
	route.metric = number_of(o, "type2cost");
	if (route.metric < 0)
		route.metric = number_of(o, "cost");
	for (size_t i = 0; i < judge_json_length(hops); i++) {
		struct json_object *at = json_object_array_get_idx(hops, i);
		struct hop hop = route;

		hop.via = judge_json_text(&h->arena, at, "ip");
		hop.dev = judge_json_text(&h->arena, at, "via");
		if (!*hop.dev)
			hop.dev = judge_json_text(&h->arena, at, "directly attached to");
		if (!strcmp(hop.via, " "))
			hop.via = "";
		add(h, hop);
	}
}

/* {"pathType", "metricType", "metricCost", "metricCostE2", "nextHops": [{"nextHop", ...}]} */
static void read_ospf6_route(struct hops *h, struct json_object *o)
{
	struct json_object *hops = judge_json_member(o, "nextHops", json_type_array);
	struct hop route = {
		.proto = "", .note = judge_json_text(&h->arena, o, "pathType"), .set = h->n_sets++};

	route.metric =
		number_of(o, number_of(o, "metricType") == 2 ? "metricCostE2" : "metricCost");
	for (size_t i = 0; i < judge_json_length(hops); i++) {
		struct json_object *at = json_object_array_get_idx(hops, i);
		struct hop hop = route;

		hop.via = judge_json_text(&h->arena, at, "nextHop");
		hop.dev = judge_json_text(&h->arena, at, "interfaceName");
		if (!strcmp(hop.via, "::"))
			hop.via = "";
		add(h, hop);
	}
}

/* Later versions have a list. */
static void read_ospf6(struct hops *h, struct json_object *o)
{
	if (!json_object_is_type(o, json_type_array))
		read_ospf6_route(h, o);
	else
		for (size_t i = 0; i < judge_json_length(o); i++)
			read_ospf6_route(h, json_object_array_get_idx(o, i));
}

/* [{"valid", "bestpath", "multipath", "metric", "path", "nexthops": [{"ip", "used"}]}] */
static void read_bgp(struct hops *h, struct json_object *paths)
{
	size_t n = judge_json_length(paths);

	for (size_t i = 0; i < n; i++) {
		struct json_object *o = json_object_array_get_idx(paths, i);
		struct json_object *hops = judge_json_member(o, "nexthops", json_type_array);
		bool is_best = is_true(o, "bestpath");
		bool is_shared = is_true(o, "multipath");
		const char *state = is_best               ? "best"
				    : is_shared           ? "multipath"
				    : is_true(o, "valid") ? "valid"
							  : "not valid";
		struct hop path = {.dev = "", .proto = "", .metric = number_of(o, "metric")};

		path.note = arena_printf(&h->arena, "path %s, %s",
					 judge_json_text(&h->arena, o, "path"), state);
		path.is_dead = !is_best && !is_shared && !is_true(o, "valid");
		for (size_t k = 0; k < judge_json_length(hops); k++) {
			struct json_object *at = json_object_array_get_idx(hops, k);
			struct hop hop = path;

			hop.via = judge_json_text(&h->arena, at, "ip");
			hop.set = (is_best || is_shared) && is_true(at, "used") ? 0 : -1;
			add(h, hop);
		}
	}
	h->n_sets = 1;
}

static const struct {
	struct judge_table t;
	const char *under; /* the member that has the destinations, or NULL: all are */
	void (*read)(struct hops *h, struct json_object *of_dest);
} readers[] = {
	{{"rib", "zebra", {"show ip route json", "show ipv6 route json"}}, NULL, read_rib},
	{{"ospf", "ospfd", {"show ip ospf route json", NULL}}, NULL, read_ospf},
	{{"ospf6", "ospf6d", {NULL, "show ipv6 ospf6 route detail json"}}, "routes", read_ospf6},
	{{"bgp", "bgpd", {"show bgp ipv4 unicast json", "show bgp ipv6 unicast json"}},
	 "routes",
	 read_bgp},
};

const struct judge_table *judge_find_table(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(readers); i++)
		if (!strcmp(readers[i].t.name, name))
			return &readers[i].t;
	return NULL;
}

/* The default route of which family? The gateway says it, or the table has only one. */
static struct addr dest_of(const struct judge_table *t, const struct words *want)
{
	const char *dest = want->at[3];
	const char *via = words_get(want, "via");
	struct addr a = {.family = AF_INET};

	if (strcmp(dest, "default") != 0 && addr_parse(dest, strlen(dest), &a, NULL) == 0) {
		if (a.prefix == ADDR_NO_PREFIX)
			a.prefix = addr_bits(&a);
		return addr_network(&a);
	}
	if ((via && strchr(via, ':')) || !t->command[0])
		a.family = AF_INET6;
	return a;
}

const char *judge_table_command(const struct judge_table *t, const struct words *want)
{
	return t->command[dest_of(t, want).family == AF_INET6];
}

/* False: that is no answer of such a daemon. */
static bool read_answer(const struct judge_table *t, const char *text, struct hops *h)
{
	bool is_json;
	struct json_object *root = judge_json_parse(text, &is_json);
	struct json_object *all = root;
	size_t i = 0;

	is_json = is_json && json_object_is_type(root, json_type_object);
	while (&readers[i].t != t)
		i++;
	if (is_json && readers[i].under && !json_object_object_get_ex(root, readers[i].under, &all))
		all = NULL;
	if (is_json && json_object_is_type(all, json_type_object)) {
		json_object_object_foreach(all, key, value)
		{
			struct addr a;

			if (addr_parse(key, strlen(key), &a, NULL) == 0 &&
			    addr_compare(&a, &h->dest) == 0)
				readers[i].read(h, value);
		}
	}
	json_object_put(root);
	return is_json;
}

static bool is_protocol(const char *want, const char *seen)
{
	/* Of the two that FRR tells apart by family, the kernel has one number. */
	return !strcmp(want, seen) || (!strcmp(want, "ospf") && !strcmp(seen, "ospf6")) ||
	       (!strcmp(want, "rip") && !strcmp(seen, "ripng"));
}

/* But for next hops of which each is wanted. */
static bool is_wanted(const struct words *want, const struct hop *hop)
{
	const char *via = words_get(want, "via");
	const char *dev = words_get(want, "dev");
	const char *proto = words_get(want, "proto");
	const char *metric = words_get(want, "metric");

	if (hop->is_dead)
		return false;
	if (via && !strchr(via, ',') && !judge_same_address(via, hop->via))
		return false;
	return (!dev || !strcmp(dev, hop->dev)) && (!proto || is_protocol(proto, hop->proto)) &&
	       (!metric || strtoll(metric, NULL, 10) == hop->metric);
}

static void print(FILE *out, const struct judge_table *t, const struct words *want,
		  const struct hop *hop)
{
	fprintf(out, "%s: %s: %s", want->at[2], t->name, want->at[3]);
	if (*hop->via)
		fprintf(out, " via %s", hop->via);
	if (*hop->dev)
		fprintf(out, " dev %s", hop->dev);
	if (*hop->proto)
		fprintf(out, " proto %s", hop->proto);
	if (hop->metric >= 0)
		fprintf(out, " metric %" PRId64, hop->metric);
	fprintf(out, " (%s%s)\n", hop->note, hop->is_dead && *hop->proto ? ", inactive" : "");
}

static bool has_set(const struct words *want, const struct hops *h, int number)
{
	struct judge_hops set = judge_hops_of(words_get(want, "via"));
	const struct hop *hop;
	bool is_any = false;

	VEC_FOREACH (hop, &h->at) {
		if (hop->set != number || !is_wanted(want, hop))
			continue;
		is_any = true;
		judge_hops_see(&set, hop->via);
	}
	return is_any && judge_hops_hold(&set);
}

bool judge_table_wants_absence(const struct words *want)
{
	return words_get(want, "absent") != NULL;
}

bool judge_table_routes(const struct judge_table *t, const struct words *want, const char *text,
			FILE *out)
{
	const char *via = words_get(want, "via");
	struct hops h = {.dest = dest_of(t, want)};
	const struct hop *hop;
	bool is_read = read_answer(t, text, &h);
	bool holds = !is_read && judge_table_wants_absence(want);

	if (!is_read)
		fprintf(out, "%s: the answer of %s cannot be read\n", want->at[2], t->daemon);
	else if (!h.at.n)
		fprintf(out, "%s: %s has no route to %s\n", want->at[2], t->name, want->at[3]);
	VEC_FOREACH (hop, &h.at) {
		holds |= is_wanted(want, hop) && !(via && strchr(via, ','));
		print(out, t, want, hop);
	}
	/* No honest table has more. */
	for (int i = 0; i < h.n_sets && i < HOPS_MAX && via && strchr(via, ','); i++)
		holds |= has_set(want, &h, i);
	vec_free(&h.at);
	arena_finish(&h.arena);
	return holds;
}
