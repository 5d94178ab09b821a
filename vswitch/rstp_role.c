/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a port comes into its role without making a loop [17.29].
 *
 * To block is always safe and done at once; to forward must wait until nobody else's forwarding
 * port could close a loop. There are three ways to know that: the other end agrees (proposal and
 * agreement), nobody is there (an edge), or so much time has passed that all have heard the news
 * (fd_while).
 *
 * A proposal spreads downwards. The bridge that receives one on its root port sets `sync` on all
 * its ports: designated ones block unless they are agreed or edges, and say so by `synced`. When
 * all are, it agrees upwards, and that wire forwards. Its own designated ports then propose in
 * turn. So at any time there is a cut of blocked ports between the part of the tree that has
 * settled and the rest, and the cut moves outwards, which takes as long as messages do and not 30
 * seconds.
 *
 * A new root port may forward when no port that was root port lately (rr_while) still does: re_root
 * tells those to block.
 */
#include "vswitch/rstp_priv.h"

enum { ROLE_INIT, ROLE_BLOCKING, ROLE_SETTLED };

/* forwardDelay [17.20.5] */
static uint16_t forward_delay(const struct rstp_port *p)
{
	return p->send_rstp ? p->designated_times.hello : p->designated_times.delay;
}

/*
 * allSynced [17.20.3] A port whose role is not settled counts as not synced even if it blocks now:
 * it may be told to forward in the same run.
 */
static bool all_synced(const struct rstp *r)
{
	for (uint16_t i = 0; i < r->n_ports; i++) {
		const struct rstp_port *p = &r->port[i];

		if (!p->selected || p->role != p->selected_role || p->updt_info ||
		    !(p->synced || p->role == RSTP_ROOT))
			return false;
	}
	return true;
}

/* reRooted [17.20.10]: no other port was the root port a short while ago. */
static bool re_rooted(const struct rstp *r, const struct rstp_port *self)
{
	for (uint16_t i = 0; i < r->n_ports; i++)
		if (&r->port[i] != self && r->port[i].rr_while)
			return false;
	return true;
}

static void set_sync_tree(struct rstp *r)
{
	for (uint16_t i = 0; i < r->n_ports; i++)
		r->port[i].sync = true;
}

static void set_re_root_tree(struct rstp *r)
{
	for (uint16_t i = 0; i < r->n_ports; i++)
		r->port[i].re_root = true;
}

/* The designated port at the other end proposed: block what could make a loop, then agree. */
static bool run_agreement(struct rstp *r, struct rstp_port *p)
{
	if (p->proposed && !p->agree) {
		set_sync_tree(r);
		p->proposed = false;
		return true;
	}
	if ((all_synced(r) && !p->agree) || (p->proposed && p->agree)) {
		p->proposed = false;
		if (p->role == RSTP_ROOT)
			p->sync = false;
		p->agree = true;
		p->new_info = true;
		return true;
	}
	return false;
}

/* Forwards at once if no other port was the root port lately: else after the delays. */
static bool run_root(struct rstp *r, struct rstp_port *p)
{
	bool may = !p->fd_while || (re_rooted(r, p) && !p->rb_while && p->send_rstp);

	if (run_agreement(r, p))
		return true;
	if (!p->forward && !p->re_root) {
		set_re_root_tree(r);
		return true;
	}
	if (may && !p->learn) {
		p->fd_while = forward_delay(p);
		p->learn = true;
		return true;
	}
	if (may && !p->forward) {
		p->fd_while = 0;
		p->forward = true;
		return true;
	}
	if (p->re_root && p->forward) {
		p->re_root = false;
		return true;
	}
	if (p->rr_while != p->designated_times.delay) {
		p->rr_while = p->designated_times.delay;
		return true;
	}
	return false;
}

/* Proposes, and forwards when the other end agreed, or is no bridge, or after the delays. */
static bool run_designated(struct rstp *r, struct rstp_port *p)
{
	bool may = (!p->fd_while || p->agreed || p->oper_edge) && (!p->rr_while || !p->re_root) &&
		   !p->sync;

	if (!p->forward && !p->agreed && !p->proposing && !p->oper_edge) {
		p->proposing = true;
		p->edge_delay_while =
			p->point_to_point ? RSTP_MIGRATE : p->designated_times.max_age;
		p->new_info = true;
		return true;
	}
	bool harmless = (!p->learning && !p->forwarding) || p->agreed || p->oper_edge;

	if ((harmless && !p->synced) || (p->sync && p->synced)) {
		p->rr_while = 0;
		p->synced = true;
		p->sync = false;
		return true;
	}
	if (!p->rr_while && p->re_root) {
		p->re_root = false;
		return true;
	}
	if (((p->sync && !p->synced) || (p->re_root && p->rr_while) || p->disputed) &&
	    !p->oper_edge && (p->learn || p->forward)) {
		p->learn = p->forward = p->disputed = false;
		p->fd_while = forward_delay(p);
		return true;
	}
	if (may && !p->learn) {
		p->learn = true;
		p->fd_while = forward_delay(p);
		return true;
	}
	if (may && !p->forward) {
		p->forward = true;
		p->fd_while = 0;
		p->agreed = p->send_rstp;
		return true;
	}
	return false;
}

/* Disabled, alternate and backup ports, once they are silent: nothing waits for them. */
static bool settle(struct rstp_port *p, uint16_t fd_while)
{
	if (p->fd_while == fd_while && !p->sync && !p->re_root && p->synced && !p->rr_while)
		return false;
	p->fd_while = fd_while;
	p->synced = true;
	p->rr_while = 0;
	p->sync = p->re_root = false;
	return true;
}

/* Blocked ports agree, too: so the other end, designated for that wire, need not wait. */
static bool run_alternate(struct rstp *r, struct rstp_port *p)
{
	if (run_agreement(r, p) || settle(p, forward_delay(p)))
		return true;
	if (p->role == RSTP_BACKUP && p->rb_while != 2 * RSTP_HELLO) {
		p->rb_while = 2 * RSTP_HELLO;
		return true;
	}
	return false;
}

static void enter_role(struct rstp_port *p)
{
	p->role = p->selected_role;
	p->role_state = ROLE_SETTLED;
	if (p->role == RSTP_ROOT) {
		p->rr_while = p->designated_times.delay;
	} else if (p->role != RSTP_DESIGNATED) {
		p->learn = p->forward = false;
		p->role_state = ROLE_BLOCKING;
	}
}

bool rstp_run_role(struct rstp *r, struct rstp_port *p)
{
	if (p->role_state == ROLE_INIT) {
		p->role = RSTP_DISABLED;
		p->synced = false;
		p->sync = p->re_root = true;
		p->rr_while = RSTP_DELAY;
		p->fd_while = RSTP_MAX_AGE;
		p->role_state = ROLE_BLOCKING;
		return true;
	}
	if (!p->selected || p->updt_info)
		return false;
	if (p->role != p->selected_role) {
		enter_role(p);
		return true;
	}
	if (p->role_state == ROLE_BLOCKING) {
		if (p->learning || p->forwarding)
			return false;
		p->role_state = ROLE_SETTLED;
	}
	switch (p->role) {
	case RSTP_ROOT:
		return run_root(r, p);
	case RSTP_DESIGNATED:
		return run_designated(r, p);
	case RSTP_DISABLED:
		return settle(p, p->designated_times.max_age);
	default:
		return run_alternate(r, p);
	}
}
