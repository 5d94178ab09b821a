/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Topologies of netlab (topology.yml; netlab.tools, "Topology File Overview"): nodes, links,
 * groups, address pools, and the modules ospf, isis and bgp, from which netlab makes addresses and
 * configurations by rules of its own. They are applied here, for routers of FRR.
 */
#ifndef VBET_SERVER_IMPORT_NETLAB_H
#define VBET_SERVER_IMPORT_NETLAB_H

#include "vbet-server/import/model.h"
#include "vbet-server/import/yaml_tree.h"

#include <stdio.h>

/* Reads the topology into an empty model. 0, or -1 with "FILE:LINE:COLUMN: why". */
int netlab_read(struct import_model *m, const struct import_source *src, const char *text,
		size_t len, struct err *e);

/* ---- between the files of this format ---- */

enum netlab_module { NETLAB_OSPF = 1 << 0, NETLAB_ISIS = 1 << 1, NETLAB_BGP = 1 << 2 };
/* Index of what there is for both families. */
enum netlab_family { NETLAB_V4, NETLAB_V6, NETLAB_FAMILIES };

struct netlab_pool {
	const char *name;
	bool has[NETLAB_FAMILIES];
	struct addr net[NETLAB_FAMILIES];
	unsigned size[NETLAB_FAMILIES]; /* prefix length of what is taken out of it */
	uint64_t next[NETLAB_FAMILIES];
};

struct netlab_node {
	const char *name;
	const struct yaml_value *own;
	VEC(const struct yaml_value *) groups;
	unsigned id;
	unsigned modules; /* enum netlab_module */
	bool is_host, is_reflector;
	uint32_t as; /* 0: none */
	bool has_loopback[NETLAB_FAMILIES];
	struct addr loopback[NETLAB_FAMILIES];
};

struct netlab_end {
	size_t node, nic;
	const struct yaml_value *more; /* what the link says of this end, or NULL */
	bool has[NETLAB_FAMILIES];
	struct addr addr[NETLAB_FAMILIES];
};

struct netlab_link {
	const struct yaml_value *value, *group; /* group: of which it is a member, or NULL */
	VEC(struct netlab_end) ends;
	size_t routers;
	bool is_p2p;
	bool is_stub;     /* no neighbours: passive */
	bool is_external; /* between autonomous systems: no IGP */
	bool has[NETLAB_FAMILIES];
	struct addr net[NETLAB_FAMILIES];
};

/* A link that a node is on, and as which end. */
struct netlab_on {
	const struct netlab_link *link;
	const struct netlab_end *end;
};

/* Without a next hop, what goes there is discarded. */
struct netlab_route {
	struct addr net;
	struct addr via[16];
	size_t n_via;
	bool is_far; /* a next hop is in no network of the node's */
};

struct netlab_routes {
	VEC(struct netlab_route) at;
};

struct netlab {
	struct import_model *m;
	struct err *e;
	const struct yaml_value *top;
	VEC(struct netlab_node) nodes; /* the same places as in the model */
	VEC(struct netlab_link) links;
	VEC(struct netlab_pool) pools;
	size_t steps; /* of what aliases can repeat; see netlab_step() */
};

/* More keys of a node, a group, a link or the topology are a mistake. */
enum { NETLAB_MAX_KEYS = 500, NETLAB_MAX_STEPS = 200000 };

/* Once for each thing of a list: false, and the model is full, if aliases make too many of few. */
bool netlab_step(struct netlab *n);

/* "a.b.c" in nested maps, whose keys may have dots themselves. NULL: not there. */
const struct yaml_value *netlab_get(const struct yaml_value *v, const char *path);
/*
 * A map whose key "a.b" is one key of the map "a"; what is deeper keeps its dots. of_nodes: only
 * where a node is called "a". All else, and a map with more than NETLAB_MAX_KEYS keys, as it is.
 */
const struct yaml_value *netlab_undot(struct netlab *n, const struct yaml_value *v, bool of_nodes);
/* What netlab_get() finds, as a text; NULL also if it is a list or map. */
const char *netlab_text(const struct yaml_value *v, const char *path);
/* A property of a node: its own, of one of its groups, of the topology. */
const struct yaml_value *netlab_property(const struct netlab *n, const struct netlab_node *node,
					 const char *path);
/* Is it there, and neither false nor null? */
bool netlab_is_on(const struct yaml_value *v);

/* "ipv4", "ipv6": keys of both families. */
extern const char *const netlab_families[];
/* An address with a prefix length, of family f. text may be NULL. */
bool netlab_parse_net(const char *text, size_t f, struct addr *out);
/* By its name; NULL: there is none. After netlab_read_links() has begun. */
struct netlab_pool *netlab_find_pool(struct netlab *n, const char *name);

/* Adds links and addresses; after the nodes. */
int netlab_read_links(struct netlab *n);
/* What a link says of an end, or of itself, or its group. */
const struct yaml_value *netlab_link_property(const struct netlab_link *l,
					      const struct netlab_end *end, const char *path);
/* The static routes of a node, which is on these links. The caller frees the vector. */
void netlab_find_routes(struct netlab *n, size_t place, const struct netlab_on *on, size_t n_on,
			struct netlab_routes *out);
/* As lines of FRR; as commands of a node that has no FRR. */
void netlab_put_routes(const struct netlab_routes *routes, FILE *out);
void netlab_add_routes(struct netlab *n, size_t place, const struct netlab_routes *routes);
/* Adds the configurations of the routers. */
void netlab_add_configs(struct netlab *n);

#endif
