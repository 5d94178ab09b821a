/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the port knows [17.27], and which role follows from it [17.28].
 *
 * A port's knowledge is a priority vector: root, cost of the way there, bridge and port that say
 * so. Lower is better, field by field. A port has heard one (received), or has said its own because
 * nobody on the wire said a better one (mine), or has lost what it heard because it was not
 * repeated for three hellos (aged).
 *
 * Roles are chosen for all ports at once, from nothing but these vectors. The best way to a root,
 * with the cost of the port added, makes the root port. For each other port the vector that this
 * bridge would send is compared with the one that the port has: if ours is better, we are
 * designated for that wire; if somebody else's is, the port is an alternate way; if it is our own
 * that came back, a backup.
 */
#include "vswitch/rstp_priv.h"

enum { INFO_DISABLED, INFO_AGED, INFO_UPDATE, INFO_CURRENT };

int rstp_compare(const struct rstp_vector *a, const struct rstp_vector *b)
{
	if (a->root != b->root)
		return a->root < b->root ? -1 : 1;
	if (a->cost != b->cost)
		return a->cost < b->cost ? -1 : 1;
	if (a->bridge != b->bridge)
		return a->bridge < b->bridge ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	return 0;
}

static bool same_times(const struct rstp_times *a, const struct rstp_times *b)
{
	return a->age == b->age && a->max_age == b->max_age && a->hello == b->hello &&
	       a->delay == b->delay;
}

enum received { SUPERIOR, REPEATED, INFERIOR, NOT_DESIGNATED, OTHER };

/* rcvInfo() [17.21.8] */
static enum received classify(const struct rstp_port *p)
{
	const struct rstp_message *m = &p->message;
	int c = rstp_compare(&m->vector, &p->port_priority);
	bool designated = m->type == BPDU_CONFIG ||
			  (m->type == BPDU_RST && (m->flags & FLAG_ROLE) == FLAG_ROLE_DESIGNATED);

	if (designated) {
		/* It is better, or takes back what the same port said before. */
		bool supersedes = c < 0 || (m->vector.bridge == p->port_priority.bridge &&
					    m->vector.port == p->port_priority.port);

		if (c == 0 && same_times(&m->times, &p->port_times))
			return REPEATED;
		return supersedes ? SUPERIOR : INFERIOR;
	}
	if (m->type == BPDU_RST && (m->flags & FLAG_ROLE) != 0 && c >= 0)
		return NOT_DESIGNATED;
	return OTHER;
}

/* setTcFlags() [17.21.17] */
static void set_tc_flags(struct rstp_port *p)
{
	p->rcvd_tc |= p->message.type != BPDU_TCN && (p->message.flags & FLAG_TC);
	p->rcvd_tc_ack |= p->message.type == BPDU_CONFIG && (p->message.flags & FLAG_TC_ACK);
	p->rcvd_tcn |= p->message.type == BPDU_TCN;
}

static void record_proposal(struct rstp_port *p)
{
	if (p->message.type == BPDU_RST && (p->message.flags & FLAG_PROPOSAL))
		p->proposed = true;
}

/* updtRcvdInfoWhile() [17.21.23] */
static void keep_info(struct rstp_port *p)
{
	bool fresh = p->port_times.age + 1 <= p->port_times.max_age;

	/* Two hellos may be lost before the information counts as lost. */
	p->rcvd_info_while = fresh ? (uint16_t)(3 * p->port_times.hello) : 0;
}

/*
 * Agreements end with the vector that they were about: what was agreed under the old one may be a
 * loop under the new one. An agreement of ours stays only if the new vector is at least as good.
 */
static void take_superior(struct rstp_port *p)
{
	p->agreed = p->proposing = false;
	record_proposal(p);
	set_tc_flags(p);
	p->agree = p->agree && p->info_is == RSTP_INFO_RECEIVED &&
		   rstp_compare(&p->message.vector, &p->port_priority) <= 0;
	p->port_priority = p->message.vector;
	p->port_priority.receiver = p->id;
	p->port_times = p->message.times;
	if (p->port_times.hello < 1)
		p->port_times.hello = 1;
	keep_info(p);
	p->info_is = RSTP_INFO_RECEIVED;
	p->reselect = true;
	p->selected = false;
}

static void take_message(struct rstp_port *p)
{
	switch (classify(p)) {
	case SUPERIOR:
		take_superior(p);
		break;
	case REPEATED:
		record_proposal(p);
		set_tc_flags(p);
		keep_info(p);
		break;
	case INFERIOR:
		/* The other is designated, too, and forwards: one direction of the wire is dead. */
		if (p->message.type == BPDU_RST && (p->message.flags & FLAG_LEARNING)) {
			p->disputed = true;
			p->agreed = false;
		}
		break;
	case NOT_DESIGNATED:
		p->agreed = p->point_to_point && (p->message.flags & FLAG_AGREEMENT);
		if (p->agreed)
			p->proposing = false;
		set_tc_flags(p);
		break;
	case OTHER:
		if (p->message.type == BPDU_TCN)
			set_tc_flags(p);
		break;
	}
	p->rcvd_msg = false;
}

static void become_disabled(struct rstp_port *p)
{
	p->rcvd_msg = false;
	p->proposing = p->proposed = p->agree = p->agreed = false;
	p->rcvd_info_while = 0;
	p->info_is = RSTP_INFO_DISABLED;
	p->reselect = true;
	p->selected = false;
	p->info_state = INFO_DISABLED;
}

static void become_aged(struct rstp_port *p)
{
	p->info_is = RSTP_INFO_AGED;
	p->reselect = true;
	p->selected = false;
	p->info_state = INFO_AGED;
}

/*
 * The bridge now says what it has chosen: the other way round, an agreement of the other end stays
 * if what we say has not become worse.
 */
static void update_info(struct rstp_port *p)
{
	p->proposing = p->proposed = false;
	p->agreed = p->agreed && p->info_is == RSTP_INFO_MINE &&
		    rstp_compare(&p->designated_priority, &p->port_priority) <= 0;
	p->synced = p->synced && p->agreed;
	p->port_priority = p->designated_priority;
	p->port_times = p->designated_times;
	p->updt_info = false;
	p->info_is = RSTP_INFO_MINE;
	p->new_info = true;
	p->info_state = INFO_CURRENT;
}

/*
 * The order is that of the standard's conditions: disabled before all, then what was selected is
 * taken over (updt_info) before a new message is looked at, for the message must be compared with
 * what is current.
 */
bool rstp_run_info(struct rstp *r, struct rstp_port *p)
{
	if (!p->enabled && p->info_is != RSTP_INFO_DISABLED) {
		become_disabled(p);
		return true;
	}
	if (p->info_state == INFO_DISABLED) {
		p->rcvd_msg = false;
		if (!p->enabled)
			return false;
		become_aged(p);
		return true;
	}
	if (p->selected && p->updt_info) {
		update_info(p);
		return true;
	}
	if (p->info_state != INFO_CURRENT)
		return false;
	if (p->rcvd_msg && !p->updt_info) {
		take_message(p);
		return true;
	}
	if (p->info_is == RSTP_INFO_RECEIVED && !p->rcvd_info_while && !p->updt_info) {
		become_aged(p);
		return true;
	}
	return false;
}

/* updtRolesTree() [17.21.25], first half: the best way to a root. */
static void find_root(struct rstp *r)
{
	r->root_priority = (struct rstp_vector){.root = r->id, .bridge = r->id};
	r->root_times = (struct rstp_times){0, RSTP_MAX_AGE, RSTP_HELLO, RSTP_DELAY};
	r->root_port = 0;
	for (uint16_t i = 0; i < r->n_ports; i++) {
		const struct rstp_port *p = &r->port[i];
		struct rstp_vector way = p->port_priority;

		/* Hearing itself (by a hub, or a loop) is no way to a root. */
		if (p->info_is != RSTP_INFO_RECEIVED || way.bridge == r->id)
			continue;
		way.cost += p->cost;
		/* On a tie the lower port of this bridge wins: the one found first. */
		if (rstp_compare(&way, &r->root_priority) >= 0)
			continue;
		r->root_priority = way;
		r->root_times = p->port_times;
		r->root_times.age++;
		r->root_port = (uint16_t)(i + 1);
	}
}

/* Second half: the role of a port. */
static void assign_role(struct rstp *r, struct rstp_port *p, bool is_root_port)
{
	p->designated_priority = (struct rstp_vector){r->root_priority.root, r->root_priority.cost,
						      r->id, p->id, p->id};
	p->designated_times = r->root_times;
	p->designated_times.hello = RSTP_HELLO;
	p->updt_info = false;
	int c = rstp_compare(&p->designated_priority, &p->port_priority);

	if (p->info_is == RSTP_INFO_DISABLED) {
		p->selected_role = RSTP_DISABLED;
	} else if (p->info_is != RSTP_INFO_RECEIVED) {
		p->selected_role = RSTP_DESIGNATED;
		p->updt_info = p->info_is == RSTP_INFO_AGED || c != 0 ||
			       !same_times(&p->port_times, &p->designated_times);
	} else if (is_root_port) {
		p->selected_role = RSTP_ROOT;
	} else if (c >= 0) {
		p->selected_role = p->port_priority.bridge == r->id ? RSTP_BACKUP : RSTP_ALTERNATE;
	} else {
		p->selected_role = RSTP_DESIGNATED;
		p->updt_info = true;
	}
}

bool rstp_select_roles(struct rstp *r)
{
	bool wanted = false;

	for (uint16_t i = 0; i < r->n_ports; i++)
		wanted |= r->port[i].reselect;
	if (!wanted)
		return false;
	find_root(r);
	for (uint16_t i = 0; i < r->n_ports; i++) {
		r->port[i].reselect = false;
		assign_role(r, &r->port[i], r->root_port == i + 1);
	}
	for (uint16_t i = 0; i < r->n_ports; i++)
		r->port[i].selected = true;
	return true;
}
