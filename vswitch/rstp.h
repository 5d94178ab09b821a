/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Rapid spanning tree: the state machines of IEEE 802.1D-2004, clause 17, with the names of that
 * clause. It reads no clock: rstp_tick() is called once a second. With bridges of the older
 * protocol (802.1D-1998) it speaks that.
 *
 * Left out, as the standard allows: management of single ports beyond cost and point-to-point.
 */
#ifndef VSWITCH_RSTP_H
#define VSWITCH_RSTP_H

#include "lib/json.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	RSTP_PORTS_MAX = 1024, /* of 4095 */
	RSTP_COST = 20000,     /* 1 Gbit/s: table 17-3 */
	RSTP_COST_MAX = 200000000,
	RSTP_PRIORITY = 32768, /* of the bridge, a multiple of 4096 */
	RSTP_FRAME_MAX = 60,
};

enum rstp_role { RSTP_DISABLED, RSTP_ROOT, RSTP_DESIGNATED, RSTP_ALTERNATE, RSTP_BACKUP };

/* What bridges compare (17.5): less is better, from the first member on. */
struct rstp_vector {
	uint64_t root;
	uint32_t cost;
	uint64_t bridge;
	uint16_t port;
	uint16_t receiver; /* the port it came in at */
};

struct rstp_times {
	uint16_t age, max_age, hello, delay; /* seconds */
};

/* A BPDU that came in. */
struct rstp_message {
	struct rstp_vector vector;
	struct rstp_times times;
	uint8_t version, type, flags;
};

enum rstp_info { RSTP_INFO_DISABLED, RSTP_INFO_AGED, RSTP_INFO_MINE, RSTP_INFO_RECEIVED };

/* Variables of 17.19, timers of 17.17 and states of the machines. */
struct rstp_port {
	bool enabled;
	uint16_t id;
	uint32_t cost;
	bool point_to_point;

	enum rstp_info info_is;
	enum rstp_role role, selected_role;
	struct rstp_vector port_priority, designated_priority;
	struct rstp_times port_times, designated_times;
	struct rstp_message message;

	bool agree, agreed, disputed, forward, forwarding, learn, learning, new_info, oper_edge;
	bool proposed, proposing, rcvd_msg, rcvd_rstp, rcvd_stp, rcvd_tc, rcvd_tc_ack, rcvd_tcn;
	bool re_root, reselect, selected, send_rstp, sync, synced, tc_ack, tc_prop, updt_info;
	bool flush; /* what was learned here is to be forgotten */
	unsigned tx_count;

	uint16_t edge_delay_while, fd_while, hello_when, mdelay_while, rb_while;
	uint16_t rcvd_info_while, rr_while, tc_while;

	uint8_t info_state, role_state, tc_state, migration_state;
	uint64_t received, sent;
};

struct rstp {
	uint64_t id;            /* priority and address of the bridge */
	struct rstp_port *port; /* owned: RSTP_PORTS_MAX, of which n_ports have been used */
	uint16_t n_ports;
	struct rstp_vector root_priority;
	struct rstp_times root_times;
	uint16_t root_port; /* 0: this bridge is the root; else the number of the port from 1 */
	uint64_t topology_changes;
};

void rstp_init(struct rstp *r, const uint8_t mac[6]);
void rstp_finish(struct rstp *r);
void rstp_set_priority(struct rstp *r, uint16_t priority);
void rstp_set_cost(struct rstp *r, uint16_t port, uint32_t cost);
void rstp_set_point_to_point(struct rstp *r, uint16_t port, bool yes);
/* Ports are numbered from 0 here. */
void rstp_enable_port(struct rstp *r, uint16_t port, bool up);
/* A frame to 01-80-C2-00-00-00 came in. False: it is no BPDU. */
bool rstp_receive(struct rstp *r, uint16_t port, const uint8_t *frame, size_t len);
/* A second has passed. */
void rstp_tick(struct rstp *r);
/*
 * The next BPDU to send: writes the frame (RSTP_FRAME_MAX bytes) and its port, and returns its
 * length; 0: there is none. Call it until then after each of the above.
 */
size_t rstp_transmit(struct rstp *r, uint16_t *port, uint8_t *frame);
/* True if there is one. */
bool rstp_wants_to_transmit(const struct rstp *r);
/* May frames of a port be learned from, and go in and out? */
bool rstp_learns(const struct rstp *r, uint16_t port);
bool rstp_forwards(const struct rstp *r, uint16_t port);
/* The next port whose learned stations are to be forgotten, or -1; asks once for each. */
int rstp_flush(struct rstp *r);
void rstp_status(const struct rstp *r, struct json *j);

#endif
