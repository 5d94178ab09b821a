/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Names of what a graph consists of, and questions about kinds. The names are those of the
 * language: they are read from scripts, printed in messages, and written back by graph_print.c, so
 * each is in one table. Kinds stand in an order by which guests are those before NODE_HUB
 * (node_kind_is_guest()).
 */
#include "topo/graph.h"

#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_names[] = {
	[NODE_HOST] = "host",
	[NODE_ROUTER] = "router",
	[NODE_FIREWALL] = "firewall",
	[NODE_SERVER] = "server",
	[NODE_HUB] = "hub",
	[NODE_SWITCH] = "switch",
	[NODE_SUBSTRATE] = "substrate",
	[NODE_ENDSYSTEM] = "endsystem",
	[NODE_OUTSIDE] = "outside",
	[NODE_INTERNET] = "internet",
};
_Static_assert(ARRAY_LEN(kind_names) == NODE_KINDS, "kind_names out of step");

static const char *const backend_names[] = {
	[NIC_VHOST] = "vhost", [NIC_SEQPACKET] = "seqpacket",   [NIC_TAP] = "tap",
	[NIC_PCAP] = "pcap",   [NIC_UML_SWITCH] = "uml_switch", [NIC_SLIRP] = "slirp",
};
_Static_assert(ARRAY_LEN(backend_names) == NIC_BACKENDS, "backend_names out of step");

static const struct {
	const char *name, *title;
	unsigned overhead;
	bool has_ip;
} encaps[] = {
	[ENCAP_ETHERNET] = {"ethernet", "Ethernet", 6, false},
	[ENCAP_UDP] = {"udp", "IP/UDP", 32, true},
	[ENCAP_GRE] = {"gre", "IP/GRE", 28, true},
	[ENCAP_MPLS] = {"mpls", "MPLS", 8, false},
};
_Static_assert(ARRAY_LEN(encaps) == ENCAPS, "encaps out of step");

static const char *const action_names[] = {
	[ACTION_CUT] = "cut",   [ACTION_MEND] = "mend",       [ACTION_IMPAIR] = "impair",
	[ACTION_EXEC] = "exec", [ACTION_START] = "start",     [ACTION_STOP] = "stop",
	[ACTION_KILL] = "kill", [ACTION_RESTART] = "restart",
};
_Static_assert(ARRAY_LEN(action_names) == ACTIONS, "action_names out of step");

static const char *const check_names[] = {
	[CHECK_PING] = "ping",
	[CHECK_EXEC] = "exec",
	[CHECK_ROUTE] = "route",
	[CHECK_NEIGHBOR] = "neighbor",
	[CHECK_OSPF_FULL] = "ospf_full",
	[CHECK_BGP_ESTABLISHED] = "bgp_established",
	[CHECK_LOSS] = "loss",
	[CHECK_RTT] = "rtt",
	[CHECK_THROUGHPUT] = "throughput",
	[CHECK_PATH] = "path",
	[CHECK_REACHES] = "reaches",
	[CHECK_NO_LOOP] = "no_loop",
	[CHECK_NO_BLACKHOLE] = "no_blackhole",
	[CHECK_SEEN] = "seen",
	[CHECK_NEVER] = "never",
	[CHECK_COUNT] = "count",
	[CHECK_CONVERGES] = "converges",
};
_Static_assert(ARRAY_LEN(check_names) == CHECKS, "check_names out of step");

static const char *const spin_names[] = {
	[SPIN_REPORT] = "report",
	[SPIN_STOP] = "stop",
	[SPIN_CHARGE] = "charge",
};
_Static_assert(ARRAY_LEN(spin_names) == SPINS, "spin_names out of step");

const char *graph_spin_name(enum graph_spin s)
{
	return spin_names[s];
}

bool graph_find_spin(const char *name, enum graph_spin *s)
{
	for (int i = 0; i < SPINS; i++) {
		if (strcmp(name, spin_names[i]) != 0)
			continue;
		*s = (enum graph_spin)i;
		return true;
	}
	return false;
}

const char *graph_action_name(enum graph_action a)
{
	return action_names[a];
}

const char *graph_check_name(enum graph_check c)
{
	return check_names[c];
}

int64_t graph_points(const struct graph *g)
{
	int64_t points = 0;

	for (size_t i = 0; i < g->n_expects; i++)
		points += g->expects[i].level == LEVEL_BONUS ? 0 : g->expects[i].points;
	return points;
}

static const char *const level_names[] = {
	[LEVEL_REQUIRED] = "required",
	[LEVEL_WARNING] = "warning",
	[LEVEL_BONUS] = "bonus",
};
_Static_assert(ARRAY_LEN(level_names) == LEVELS, "names out of step with levels");

const char *graph_level_name(enum graph_level l)
{
	return level_names[l];
}

enum graph_level graph_find_level(const char *name, size_t len)
{
	int l = 0;

	while (l < LEVELS && (strncmp(level_names[l], name, len) != 0 || level_names[l][len]))
		l++;
	return (enum graph_level)l;
}

int graph_read_levels(const char *text, unsigned *levels, struct err *e)
{
	*levels = text ? 0 : (1u << LEVELS) - 1;
	while (text && *text) {
		size_t len = strcspn(text, ",");
		enum graph_level l = graph_find_level(text, len);

		if (l == LEVELS)
			return err_set(
				e, ERR_USAGE,
				"there is no level '%.*s': there is required, warning, bonus",
				(int)len, text);
		*levels |= 1u << l;
		text += len + (text[len] == ',');
	}
	return *levels ? 0 : err_set(e, ERR_USAGE, "--level wants levels such as required,bonus");
}

void graph_keep_levels(struct graph *g, unsigned levels)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n_expects; i++)
		if (levels & 1u << g->expects[i].level)
			g->expects[n++] = g->expects[i];
	g->n_expects = n;
}

static const char *const want_names[] = {
	[WANT_NOTHING] = "", [WANT_EQ] = "==",           [WANT_NE] = "!=",
	[WANT_LT] = "<",     [WANT_LE] = "<=",           [WANT_GT] = ">",
	[WANT_GE] = ">=",    [WANT_MATCHES] = "matches", [WANT_CONTAINS] = "contains",
};

const char *graph_want_name(enum graph_want_op op)
{
	return want_names[op];
}

enum graph_want_op graph_find_want(const char *name)
{
	for (size_t i = 1; i < sizeof(want_names) / sizeof(*want_names); i++)
		if (!strcmp(want_names[i], name))
			return (enum graph_want_op)i;
	return WANT_NOTHING;
}

const char *node_kind_name(enum node_kind kind)
{
	return kind_names[kind];
}

bool node_kind_is_guest(enum node_kind kind)
{
	return kind < NODE_HUB;
}

bool node_kind_is_outside(enum node_kind kind)
{
	return kind == NODE_OUTSIDE || kind == NODE_INTERNET;
}

bool node_kind_is_device(enum node_kind kind)
{
	return kind == NODE_HUB || kind == NODE_SWITCH;
}

/*
 * A station has a MAC address and takes frames for itself; what is none passes them on: hubs,
 * switches and substrate nodes.
 */
bool node_kind_is_station(enum node_kind kind)
{
	return !node_kind_is_device(kind) && kind != NODE_SUBSTRATE;
}

const char *graph_encap_name(enum graph_encap e)
{
	return encaps[e].name;
}

const char *graph_encap_title(enum graph_encap e)
{
	return encaps[e].title;
}

bool graph_encap_has_ip(enum graph_encap e)
{
	return encaps[e].has_ip;
}

unsigned graph_encap_overhead(enum graph_encap e)
{
	return encaps[e].overhead;
}

const char *nic_duplex_name(enum nic_duplex duplex)
{
	static const char *const names[] = {"auto", "half", "full"};

	_Static_assert(ARRAY_LEN(names) == NIC_DUPLEXES, "a duplex without a name");
	return names[duplex];
}

const char *nic_backend_name(enum nic_backend backend)
{
	return backend_names[backend];
}

enum nic_backend nic_backend_default(enum node_kind kind)
{
	return kind == NODE_OUTSIDE ? NIC_TAP : kind == NODE_INTERNET ? NIC_SLIRP : NIC_VHOST;
}

/*
 * A guest has a driver for two of them; what stands for the host can be any interface that the host
 * has; the internet is always the user-mode stack.
 */
bool nic_backend_fits(enum nic_backend backend, enum node_kind kind)
{
	if (node_kind_is_guest(kind) || kind == NODE_ENDSYSTEM)
		return backend == NIC_VHOST || backend == NIC_SEQPACKET;
	if (kind == NODE_OUTSIDE)
		return backend != NIC_VHOST && backend != NIC_SLIRP;
	return backend == nic_backend_default(kind);
}

bool graph_has_disk(const struct graph_node *n)
{
	return n->disk || n->disk_bytes;
}

const char *const graph_policy_keys[] = {"measure", "idle", "raise_above", "lower_below"};

bool graph_is_in_vnet(const struct graph_node *n, int vnet)
{
	for (size_t i = 0; i < n->n_vnets; i++)
		if (n->vnets[i] == vnet)
			return true;
	return false;
}

bool graph_nic_is_addressless(const struct graph *g, const struct graph_nic *nic)
{
	return nic->cable >= 0 && g->cables[nic->cable].dir[0].framing == LINK_HDLC;
}

const char *graph_choice_of_vnet(const struct graph *g, const struct graph_node *n, int vnet)
{
	return vnet >= 0 && n->n_vnets > 1 ? g->vnets[vnet].name : NULL;
}

int graph_find_vnet(const struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->n_vnets; i++)
		if (!strcmp(g->vnets[i].name, name))
			return (int)i;
	return -1;
}

/* By a walk: a lab has some thousands of nodes at most, and only commands of people ask by name. */
int graph_find_node(const struct graph *g, const char *name)
{
	for (size_t i = 0; i < g->n_nodes; i++)
		if (!strcmp(g->nodes[i].name, name))
			return (int)i;
	return -1;
}

int graph_find_nic(const struct graph_node *n, const char *name)
{
	for (size_t i = 0; i < n->n_nics; i++)
		if (!strcmp(n->nics[i].name, name))
			return (int)i;
	return -1;
}

/*
 * Cutting or mending the whole cable overrides what was cut of its parts: up(a, b) always means
 * that frames pass.
 */
void graph_cut_set(struct graph_cut *c, struct graph_side side, bool cut)
{
	switch (side.part) {
	case PART_END:
		c->end[side.end] = cut;
		break;
	case PART_DIR:
		c->dir[side.end] = cut;
		break;
	default:
		*c = (struct graph_cut){.all = cut};
	}
}

void graph_destroy(struct graph *g)
{
	if (!g)
		return;
	arena_finish(&g->arena);
	free(g);
}
