/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The graph: what a script means, with every name resolved, every default filled in and every MAC
 * derived. A plain value: pointers lead only into its own arena; indices refer to its own arrays.
 * It knows nothing of files, sockets or processes.
 */
#ifndef TOPO_GRAPH_H
#define TOPO_GRAPH_H

#include "lib/addr.h"
#include "lib/arena.h"
#include "lib/linkspec.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum node_kind {
	NODE_HOST,
	NODE_ROUTER,
	NODE_FIREWALL,
	NODE_SERVER,
	NODE_HUB,
	NODE_SWITCH,
	NODE_SUBSTRATE, /* carries virtual links and holds virtual nodes */
	NODE_ENDSYSTEM, /* a virtual node whose NICs are a program's */
	NODE_OUTSIDE,
	NODE_INTERNET,
	NODE_KINDS,
};

/*
 * "host", "router", ...; is_guest: has a kernel of its own; is_device: a hub or switch, all ports
 * of which are one segment; is_outside: stands for something outside of the lab; is_station: has
 * NICs with addresses of their own (guest, end system, outside).
 */
const char *node_kind_name(enum node_kind kind);
bool node_kind_is_guest(enum node_kind kind);
bool node_kind_is_device(enum node_kind kind);
bool node_kind_is_station(enum node_kind kind);
bool node_kind_is_outside(enum node_kind kind);

/* How frames get out of a NIC: into a guest, or out of the lab. */
enum nic_backend {
	NIC_VHOST,
	NIC_SEQPACKET,
	NIC_TAP,
	NIC_PCAP,
	NIC_UML_SWITCH,
	NIC_SLIRP,
	NIC_BACKENDS,
};
const char *nic_backend_name(enum nic_backend backend);
/* May a node of this kind have it? What it has if the script says nothing. */
bool nic_backend_fits(enum nic_backend backend, enum node_kind kind);
enum nic_backend nic_backend_default(enum node_kind kind);

/* What a NIC says of its duplex; without a word of the script as its cable has it. */
enum nic_duplex { NIC_DUPLEX_AUTO, NIC_DUPLEX_HALF, NIC_DUPLEX_FULL, NIC_DUPLEXES };
const char *nic_duplex_name(enum nic_duplex duplex);

/* Where a thing was written: for messages. */
struct graph_pos {
	const char *file; /* in the arena */
	int line, column; /* from 1 */
};

struct graph_pair {
	const char *key, *value;
};

/* A guest's NIC, a port of a hub or switch, or an interface of a substrate node. */
struct graph_nic {
	/* "eth0", ... on stations; of the outside: the interface of the host, or "socket0", ...;
	 * "1", "2", ... (from 1) on all others */
	const char *name;
	uint8_t mac[6];    /* not of ports: local, derived from (lab, node, nic) or given */
	unsigned mtu;      /* bytes of layer-3 payload; default 1500 */
	int64_t speed_bps; /* that it says it has; 0: as its cable has it */
	enum nic_duplex duplex;
	enum nic_backend backend;
	const char *path; /* of the socket, where the outside has one to connect to; or NULL */
	struct addr *addrs;
	size_t n_addrs;
	bool addrs_are_auto; /* given by us, because the script gives none on this segment */
	int cable;           /* index into graph.cables, or -1: not plugged */
	unsigned cable_end;  /* 0 or 1 */
	int vlink;           /* index into graph.vlinks, or -1: no virtual link */
	int vnet; /* of the virtual link: index into graph.vnets; -1: the ordinary network */
	/* Ports of switches: parameters as words for the substrate ("vlan", "10"). */
	struct graph_pair *params;
	size_t n_params;
	struct graph_pos pos;
};

struct graph_route {
	const char *dest; /* "default", "10.0.0.0/8", "2001:db8::/32" */
	const char *via;  /* next hop address, or NULL */
	const char *dev;  /* NIC name, or NULL */
	int vnet;         /* nodes in several vNets: in whose table it is; -1: the main one */
};

/* A file laid into the guest's private layer before services start. */
struct graph_file {
	const char *path; /* absolute, in the guest */
	const char *text; /* content; NULL if `source` is given */
	size_t text_len;
	const char *source; /* path of a host file, relative to the script's directory, or NULL */
	unsigned mode;      /* permission bits, default 0644 */
	struct graph_pos pos;
};

/*
 * Configuration of a daemon: config(r1, ospfd, <<EOF ... EOF). Without text and without source,
 * service(r1, httpd): the daemon runs with the configuration that its file system comes with.
 */
struct graph_config {
	const char *daemon; /* "ospfd", "nft", ... as written */
	const char *text;   /* NULL if `source` is given */
	size_t text_len;
	const char *source; /* path relative to the script's directory, or NULL */
	bool may_fail;      /* the lab is ready without the daemon */
	int vnet;           /* nodes in several vNets: the one it runs in; -1: in none of them */
	struct graph_pos pos;
};

/* Of a guest or an end system, for /bin/sh. */
struct graph_command {
	const char *text;
	bool may_fail; /* guests: the lab is ready though it fails */
	int vnet;      /* as of a configuration */
};

struct graph_node {
	const char *name;
	const char *label; /* how people call it, for them alone: UTF-8 on one line; or NULL */
	enum node_kind kind;
	struct graph_pos pos;
	struct graph_nic *nics;
	size_t n_nics;
	/* Of a virtual node: indices into graph.vnets, in the order of the script. With several of
	 * them the guest has a table of routes for each (docs/substrate.md). */
	int *vnets;
	size_t n_vnets; /* 0: no virtual node */
	int place;      /* index of the substrate node that holds it, or -1 */
	int room;     /* substrate nodes: how many virtual nodes it holds at most; -1: any number */
	bool stopped; /* by hand, no guest: it is not there, and neither is what is plugged in */

	/*
	 * Run by /bin/sh: inside of a guest at its start, in order, after the services are ready;
	 * of an end system on the host, all at once, when the lab is ready.
	 */
	struct graph_command *commands;
	size_t n_commands;
	/* Guests, and what stands for the host. */
	struct graph_route *routes;
	size_t n_routes;

	/* Guests only. */
	int64_t memory_bytes;
	/* What it may take of the machine; each 0: no bound. */
	int64_t cpu_ppm;    /* of one processor */
	int64_t cpu_weight; /* against others that want to run; the usual one is 100 */
	int64_t processes;  /* of its own, beside those that its kernel needs */
	const char *hostname;
	const char *root; /* user's own directory tree or image, relative to the script, or NULL */
	/* Debian packages beside those of our tree, sorted, each once; none with `root`. */
	const char **packages;
	size_t n_packages;
	bool vbet; /* vbet is in its file system, with its kernel and tree; never with `root` */
	const char *shell; /* login shell of consoles, or NULL for the profile's */
	/* Its disk, if one of the two is there: its base, relative to the script; bytes, 0: as the
	 * base has. Read-only only with a base. */
	const char *disk;
	int64_t disk_bytes;
	bool disk_read_only;
	struct graph_pair *sysctls;
	size_t n_sysctls;
	struct graph_config *configs;
	size_t n_configs;
	struct graph_file *files;
	size_t n_files;
	/* All but guests: parameters as words for the substrate ("ageing", "300s"). */
	struct graph_pair *params;
	size_t n_params;
};

struct graph_end {
	int node; /* index into graph.nodes */
	int nic;  /* index into node.nics */
};

/* What is cut of a cable; nothing if all is false. */
struct graph_cut {
	bool all;    /* no carrier at both ends */
	bool end[2]; /* no carrier at this end, and no frame passes */
	bool dir[2]; /* frames from this end are lost, and neither end sees it */
};

struct graph_cable {
	const char *name; /* "cable1", or "r1.eth1-r2.eth0" for one made by link() */
	struct graph_end end[2];
	struct linkspec dir[2]; /* [0]: end[0] to end[1]; [1]: the other way */
	struct graph_cut cut;
	/* How often the script says whether it is up, and what it does to frames. */
	unsigned said_up, said_link;
	struct graph_pos pos;
};

/* A virtual network. */
struct graph_vnet {
	const char *name;
	int64_t share_ppm; /* of the rate of every LAN that it uses with guarantees */
	struct graph_pos pos;
};

enum graph_slink_kind {
	SLINK_CABLE,  /* point to point; Ethernet: over one cable */
	SLINK_ACROSS, /* point to point, across a LAN */
	SLINK_LAN,    /* multi-access: all substrate nodes of a LAN */
};
enum graph_encap { ENCAP_ETHERNET, ENCAP_UDP, ENCAP_GRE, ENCAP_MPLS, ENCAPS };
const char *graph_encap_name(enum graph_encap e);
/* For people: "IP/UDP". */
const char *graph_encap_title(enum graph_encap e);
/* True if the ends of such a link have IPv4 addresses. */
bool graph_encap_has_ip(enum graph_encap e);
/* Octets of a wire's payload that it takes, behind the wire's Ethernet header. */
unsigned graph_encap_overhead(enum graph_encap e);

/* A substrate link. */
struct graph_slink {
	const char *name;
	enum graph_slink_kind kind;
	enum graph_encap encap;
	struct graph_end *ends; /* substrate interfaces: two, or the members of a LAN */
	size_t n_ends;
	int lan;             /* SLINK_ACROSS: index of the LAN's, or -1 */
	int64_t rate_bps[2]; /* from ends[0], from ends[1]; 0: no limit. LAN: [0], the slowest */
	unsigned vlan;       /* SLINK_LAN: of the links across it; 0: none can cross it */
	unsigned priority;   /* SLINK_LAN: of the links across it, 1 to 7 */
	int manager;         /* SLINK_LAN: index of the node with the bandwidth manager, or -1 */
	unsigned mtu;        /* of virtual links over it: layer-3 payload */
	bool is_named;       /* not after its cable */
	struct graph_pos pos;
};

/* A virtual link. */
struct graph_vlink {
	const char *name;
	int vnet;
	int lan;                /* multi-access: index of the LAN's substrate link; else -1 */
	struct graph_end *ends; /* NICs of virtual nodes: two if lan is -1 */
	size_t n_ends;
	/* Point to point only. */
	int *path; /* indices of substrate links, from ends[0]; none: both ends are in one place */
	size_t n_path;
	int64_t min_bps[2], max_bps[2]; /* from ends[0], from ends[1]; max 0: no limit */
	struct graph_pos pos;
};

/* What happens at a time. */
enum graph_action {
	ACTION_CUT,
	ACTION_MEND,
	ACTION_IMPAIR,
	ACTION_EXEC,
	ACTION_START,
	ACTION_STOP,
	ACTION_KILL,
	ACTION_RESTART,
	ACTIONS,
};
const char *graph_action_name(enum graph_action a);

/* Of which part of a cable something is said. */
enum graph_part {
	PART_ALL,
	PART_END, /* the carrier at one end */
	PART_DIR, /* the direction from one end */
};
struct graph_side {
	enum graph_part part;
	unsigned end; /* 0 or 1 */
};
void graph_cut_set(struct graph_cut *c, struct graph_side side, bool cut);

struct graph_event {
	int64_t time_ns; /* on the lab's clock: from 0, or from when the lab was ready */
	enum graph_action kind;
	int node;  /* index into graph.nodes, or -1 */
	int cable; /* index into graph.cables, or -1 */
	/*
	 * ACTION_EXEC: a command for /bin/sh. ACTION_IMPAIR: words "key=value" as lib/linkspec.h
	 * has them, with "ab." or "ba." in front for one direction (ab: from end[0]).
	 */
	const char *text;
	struct graph_side side; /* ACTION_CUT and ACTION_MEND: of the cable */
	int64_t timeout_ns;     /* ACTION_EXEC: after that the command is ended */
	int vnet;               /* ACTION_EXEC: as of a start-up command */
	struct graph_pos pos;
};

/* How long a command of an event or a check may take, if the script does not say (timeout = ...).
 */
#define GRAPH_COMMAND_NS INT64_C(60000000000)

/* How long no routing table may change, so that a network counts as converged. */
#define GRAPH_REST_NS INT64_C(1000000000)

/* What shall be true, tried from start_ns on; the last try begins no later than deadline_ns. */
enum graph_check {
	CHECK_PING,
	CHECK_EXEC,
	CHECK_ROUTE,
	CHECK_NEIGHBOR,
	CHECK_OSPF_FULL,
	CHECK_BGP_ESTABLISHED,
	CHECK_LOSS,
	CHECK_RTT,
	CHECK_THROUGHPUT,
	CHECK_PATH,
	CHECK_REACHES,
	CHECK_NO_LOOP,
	CHECK_NO_BLACKHOLE,
	CHECK_CONVERGES,
	CHECK_SEEN, /* these: node, dev: the NIC; text: a filter */
	CHECK_NEVER,
	CHECK_COUNT,
	CHECKS
};
const char *graph_check_name(enum graph_check c);

/* What an answer is measured by, beyond that it came. */
enum graph_want_op {
	WANT_NOTHING,
	WANT_EQ,
	WANT_NE,
	WANT_LT,
	WANT_LE,
	WANT_GT,
	WANT_GE,
	WANT_MATCHES,  /* a POSIX extended regular expression (regex(7)) */
	WANT_CONTAINS, /* JSON: all of this is in it */
};
/* "==", "matches". */
const char *graph_want_name(enum graph_want_op op);
enum graph_want_op graph_find_want(const char *name); /* WANT_NOTHING: there is none */

struct graph_want {
	enum graph_want_op op;
	const char *path;  /* which member of the answer, as JSON; NULL: all of it */
	const char *text;  /* an expression, JSON, or names of nodes with blanks between them */
	const char *shown; /* what the script has behind the operator */
	int64_t number;    /* of a quantity: bit/s, ns, ppm, or how many */
};

/* How often and how hard CHECK_PING, _LOSS, _RTT and _THROUGHPUT try; -1: as it is usual. */
struct graph_probe {
	int64_t count, size_bytes; /* of pings */
	int64_t loss_ppm, rtt_ns;  /* CHECK_PING: no more than that; -1: any */
	int64_t duration_ns;       /* CHECK_THROUGHPUT */
};

/* What it means if an expectation does not hold. */
enum graph_level {
	LEVEL_REQUIRED, /* the test fails */
	LEVEL_WARNING,  /* it is only told */
	LEVEL_BONUS,    /* the same; its points come on top of all others */
	LEVELS,
};
/* "required"; and back: LEVELS if there is none. */
const char *graph_level_name(enum graph_level l);
enum graph_level graph_find_level(const char *name, size_t len);
/*
 * "required,warning": a bit (1 << level) for each that is named; NULL: all. 0, or -1 with the error
 * set.
 */
int graph_read_levels(const char *text, unsigned *levels, struct err *e);

struct graph_expect {
	struct graph_probe probe;
	const char *name, *hint; /* NULL: none */
	int64_t points;          /* 0: it is not counted */
	enum graph_level level;
	int64_t stays_ns; /* for how long it must hold, once it does */
	struct graph_want want;
	int64_t start_ns, deadline_ns;
	int64_t timeout_ns; /* one try that takes longer is ended, and did not hold */
	int64_t every_ns;   /* from one try to the next; 0: the longer it takes, the rarer */
	bool negated;
	enum graph_check kind;
	int node; /* index into graph.nodes: where it is tried; -1: all that run the daemon */
	int peer; /* CHECK_PING: whom; -1: text is an address. CHECK_NEIGHBOR ...: -1: all */
	const char *text; /* CHECK_EXEC: a command; CHECK_ROUTE: a network, or "default" */
	/* CHECK_ROUTE; NULL, and metric -1: any. via with commas: these next hops and no others.
	 * proto also of CHECK_NEIGHBOR: "ospf". */
	const char *via, *dev, *proto;
	int64_t metric;
	const char *table; /* CHECK_ROUTE: of a daemon, "ospf"; NULL: the kernel's main table */
	const char *state; /* CHECK_NEIGHBOR: "full"; NULL: as far as the protocol gets */
	int vnet; /* CHECK_PING, CHECK_EXEC, CHECK_ROUTE: the vNet that is meant; -1: not said */
	struct graph_pos pos;
};

enum clock_kind { CLOCK_REAL, CLOCK_VIRTUAL };

/* What becomes of a guest that computes in virtual time and never lets its clock go on. */
enum graph_spin { SPIN_REPORT, SPIN_STOP, SPIN_CHARGE, SPINS };
const char *graph_spin_name(enum graph_spin s);
bool graph_find_spin(const char *name, enum graph_spin *s);

struct graph {
	struct arena arena; /* owns everything below */
	const char *lab;    /* name of the lab: from the script, else from its file name */
	enum clock_kind clock;
	enum graph_spin spin;
	uint64_t seed;
	bool allow_duplicates;    /* the script says that addresses may repeat */
	struct graph_node *nodes; /* in the order of the script; names are unique */
	size_t n_nodes;
	struct graph_cable *cables; /* only whole ones: both ends plugged */
	size_t n_cables;
	struct graph_vnet *vnets;
	size_t n_vnets;
	struct graph_slink *slinks;
	size_t n_slinks;
	struct graph_vlink *vlinks;
	size_t n_vlinks;
	struct graph_event *events; /* in the order of the script */
	size_t n_events;
	struct graph_expect *expects;
	size_t n_expects;
};

bool graph_has_disk(const struct graph_node *n);
/* True if the node is in that vNet. */
bool graph_is_in_vnet(const struct graph_node *n, int vnet);
/* The name by which what is in that vNet of the node says so; NULL: none, or there is no choice. */
const char *graph_choice_of_vnet(const struct graph *g, const struct graph_node *n, int vnet);
/* True if frames on the NIC's cable have no addresses: there are none to ask for (HDLC). */
bool graph_nic_is_addressless(const struct graph *g, const struct graph_nic *nic);
/* Index of the vNet of that name, or -1. */
int graph_find_vnet(const struct graph *g, const char *name);
/* Parameters of a substrate node that are its policy for rates: they may change. */
enum { GRAPH_POLICY_KEYS = 4 };
extern const char *const graph_policy_keys[GRAPH_POLICY_KEYS];
/* Index of the node of that name, or -1. */
int graph_find_node(const struct graph *g, const char *name);
/* Index of the NIC of that name in the node, or -1. */
int graph_find_nic(const struct graph_node *n, const char *name);
/* What all its expectations are worth, without bonus. */
int64_t graph_points(const struct graph *g);
/* Leaves only expectations of these levels (graph_read_levels()). */
void graph_keep_levels(struct graph *g, unsigned levels);
/* Prints the graph as text, the same bytes for the same graph (`vbet check --dump=graph`). */
void graph_print(FILE *out, const struct graph *g);
/* One event or expectation as the script could have it, without a newline. */
void graph_print_event(FILE *out, const struct graph *g, const struct graph_event *e);
void graph_print_expect(FILE *out, const struct graph *g, const struct graph_expect *e);
/* The same without "expect", name, points and hint. */
void graph_print_check(FILE *out, const struct graph *g, const struct graph_expect *e);
void graph_destroy(struct graph *g);

#endif
