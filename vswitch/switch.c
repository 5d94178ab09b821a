/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a frame finds its way through the switch (IEEE 802.1Q-2018, clause 8.6): ingress, learning,
 * forwarding, egress, and then the mirrors.
 *
 * Ingress says whether the frame may come in and in which VLAN it is. Its source is learned before
 * its destination is looked up, and even if it goes nowhere. A destination that is known goes to
 * one port; one that is not, and every group address, to all ports of the VLAN. The spanning tree
 * has a say twice, for the port it comes from and the ports it goes to.
 *
 * A frame is never changed: other ports may have the same one in their queues. If a port wants it
 * with another tag, one copy is made for all ports that want it so (struct transit). A switch
 * without VLANs looks at nothing behind the addresses but in BPDUs.
 *
 * The switch knows no time but what it is told with frames and ticks, and draws its randomness by
 * seed and name, so equal runs are equal.
 */
#include "vswitch/switch.h"

#include "lib/rng.h"
#include "lib/xalloc.h"
#include "vswitch/switch_priv.h"

#include <stdlib.h>
#include <string.h>

enum { TABLE_DEFAULT = 8192 };
static const int64_t second_ns = 1000000000;
static const int64_t ageing_default_ns = INT64_C(300000000000); /* 802.1Q-2018, table 8-6 */

/* One frame on its way: as it came in, its VLAN, and other forms of it once a port wants them. */
struct transit {
	struct frame *frame; /* borrowed */
	bool tagged;
	uint16_t vid;          /* 0: the switch does not care about VLANs */
	uint16_t priority;     /* bits of the tag that are not the VLAN */
	struct frame *made[2]; /* without a tag, with one; owned by the list */
};

/* A locally administered address, the same in every run. */
static void make_mac(struct device *d, uint64_t seed, const char *name)
{
	struct rng r;

	rng_init(&r, seed, name, "mac");
	for (int i = 0; i < 6; i++)
		d->mac[i] = (uint8_t)rng_next(&r);
	d->mac[0] = (uint8_t)((d->mac[0] & 0xfc) | 0x02);
}

static struct device *switch_create(const char *name, uint64_t seed)
{
	struct device *d = xcalloc(1, sizeof(*d));
	struct rng salt;

	rng_init(&salt, seed, name, "fdb");
	fdb_init(&d->fdb, TABLE_DEFAULT, rng_next(&salt));
	d->fdb.ageing_ns = ageing_default_ns;
	for (int i = 0; i < DEVICE_PORTS_MAX; i++) {
		d->port[i].untagged = VLAN_DEFAULT;
		d->port[i].cost = RSTP_COST;
	}
	d->priority = RSTP_PRIORITY;
	make_mac(d, seed, name);
	return d;
}

static void switch_destroy(struct device *d)
{
	if (!d)
		return;
	for (int i = 0; i < DEVICE_PORTS_MAX; i++) {
		free(d->port[i].trunk);
		free(d->port[i].mirror);
	}
	fdb_finish(&d->fdb);
	guard_finish(&d->guard);
	if (d->rstp)
		rstp_finish(d->rstp);
	free(d->rstp);
	free(d);
}

/*
 * Flooding goes through this list rather than all DEVICE_PORTS_MAX ports; a mirror is not in it,
 * for it only shows.
 */
void switch_list_ports(struct device *d)
{
	d->n_up = 0;
	for (int i = 0; i < DEVICE_PORTS_MAX; i++)
		if (d->port[i].up && !d->port[i].mirror)
			d->up[d->n_up++] = (uint16_t)i;
}

static void note_time(struct device *d, int64_t now_ns)
{
	if (now_ns <= d->now_ns)
		return;
	/* A device is not told the time before something happens: seconds count from then. */
	if (!d->now_ns)
		d->tick_ns = now_ns + second_ns;
	d->now_ns = now_ns;
}

static void switch_port_change(struct device *d, uint16_t port, bool up, int64_t now_ns)
{
	if (d->port[port].up == up)
		return;
	d->port[port].up = up;
	note_time(d, now_ns);
	switch_tell_rstp(d, port);
	if (!up)
		fdb_flush_port(&d->fdb, port);
	switch_list_ports(d);
}

/* 01-80-C2-00-00-00 to -0F: for the next switch only (802.1Q-2018, table 8-1). */
static bool is_reserved(const uint8_t *mac)
{
	static const uint8_t prefix[5] = {0x01, 0x80, 0xc2, 0x00, 0x00};

	return !memcmp(mac, prefix, sizeof(prefix)) && mac[5] <= 0x0f;
}

/* The VLAN of a frame that comes in at a port (6.9). False: it may not. */
static bool classify(const struct device *d, uint16_t in, struct transit *t)
{
	const struct port *p = &d->port[in];

	if (!d->vlan_aware)
		return true;
	t->tagged = vlan_is_tagged(t->frame);
	if (t->tagged) {
		uint16_t tci = vlan_tci(t->frame);

		t->priority = tci & 0xf000;
		t->vid = tci & 0xfff;
		if (t->vid && !p->trunk)
			return false;
		if (t->vid)
			return vlan_in(p->trunk, t->vid) || t->vid == p->untagged;
	}
	t->vid = p->untagged;
	return t->vid != 0;
}

static bool is_member(const struct device *d, uint16_t port, uint16_t vid)
{
	const struct port *p = &d->port[port];

	return !vid || p->untagged == vid || (p->trunk && vlan_in(p->trunk, vid));
}

/*
 * The form of the frame that a port wants, with a reference for the list unless it is the frame
 * itself. A frame that came with a priority tag (VLAN 0) goes out by trunks with its VLAN in it.
 */
static struct frame *form_for(const struct device *d, struct transit *t, uint16_t port)
{
	bool want_tag = t->vid && d->port[port].untagged != t->vid;
	bool fits = want_tag == t->tagged;

	if (!t->vid || (fits && (!t->tagged || (vlan_tci(t->frame) & 0xfff) == t->vid)))
		return t->frame;
	struct frame **made = &t->made[want_tag];

	if (*made)
		return frame_ref(*made);
	*made = want_tag ? vlan_with_tag(t->frame, t->priority | t->vid)
			 : vlan_without_tag(t->frame);
	return *made;
}

static bool may_send(const struct device *d, uint16_t port)
{
	return !d->rstp || rstp_forwards(d->rstp, port);
}

static void send_to(struct device *d, struct transit *t, uint16_t port, struct device_out *out)
{
	struct frame *f = form_for(d, t, port);

	if (!f) {
		d->no_memory++;
		return;
	}
	out->at[out->n].port = port;
	out->at[out->n++].frame = f;
}

/* To all ports of the VLAN but its own, or to those of them that are in `only`. */
static enum device_drop flood(struct device *d, uint16_t in, struct transit *t,
			      const struct port_set *only, struct device_out *out)
{
	for (uint16_t i = 0; i < d->n_up; i++) {
		uint16_t port = d->up[i];

		if (port != in && (!only || port_in(only, port)) && is_member(d, port, t->vid) &&
		    may_send(d, port))
			send_to(d, t, port, out);
	}
	if (!out->n)
		return DEVICE_DROP_NOBODY;
	d->flooded += frame_count(t->frame);
	return DEVICE_FORWARDED;
}

/* Ingress: may a frame come in here, and in which VLAN? */
static enum device_drop let_in(const struct device *d, uint16_t in, struct transit *t)
{
	const uint8_t *dst = t->frame->data;
	const uint8_t *src = dst + 6;
	const struct port_set *home;

	if (d->port[in].mirror)
		return DEVICE_DROP_MIRROR_PORT;
	if (src[0] & 1)
		return DEVICE_DROP_SOURCE;
	home = guard_find(&d->guard, src);
	if (home && !port_in(home, in))
		return DEVICE_DROP_FOREIGN;
	if (!d->wire && is_reserved(dst))
		return DEVICE_DROP_RESERVED;
	if (!classify(d, in, t))
		return DEVICE_DROP_VLAN;
	return DEVICE_FORWARDED;
}

/* Everything but the mirrors. */
static enum device_drop switch_frame(struct device *d, uint16_t in, struct transit *t,
				     int64_t now_ns, struct device_out *out)
{
	const uint8_t *dst = t->frame->data;
	enum device_drop why = let_in(d, in, t);

	if (why != DEVICE_FORWARDED)
		return why;
	if (d->rstp && !rstp_learns(d->rstp, in))
		return DEVICE_DROP_STP;
	if (!fdb_learn(&d->fdb, fdb_key(t->vid, dst + 6), in, now_ns))
		d->not_learned++;
	if (!may_send(d, in))
		return DEVICE_DROP_STP;
	if (dst[0] & 1)
		return flood(d, in, t, NULL, out);
	int port = fdb_find(&d->fdb, fdb_key(t->vid, dst), now_ns);

	if (port < 0)
		return flood(d, in, t, guard_find(&d->guard, dst), out);
	if (port == in)
		return DEVICE_DROP_SAME_PORT;
	if (!is_member(d, (uint16_t)port, t->vid))
		return DEVICE_DROP_VLAN;
	if (!may_send(d, (uint16_t)port))
		return DEVICE_DROP_STP;
	send_to(d, t, (uint16_t)port, out);
	if (!out->n)
		return DEVICE_DROP_MEMORY;
	d->forwarded += frame_count(t->frame);
	return DEVICE_FORWARDED;
}

static bool is_watched(const struct port_set *watched, uint16_t in, const struct device_out *out,
		       uint32_t n)
{
	bool seen = port_in(watched, in);

	for (uint32_t i = 0; i < n && !seen; i++)
		seen = port_in(watched, out->at[i].port);
	return seen;
}

/*
 * Last, because only then it is known where the frame went: a mirror shows what came in or went out
 * at the ports it watches, once. It has the frame as it came in.
 */
static void mirror(struct device *d, uint16_t in, struct frame *f, struct device_out *out)
{
	uint32_t n = out->n;

	for (int i = 0; i < DEVICE_PORTS_MAX; i++) {
		const struct port *p = &d->port[i];

		if (!p->mirror || !p->up || i == in || !is_watched(p->mirror, in, out, n))
			continue;
		out->at[out->n].port = (uint16_t)i;
		out->at[out->n++].frame = f;
		d->mirrored++;
	}
}

/* The spanning tree's BPDUs, and stations to forget. What finds no room goes with the next tick. */
static void send_bpdus(struct device *d, struct frame_pool *pool, struct device_out *out)
{
	uint8_t bpdu[RSTP_FRAME_MAX];
	uint16_t port;

	for (int flushed; (flushed = rstp_flush(d->rstp)) >= 0;)
		fdb_flush_port(&d->fdb, (uint16_t)flushed);
	while (out->n < DEVICE_PORTS_MAX) {
		size_t len = rstp_transmit(d->rstp, &port, bpdu);
		struct frame *f = len ? frame_get(pool, (uint32_t)len) : NULL;

		if (!len)
			return;
		if (!f) {
			d->no_memory++;
			continue;
		}
		memcpy(f->data, bpdu, len);
		out->at[out->n].port = port;
		out->at[out->n++].frame = f;
	}
}

static int64_t switch_next_due_ns(const struct device *d)
{
	if (!d->rstp)
		return INT64_MAX;
	return d->tick_ns > d->now_ns && !rstp_wants_to_transmit(d->rstp) ? d->tick_ns : d->now_ns;
}

static void switch_tick(struct device *d, int64_t now_ns, struct frame_pool *pool,
			struct device_out *out)
{
	if (!d->rstp)
		return;
	note_time(d, now_ns);
	if (now_ns >= d->tick_ns) {
		rstp_tick(d->rstp);
		/* After a long sleep one tick is enough: timers must not all run out at once. */
		d->tick_ns += second_ns;
		if (d->tick_ns <= now_ns)
			d->tick_ns = now_ns + second_ns;
	}
	send_bpdus(d, pool, out);
}

static enum device_drop switch_forward(struct device *d, uint16_t in, struct frame *f,
				       int64_t now_ns, struct device_out *out)
{
	struct transit t = {.frame = f};

	if (f->len < FRAME_MIN)
		return DEVICE_DROP_RUNT;
	if (d->rstp)
		note_time(d, now_ns);
	if (d->rstp && !d->port[in].mirror && rstp_receive(d->rstp, in, f->data, f->len)) {
		send_bpdus(d, f->pool, out);
		return DEVICE_FORWARDED;
	}
	enum device_drop why = switch_frame(d, in, &t, now_ns, out);

	if (d->n_mirrors)
		mirror(d, in, f, out);
	return why;
}

/* Tags can be put into real frames only, and a mirror must show frames as they are on a wire. */
static bool switch_takes_raw(const struct device *d)
{
	return !d->vlan_aware && !d->n_mirrors;
}

const struct device_kind switch_kind = {
	.name = "switch",
	.create = switch_create,
	.destroy = switch_destroy,
	.set = switch_set,
	.set_port = switch_set_port,
	.port_change = switch_port_change,
	.forward = switch_forward,
	.takes_raw = switch_takes_raw,
	.next_due_ns = switch_next_due_ns,
	.tick = switch_tick,
	.status = switch_status,
};
