/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Theory. Bridges agree on one root, and each on its best way to it, by comparing what they tell
 * each other (struct rstp_vector). What is not on a best way is blocked, so that what remains is a
 * tree.
 *
 * Each port is a handful of small state machines (17.18), which read and set the flags of their
 * port, and some of all ports. run() lets every machine of every port make one transition after the
 * other until none has anything left to do: the standard says that all conditions hold at once and
 * leaves the order open. Nothing else happens between two calls, so an event is settled completely
 * before the next comes, and frames are decided by a state that is not half changed.
 *
 *   info        what the port was told, and when that is too old     rstp_info.c   17.27
 *   selection   which role each port has (of the bridge)             rstp_info.c   17.28
 *   role        how it gets there without making a loop              rstp_role.c   17.29
 *   state       learning and forwarding                              here          17.30
 *   topology    who forgets which stations when the tree changes     here          17.31
 *   migration   which version of the protocol the other end speaks   here          17.24
 *   edge        ports without a bridge forward at once               here          17.25
 *   transmit    what is sent when, and how often                     here          17.26
 *
 * Rapid means that a designated port proposes to forward and the other end agrees as soon as it has
 * blocked whatever could close a loop: a handshake instead of two times 15 seconds.
 */
#include "vswitch/rstp.h"

#include "lib/xalloc.h"
#include "vswitch/rstp_priv.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHECKING_RSTP, SENSING, SELECTING_STP };
enum { TC_INACTIVE, TC_LEARNING, TC_ACTIVE };

static void init_port(struct rstp_port *p, uint16_t number)
{
	*p = (struct rstp_port){
		.id = (uint16_t)(0x8000 | number),
		.cost = RSTP_COST,
		.point_to_point = true,
		.send_rstp = true,
		.reselect = true,
		.hello_when = RSTP_HELLO,
		.mdelay_while = RSTP_MIGRATE,
	};
}

/* Ports are numbered by the switch as they come: those below this one exist from now on, too. */
static struct rstp_port *get_port(struct rstp *r, uint16_t port)
{
	for (; r->n_ports <= port; r->n_ports++)
		init_port(&r->port[r->n_ports], (uint16_t)(r->n_ports + 1));
	return &r->port[port];
}

void rstp_init(struct rstp *r, const uint8_t mac[6])
{
	*r = (struct rstp){.id = RSTP_PRIORITY};
	for (int i = 0; i < 6; i++)
		r->id = r->id << 8 | mac[i];
	r->port = xcalloc(RSTP_PORTS_MAX, sizeof(*r->port));
}

void rstp_finish(struct rstp *r)
{
	free(r->port);
	r->port = NULL;
}

/* Port state transition [17.30] */
bool rstp_run_state(struct rstp *r, struct rstp_port *p)
{
	if ((p->forwarding && !p->forward) || (p->learning && !p->learn)) {
		p->learning = p->forwarding = false;
		return true;
	}
	if (p->learn && !p->learning)
		return p->learning = true;
	if (p->forward && p->learning && !p->forwarding)
		return p->forwarding = true;
	return false;
}

/* newTcWhile() [17.21.7] */
static void start_topology_change(const struct rstp *r, struct rstp_port *p)
{
	if (p->tc_while)
		return;
	p->tc_while = p->send_rstp ? RSTP_HELLO + 1
				   : (uint16_t)(r->root_times.max_age + r->root_times.delay);
	p->new_info |= p->send_rstp;
}

/* setTcPropTree() [17.21.18] */
static void tell_others(struct rstp *r, const struct rstp_port *self)
{
	for (uint16_t i = 0; i < r->n_ports; i++)
		if (&r->port[i] != self)
			r->port[i].tc_prop = true;
}

static bool clear_news(struct rstp_port *p)
{
	bool any = p->rcvd_tc || p->rcvd_tcn || p->rcvd_tc_ack || p->tc_prop;

	p->rcvd_tc = p->rcvd_tcn = p->rcvd_tc_ack = p->tc_prop = false;
	return any;
}

static bool run_active(struct rstp *r, struct rstp_port *p)
{
	if ((p->role != RSTP_ROOT && p->role != RSTP_DESIGNATED) || p->oper_edge) {
		p->tc_state = TC_LEARNING;
		return true;
	}
	if (p->rcvd_tcn || p->rcvd_tc) {
		if (p->rcvd_tcn)
			start_topology_change(r, p);
		p->rcvd_tcn = p->rcvd_tc = false;
		p->tc_ack |= p->role == RSTP_DESIGNATED;
		tell_others(r, p);
		return true;
	}
	if (p->tc_prop) {
		start_topology_change(r, p);
		p->flush = true;
		p->tc_prop = false;
		return true;
	}
	if (p->rcvd_tc_ack) {
		p->tc_while = 0;
		p->rcvd_tc_ack = false;
		return true;
	}
	return false;
}

/*
 * Topology change [17.31] A port that begins to forward, and is no edge, is news: stations may now
 * be reached another way. All other ports tell it on and forget what they learned.
 */
bool rstp_run_topology(struct rstp *r, struct rstp_port *p)
{
	bool in_tree = p->role == RSTP_ROOT || p->role == RSTP_DESIGNATED;

	switch (p->tc_state) {
	case TC_INACTIVE:
		if (!p->learn)
			return clear_news(p) && false;
		p->tc_state = TC_LEARNING;
		return true;
	case TC_LEARNING:
		if (in_tree && p->forward && !p->oper_edge) {
			start_topology_change(r, p);
			tell_others(r, p);
			p->new_info = true;
			p->tc_state = TC_ACTIVE;
			r->topology_changes++;
			return true;
		}
		if (clear_news(p))
			return true;
		if (in_tree || p->learn || p->learning)
			return false;
		p->flush = true;
		p->tc_while = 0;
		p->tc_ack = false;
		p->tc_state = TC_INACTIVE;
		return true;
	default:
		return run_active(r, p);
	}
}

/* Port protocol migration [17.24] */
bool rstp_run_migration(struct rstp *r, struct rstp_port *p)
{
	switch (p->migration_state) {
	case CHECKING_RSTP:
		if (p->mdelay_while && !p->enabled) {
			p->mdelay_while = RSTP_MIGRATE;
			return false;
		}
		break;
	case SENSING:
		if (p->send_rstp ? p->enabled && !p->rcvd_stp : p->enabled && !p->rcvd_rstp)
			return false;
		p->migration_state = p->send_rstp && p->enabled ? SELECTING_STP : CHECKING_RSTP;
		p->send_rstp = p->migration_state == CHECKING_RSTP;
		p->mdelay_while = RSTP_MIGRATE;
		return true;
	default:
		break;
	}
	if (p->mdelay_while && p->enabled)
		return false;
	p->migration_state = SENSING;
	p->rcvd_rstp = p->rcvd_stp = false;
	return true;
}

/* Bridge detection [17.25]: if nobody answers a proposal for a while, no bridge is there. */
bool rstp_run_edge(struct rstp *r, struct rstp_port *p)
{
	bool edge = p->enabled &&
		    (p->oper_edge || (!p->edge_delay_while && p->send_rstp && p->proposing));

	if (edge == p->oper_edge)
		return false;
	p->oper_edge = edge;
	return true;
}

static bool run_port(struct rstp *r, struct rstp_port *p)
{
	static bool (*const machines[])(struct rstp * r, struct rstp_port * p) = {
		rstp_run_info, rstp_run_migration, rstp_run_edge,
		rstp_run_role, rstp_run_state,     rstp_run_topology,
	};
	bool any = false;

	for (size_t i = 0; i < ARRAY_LEN(machines); i++)
		any |= machines[i](r, p);
	return any;
}

/* All machines, until none has anything to do. */
static void run(struct rstp *r)
{
	bool any = true;

	while (any) {
		any = rstp_select_roles(r);
		for (uint16_t i = 0; i < r->n_ports; i++)
			any |= run_port(r, &r->port[i]);
	}
}

void rstp_set_priority(struct rstp *r, uint16_t priority)
{
	r->id = (r->id & UINT64_C(0xffffffffffff)) | (uint64_t)priority << 48;
	for (uint16_t i = 0; i < r->n_ports; i++) {
		r->port[i].reselect = true;
		r->port[i].selected = false;
	}
	run(r);
}

void rstp_set_cost(struct rstp *r, uint16_t port, uint32_t cost)
{
	struct rstp_port *p = get_port(r, port);

	p->cost = cost;
	p->reselect = true;
	p->selected = false;
	run(r);
}

void rstp_set_point_to_point(struct rstp *r, uint16_t port, bool yes)
{
	get_port(r, port)->point_to_point = yes;
}

void rstp_enable_port(struct rstp *r, uint16_t port, bool up)
{
	struct rstp_port *p = get_port(r, port);

	if (p->enabled == up)
		return;
	p->enabled = up;
	p->edge_delay_while = RSTP_MIGRATE;
	run(r);
}

/* What is too old is still a BPDU: true, so that it is not forwarded like a frame of a station. */
bool rstp_receive(struct rstp *r, uint16_t port, const uint8_t *frame, size_t len)
{
	struct rstp_port *p = get_port(r, port);
	struct rstp_message m;

	if (!rstp_decode(frame, len, &m))
		return false;
	if (!p->enabled || (m.type != BPDU_TCN && m.times.age >= m.times.max_age))
		return true; /* too old [9.3.4] */
	p->message = m;
	p->received++;
	p->rcvd_rstp |= m.type == BPDU_RST;
	p->rcvd_stp |= m.type != BPDU_RST;
	p->oper_edge = false;
	p->edge_delay_while = RSTP_MIGRATE;
	p->rcvd_msg = true;
	run(r);
	return true;
}

static void tick_timer(uint16_t *t)
{
	*t -= *t > 0;
}

/* All timers are in whole seconds, as in the standard: one tick is one second. */
void rstp_tick(struct rstp *r)
{
	for (uint16_t i = 0; i < r->n_ports; i++) {
		struct rstp_port *p = &r->port[i];

		tick_timer(&p->edge_delay_while);
		tick_timer(&p->fd_while);
		tick_timer(&p->hello_when);
		tick_timer(&p->mdelay_while);
		tick_timer(&p->rb_while);
		tick_timer(&p->rcvd_info_while);
		tick_timer(&p->rr_while);
		tick_timer(&p->tc_while);
		p->tx_count -= p->tx_count > 0;
		if (p->hello_when)
			continue;
		p->hello_when = RSTP_HELLO;
		p->new_info |= p->role == RSTP_DESIGNATED || (p->role == RSTP_ROOT && p->tc_while);
	}
	run(r);
}

/* Port transmit [17.26]: may this port send now? */
static bool is_ready(const struct rstp_port *p)
{
	return p->new_info && p->enabled && p->selected && !p->updt_info &&
	       p->tx_count < RSTP_TX_HOLD && p->role != RSTP_DISABLED &&
	       (p->send_rstp || p->role == RSTP_ROOT || p->role == RSTP_DESIGNATED);
}

bool rstp_wants_to_transmit(const struct rstp *r)
{
	for (uint16_t i = 0; i < r->n_ports; i++)
		if (is_ready(&r->port[i]))
			return true;
	return false;
}

/*
 * One BPDU at a time, from the lowest port that has one to send; the caller asks until there is
 * none. The hold count (tx_count) lets at most RSTP_TX_HOLD go in a row, and one more each second.
 */
size_t rstp_transmit(struct rstp *r, uint16_t *port, uint8_t *frame)
{
	for (uint16_t i = 0; i < r->n_ports; i++) {
		struct rstp_port *p = &r->port[i];
		enum rstp_bpdu_type type = p->send_rstp           ? BPDU_RST
					   : p->role == RSTP_ROOT ? BPDU_TCN
								  : BPDU_CONFIG;

		if (!is_ready(p))
			continue;
		*port = i;
		size_t len = rstp_encode(r, p, type, frame);

		p->new_info = false;
		p->tc_ack = p->tc_ack && type == BPDU_TCN;
		p->hello_when = RSTP_HELLO;
		p->tx_count++;
		p->sent++;
		return len;
	}
	return 0;
}

bool rstp_learns(const struct rstp *r, uint16_t port)
{
	return port < r->n_ports && r->port[port].learning;
}

bool rstp_forwards(const struct rstp *r, uint16_t port)
{
	return port < r->n_ports && r->port[port].forwarding;
}

int rstp_flush(struct rstp *r)
{
	for (uint16_t i = 0; i < r->n_ports; i++) {
		if (!r->port[i].flush)
			continue;
		r->port[i].flush = false;
		return i;
	}
	return -1;
}

static const char *bridge_text(uint64_t id, char *buf, size_t size)
{
	snprintf(buf, size, "%u.%012llx", (unsigned)(id >> 48),
		 (unsigned long long)(id & UINT64_C(0xffffffffffff)));
	return buf;
}

static void port_status(const struct rstp_port *p, int number, struct json *j)
{
	static const char *const roles[] = {"disabled", "root", "designated", "alternate",
					    "backup"};

	json_open(j, NULL, '{');
	json_int(j, "port", number);
	json_string(j, "role", roles[p->role]);
	json_string(j, "state",
		    p->forwarding ? "forwarding"
		    : p->learning ? "learning"
				  : "discarding");
	json_uint(j, "cost", p->cost);
	json_bool(j, "edge", p->oper_edge);
	json_bool(j, "rapid", p->send_rstp);
	json_uint(j, "received", p->received);
	json_uint(j, "sent", p->sent);
	json_close(j, '}');
}

void rstp_status(const struct rstp *r, struct json *j)
{
	char buf[32];

	json_open(j, "rstp", '{');
	json_string(j, "bridge", bridge_text(r->id, buf, sizeof(buf)));
	json_string(j, "root", bridge_text(r->root_priority.root, buf, sizeof(buf)));
	json_uint(j, "root_cost", r->root_priority.cost);
	json_uint(j, "root_port", r->root_port);
	json_uint(j, "topology_changes", r->topology_changes);
	json_open(j, "ports", '[');
	for (uint16_t i = 0; i < r->n_ports; i++)
		if (r->port[i].enabled)
			port_status(&r->port[i], i + 1, j);
	json_close(j, ']');
	json_close(j, '}');
}
