/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The network while a script is being evaluated: nodes without names, cables with one end. When the
 * script is through, it is checked and frozen into a graph. All of it lives in one arena.
 */
#ifndef TOPO_WORLD_H
#define TOPO_WORLD_H

#include "lib/arena.h"
#include "topo/diag.h"
#include "topo/graph.h"
#include "topo/names.h"

struct world_addr {
	struct graph_addr addr;
	struct loc loc;
	bool is_auto;
	struct world_addr *next;
};

struct world_nic {
	struct world_node *node; /* NULL: not attached */
	size_t index;            /* in node->nics */
	struct world_cable *cable;
	unsigned end; /* of the cable */
	bool has_mac;
	uint8_t mac[6];
	unsigned mtu;
	enum nic_backend backend;
	struct world_addr *addrs, **addrs_end;
	struct world_pair *params, **params_end; /* of a port of a switch */
	struct loc loc;
	size_t number;             /* in the order of making */
	struct world_nic *segment; /* while checking: another NIC of the same segment */
	struct world_nic *next;
};

struct world_route {
	bool is_default;
	struct graph_addr dest; /* with a prefix; its family only, for a default route */
	bool has_via;
	struct graph_addr via;
	struct world_nic *dev; /* or NULL */
	struct loc loc;
	struct world_route *next;
};

struct world_pair {
	const char *key, *value;
	struct world_pair *next;
};

/* A configuration (key: the daemon) or a file (key: the path in the guest). */
struct world_text {
	const char *key;
	const char *text;
	size_t len;
	const char *source; /* instead of the text */
	unsigned mode;
	struct loc loc;
	struct world_text *next;
};

struct world_node {
	const char *name; /* NULL: not yet known */
	const char *hint; /* a name to use if nobody gives one */
	struct loc loc;   /* of the alloc() */
	struct loc name_loc;
	enum node_kind kind;
	size_t number; /* in the order of allocation */
	struct world_nic **nics;
	size_t n_nics, nics_cap;
	bool is_fixed; /* NICs were attached one by one: no more than these */
	bool is_removed;
	const struct world_nic *more; /* model of the NICs that "..." stands for */
	int64_t memory_bytes;
	const char *hostname, *root, *shell;
	struct world_route *routes, **routes_end;
	struct world_pair *sysctls, **sysctls_end;
	struct world_pair *commands, **commands_end;
	struct world_pair *params, **params_end;
	struct world_text *configs, **configs_end;
	struct world_text *files, **files_end;
	struct world_node *next;
};

/* At a time: one of the two, or none. */
struct world_event {
	int64_t time_ns;
	enum graph_action kind;
	struct world_node *node;
	struct world_cable *cable;
	const char *text;
	struct graph_side side;
	struct loc loc;
	struct world_event *next;
};

struct world_expect {
	int64_t start_ns, deadline_ns;
	bool negated;
	enum graph_check kind;
	struct world_node *node, *peer;
	const char *text, *via;
	struct loc loc;
	struct world_expect *next;
};

struct world_cable {
	const char *name, *hint;
	struct loc loc;
	struct loc name_loc;
	size_t number;
	struct world_nic *end[2];
	struct linkspec dir[2];
	struct graph_cut cut;
	unsigned said_up, said_link;
	bool is_removed;
	struct world_cable *next;
};

enum {
	WORLD_MAX_NODES = 10000,
	WORLD_MAX_CABLES = 200000,
	WORLD_MAX_NICS = 64,    /* of a guest */
	WORLD_MAX_PORTS = 4096, /* of a hub or switch */
};

struct world {
	struct arena *arena;
	struct world_node *nodes, **nodes_end;
	size_t n_nodes;
	struct world_cable *cables, **cables_end;
	size_t n_cables;
	struct world_nic *nics, **nics_end; /* all that were ever made */
	size_t n_nics;
	struct names names; /* of nodes and cables */
	struct world_event *events, **events_end;
	struct world_expect *expects, **expects_end;

	/* Settings. */
	const char *lab;
	struct loc lab_loc;
	enum clock_kind clock;
	enum graph_spin spin;
	uint64_t seed;
	bool auto_address;
	bool allow_duplicates;
};

void world_init(struct world *w, struct arena *a);
struct world_node *world_add_node(struct world *w, enum node_kind kind, struct loc loc);
struct world_cable *world_add_cable(struct world *w, struct loc loc);
struct world_nic *world_add_nic(struct world *w, struct loc loc);
/* False if the node has as many as it can have. */
bool world_attach(struct world *w, struct world_node *node, struct world_nic *nic);
/* The NIC of that number (from 0), made if the node may grow; NULL if there is none. */
struct world_nic *world_get_nic(struct world *w, struct world_node *node, size_t i, struct loc loc);
/* The first NIC that is not plugged, made if the node may grow; NULL if there is none. */
struct world_nic *world_free_nic(struct world *w, struct world_node *node, struct loc loc);
void world_plug(struct world_cable *c, unsigned end, struct world_nic *nic);
void world_unplug(struct world_cable *c, unsigned end);
/* "NIC 2 of r1", "port 2 of switch1": for messages; in the arena. */
const char *world_describe_nic(const struct world *w, const struct world_nic *nic);
const char *world_describe_node(const struct world *w, const struct world_node *node);

/* Appends to one of the lists above: world_append(&node->routes_end, route). */
#define world_append(end, item)         \
	do {                            \
		**(end) = (item);       \
		*(end) = &(item)->next; \
	} while (0)

#endif
