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
	struct addr addr;
	struct loc loc;
	bool is_auto;
	struct world_addr *next;
};

struct world_nic {
	struct world_node *node; /* NULL: not attached */
	size_t index;            /* in node->nics */
	struct world_cable *cable;
	unsigned end;              /* of the cable */
	struct world_vlink *vlink; /* instead of a cable */
	bool has_mac, has_mtu;
	uint8_t mac[6];
	unsigned mtu;
	int64_t speed_bps;
	enum nic_duplex duplex;
	bool has_backend; /* said by the script: else what the node's kind has */
	enum nic_backend backend;
	const char *ifname, *path; /* of the outside: the host's interface; a socket; or NULL */
	struct world_addr *addrs, **addrs_end;
	struct world_pair *params, **params_end; /* of a port of a switch */
	struct loc loc;
	size_t number;             /* in the order of making */
	struct world_nic *segment; /* while checking: another NIC of the same segment */
	struct world_nic *next;
};

struct world_route {
	bool is_default;
	struct addr dest; /* with a prefix; its family only, for a default route */
	bool has_via;
	struct addr via;
	struct world_nic *dev;   /* or NULL */
	struct world_vnet *vnet; /* as the script says, then as the gateway tells; or NULL */
	struct loc loc;
	struct world_route *next;
};

struct world_pair {
	const char *key, *value;
	struct world_pair *next;
};

/* A command of a guest or an end system. */
struct world_command {
	const char *text;
	bool may_fail;
	struct world_vnet *vnet; /* or NULL */
	struct world_command *next;
};

/* A configuration (key: the daemon) or a file (key: the path in the guest). */
struct world_text {
	const char *key;
	const char *text;
	size_t len;
	const char *source; /* instead of the text */
	unsigned mode;
	bool may_fail;           /* configurations: of their daemon */
	struct world_vnet *vnet; /* configurations: in which it runs, or NULL */
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
	struct world_vnet **vnets; /* of a virtual node */
	size_t n_vnets;
	struct world_node *place; /* what the script says, then what was chosen */
	struct loc place_loc;
	int room;
	const struct world_nic *more;           /* model of the NICs that "..." stands for */
	int64_t memory_bytes;                   /* 0: not said */
	int64_t cpu_ppm, cpu_weight, processes; /* 0: the script says nothing */
	const char *label;                      /* how people call it, or NULL */
	const char *hostname, *root, *shell;
	const char *disk;   /* base of its disk, or NULL */
	int64_t disk_bytes; /* 0: as large as its base; neither: it has none */
	bool disk_read_only;
	struct loc disk_loc;
	struct world_route *routes, **routes_end;
	struct world_pair *packages; /* sorted; the value is the name */
	bool vbet;                   /* vbet is in its file system */
	struct world_pair *sysctls, **sysctls_end;
	struct world_command *commands, **commands_end;
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
	int64_t timeout_ns;
	struct graph_side side;
	struct world_vnet *vnet; /* or NULL */
	struct loc loc;
	struct world_event *next;
};

struct world_expect {
	const char *name, *hint;
	int64_t points, stays_ns;
	enum graph_level level;
	struct graph_probe probe;
	const struct value_list *hops; /* CHECK_PATH: nodes */
	struct graph_want want;
	int64_t start_ns, deadline_ns, timeout_ns, every_ns;
	bool negated;
	enum graph_check kind;
	struct world_node *node, *peer;
	const char *text, *via, *dev, *proto, *table, *state;
	const struct world_nic *nic; /* in place of dev */
	int64_t metric;
	struct world_vnet *vnet; /* or NULL */
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
	struct world_slink *slink; /* that laid it, and takes it away; or NULL */
	struct world_cable *next;
};

struct world_vnet {
	const char *name, *hint;
	struct loc loc, name_loc;
	size_t number;
	int64_t share_ppm; /* -1: the script says nothing */
	struct loc share_loc;
	bool is_removed;
	struct world_vnet *next;
};

struct world_slink {
	const char *name, *hint;
	struct loc loc, name_loc;
	size_t number;
	enum graph_slink_kind kind;
	enum graph_encap encap;
	struct world_nic **ends;
	size_t n_ends;
	struct world_slink *lan;    /* SLINK_ACROSS */
	struct world_node *manager; /* SLINK_LAN; NULL: the first member */
	unsigned vlan, priority;
	int64_t rate_bps[2]; /* SLINK_LAN: [0] is what the script says, or 0 */
	struct loc rate_loc;
	unsigned mtu;
	bool is_named; /* not after its cable */
	bool is_removed;
	struct world_slink *next;
};

/* What a virtual link shall pass: a substrate node or a substrate link. */
struct world_stop {
	struct world_node *node;
	struct world_slink *slink;
	struct loc loc;
};

struct world_vlink {
	const char *name, *hint;
	struct loc loc, name_loc;
	size_t number;
	struct world_vnet *vnet;
	struct world_slink *lan; /* multi-access, or NULL */
	struct world_nic **ends;
	size_t n_ends;
	struct world_stop *via;
	size_t n_via;
	struct world_slink **path; /* what was chosen */
	size_t n_path;
	int64_t min_bps[2], max_bps[2]; /* max 0: what the way has */
	struct loc min_loc;             /* where its minimum was said last */
	bool is_removed;
	struct world_vlink *next;
};

enum {
	WORLD_MAX_NODES = 10000,
	WORLD_MAX_CABLES = 200000,
	WORLD_MAX_NICS = 64,    /* of a guest */
	WORLD_MAX_PORTS = 1024, /* of a hub or switch: DEVICE_PORTS_MAX of substrate/device */
	WORLD_MAX_LINKS = 4096, /* of a substrate node */
	WORLD_MAX_SUBSTRATE = 1000,
	WORLD_MAX_VNETS = 1000,
	WORLD_MAX_VNETS_OF_NODE = 16,
	WORLD_MAX_SLINKS = 10000,
	WORLD_MAX_VLINKS = 10000,
	WORLD_MAX_STOPS = 1000, /* of a virtual link */
};

struct world {
	struct arena *arena;
	struct world_node *nodes, **nodes_end;
	size_t n_nodes;
	struct world_cable *cables, **cables_end;
	size_t n_cables;
	struct world_nic *nics, **nics_end; /* all that were ever made */
	size_t n_nics;
	struct world_vnet *vnets, **vnets_end;
	struct world_slink *slinks, **slinks_end;
	struct world_vlink *vlinks, **vlinks_end;
	size_t n_substrate, n_vnets, n_slinks, n_vlinks;
	struct names names; /* of nodes, cables and all that is virtual */
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
	struct world_pair *packages; /* of all nodes of the script */
};

void world_init(struct world *w, struct arena *a);
/* Gives memory to guests of which the script does not say how much. */
void world_settle_memory(struct world *w);
struct world_node *world_add_node(struct world *w, enum node_kind kind, struct loc loc);
struct world_cable *world_add_cable(struct world *w, struct loc loc);
struct world_nic *world_add_nic(struct world *w, struct loc loc);
/* False if the node has as many as it can have. */
bool world_attach(struct world *w, struct world_node *node, struct world_nic *nic);
/* The NIC of that number (from 0), made if the node may grow; NULL if there is none. */
struct world_nic *world_get_nic(struct world *w, struct world_node *node, size_t i, struct loc loc);
/* The first NIC that is not plugged, made if the node may grow; NULL if there is none. */
struct world_nic *world_free_nic(struct world *w, struct world_node *node, struct loc loc);
/* The one after the first `skip` of those; NULL if there is none. */
struct world_nic *world_next_free_nic(struct world *w, struct world_node *node, size_t skip,
				      struct loc loc);
/* True if a cable or a virtual link is in it. */
bool world_is_plugged(const struct world_nic *nic);
void world_plug(struct world_cable *c, unsigned end, struct world_nic *nic);
void world_unplug(struct world_cable *c, unsigned end);
/* Takes a NIC out of its virtual link; a link that then joins nothing goes. */
void world_leave(struct world_nic *nic);
void world_remove_vlink(struct world_vlink *v);
/* "eth0" of a guest's NIC, "1" of a port. In the arena a. */
const char *world_nic_name(struct arena *a, const struct world_nic *nic);
/*
 * To which network the address of a NIC belongs: addresses are unique in each. NULL: to none of the
 * virtual ones.
 */
const struct world_vnet *world_realm(const struct world_nic *nic);
bool world_is_in_vnet(const struct world_node *n, const struct world_vnet *v);
/* "NIC 2 of r1", "port 2 of switch1": for messages; in the arena. */
const char *world_describe_nic(const struct world *w, const struct world_nic *nic);
/* The cable that a point-to-point link runs over, if it is a single one; else NULL. */
struct world_cable *world_slink_cable(const struct world_slink *l);
/*
 * Its name: the one it was given, else that of its cable, else one made of its ends, which nothing
 * can be given. NULL while nodes have no names. In the arena.
 */
const char *world_slink_name(const struct world *w, const struct world_slink *l);
/* The substrate link that runs over the cable, or that has the name; NULL: none. */
struct world_slink *world_slink_over(const struct world *w, const struct world_cable *c);
struct world_slink *world_find_slink(const struct world *w, const char *name);
/* "NIC", "port" or "interface". */
const char *world_nic_word(enum node_kind kind);
const char *world_describe_node(const struct world *w, const struct world_node *node);

/* What a named thing is called: places in the thing that the value stands for. */
struct world_label {
	const char **name, **hint;
	struct loc *name_loc;
	const char *what; /* "host", "cable", ... */
};
/* False if a value of that kind has no name. */
bool world_label(const struct value *v, struct world_label *label);

/* Appends to one of the lists above: world_append(&node->routes_end, route). */
#define world_append(end, item)         \
	do {                            \
		**(end) = (item);       \
		*(end) = &(item)->next; \
	} while (0)

#endif
