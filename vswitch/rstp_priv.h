/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of RSTP share. Numbers in brackets are clauses of IEEE 802.1D-2004. */
#ifndef VSWITCH_RSTP_PRIV_H
#define VSWITCH_RSTP_PRIV_H

#include "vswitch/rstp.h"

enum {
	RSTP_HELLO = 2, /* seconds: table 17-1 */
	RSTP_MAX_AGE = 20,
	RSTP_DELAY = 15,
	RSTP_TX_HOLD = 6,
	RSTP_MIGRATE = 3,
};

enum rstp_bpdu_type { BPDU_CONFIG = 0x00, BPDU_RST = 0x02, BPDU_TCN = 0x80 };

enum rstp_flag {
	FLAG_TC = 0x01,
	FLAG_PROPOSAL = 0x02,
	FLAG_ROLE = 0x0c,
	FLAG_ROLE_ALTERNATE = 0x04,
	FLAG_ROLE_ROOT = 0x08,
	FLAG_ROLE_DESIGNATED = 0x0c,
	FLAG_LEARNING = 0x10,
	FLAG_FORWARDING = 0x20,
	FLAG_AGREEMENT = 0x40,
	FLAG_TC_ACK = 0x80,
};

/* Frames (clause 9). */
bool rstp_decode(const uint8_t *frame, size_t len, struct rstp_message *m);
size_t rstp_encode(const struct rstp *r, const struct rstp_port *p, enum rstp_bpdu_type type,
		   uint8_t *frame);

/* < 0: a is better. Without the receiver. */
int rstp_compare(const struct rstp_vector *a, const struct rstp_vector *b);

/* The machines of one port: each makes at most one transition, and says if it did. */
bool rstp_run_info(struct rstp *r, struct rstp_port *p);
bool rstp_run_role(struct rstp *r, struct rstp_port *p);
bool rstp_run_state(struct rstp *r, struct rstp_port *p);
bool rstp_run_topology(struct rstp *r, struct rstp_port *p);
bool rstp_run_migration(struct rstp *r, struct rstp_port *p);
bool rstp_run_edge(struct rstp *r, struct rstp_port *p);
/* Port role selection, of the bridge [17.28]. */
bool rstp_select_roles(struct rstp *r);

#endif
