/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neighbours and flooding; forwarding is node_forward.c's, the database and the shortest paths are
 * state.c's.
 *
 * Everything that is due has a time (node_due_ns()), and node_tick() does it: hellos, the
 * refreshing of our own state, the repetition of states that were not acknowledged, the computing
 * of routes. That comes spf_wait_ns after the first change, so that changes that come together are
 * computed once.
 *
 * What a neighbour has not acknowledged is kept by origin only, not as a packet: when it is
 * repeated, the newest state of that origin is sent, and an outdated one is never sent again. It is
 * acknowledged by an acknowledgement of the same sequence number, or when the neighbour itself
 * sends that state.
 *
 * Sequence numbers outlive a node. After a restart it begins with 1, and its neighbours still have
 * what it said with a higher number: the first of these that comes back shows it (correct()), and
 * it goes on above it.
 */
#include "vnet/trellis/node.h"

#include "lib/octets.h"
#include "vnet/trellis/node_priv.h"

#include <stdlib.h>
#include <string.h>

enum { HELLO_HEAD = 5, COST_DEFAULT = 10, HEARD_TENTHS = 35 };

static const uint8_t group[6] = {0x03, 0x76, 0x6e, 0x74, 0x00, 0x01};
static const int64_t ms = 1000000;
static const int64_t flood_again_ns = 500 * ms;
static const int64_t spf_wait_ns = 20 * ms;

void node_init(struct node *n, const struct node_options *options, int64_t now_ns)
{
	n->options = *options;
	n->hello_due_ns = now_ns;
	n->refresh_due_ns = now_ns;
	n->flood_due_ns = n->spf_due_ns = INT64_MAX;
}

static void free_neighbour(struct node *n, size_t i)
{
	vec_free(&n->neighbours.at[i].pending);
	vec_remove(&n->neighbours, i);
}

void node_finish(struct node *n)
{
	while (n->neighbours.n)
		free_neighbour(n, n->neighbours.n - 1);
	vec_free(&n->neighbours);
	state_base_finish(&n->base);
	vec_free(&n->routes);
}

void node_send_packet(struct node *n, unsigned nic, const uint8_t mac[6],
		      const struct trellis_packet *p)
{
	const struct node_nic *c = &n->nics[nic];
	size_t len = trellis_packet_write(p, mac, c->mac, n->buf, sizeof(n->buf));

	if (!len || !c->carrier)
		return;
	if (len > c->mtu + 14u)
		n->drops.size++;
	else
		n->send(n->ctx, nic, n->buf, len);
}

static void send_control(struct node *n, unsigned nic, const uint8_t mac[6], uint8_t kind,
			 const uint8_t *payload, size_t len)
{
	struct trellis_packet p = {
		.kind = kind,
		.hop_limit = 1,
		.source = n->options.address,
		.payload = payload,
		.len = (uint16_t)len,
	};

	node_send_packet(n, nic, mac, &p);
}

/*
 * All neighbours of that link are named in it, as far as they fit: that is how each learns that it
 * is heard.
 */
static void say_hello(struct node *n, unsigned nic)
{
	uint8_t payload[TRELLIS_PACKET_MAX];
	size_t at = HELLO_HEAD;
	size_t room = n->nics[nic].mtu > 200 ? n->nics[nic].mtu - 100u : 100;

	put_be16(payload, (uint16_t)(n->options.hello_ns / ms));
	put_be16(payload + 2, n->nics[nic].mtu);
	payload[4] = n->options.transit;
	for (size_t i = 0; i < n->neighbours.n && at < room; i++)
		if (n->neighbours.at[i].nic == nic)
			at += trellis_address_write(&n->neighbours.at[i].address, payload + at,
						    room - at);
	send_control(n, nic, group, TRELLIS_HELLO, payload, at);
}

static void say_hello_everywhere(struct node *n, int64_t now_ns)
{
	for (unsigned i = 0; i < NODE_NICS_MAX; i++)
		if (n->nics[i].there && n->nics[i].carrier)
			say_hello(n, i);
	n->hello_due_ns = now_ns + n->options.hello_ns;
}

/* Notes that the neighbour must get what `origin` said. */
static void make_pending(struct node *n, struct node_neighbour *b,
			 const struct trellis_address *origin)
{
	for (size_t i = 0; i < b->pending.n; i++)
		if (trellis_address_equal(&b->pending.at[i], origin))
			return;
	vec_push(&b->pending, *origin);
}

static void clear_pending(struct node_neighbour *b, const struct trellis_address *origin)
{
	for (size_t i = b->pending.n; i-- > 0;)
		if (trellis_address_equal(&b->pending.at[i], origin))
			vec_remove(&b->pending, i);
}

static void send_state(struct node *n, struct node_neighbour *b, const struct state_entry *e,
		       int64_t now_ns)
{
	uint8_t payload[TRELLIS_PACKET_MAX];
	struct state s = e->state;

	s.age_ms = state_entry_age_ms(e, now_ns);
	size_t len = state_write(&s, payload, sizeof(payload));

	if (len)
		send_control(n, b->nic, b->mac, TRELLIS_STATE, payload, len);
}

/* Sends one state to all neighbours but the one it came from. */
static void flood(struct node *n, const struct state_entry *e, const struct node_neighbour *from,
		  int64_t now_ns)
{
	for (size_t i = 0; i < n->neighbours.n; i++) {
		struct node_neighbour *b = &n->neighbours.at[i];

		if (b == from || !b->hears_us)
			continue;
		make_pending(n, b, &e->state.origin);
		send_state(n, b, e, now_ns);
		if (n->flood_due_ns == INT64_MAX)
			n->flood_due_ns = now_ns + flood_again_ns;
	}
}

static void flood_again(struct node *n, int64_t now_ns)
{
	n->flood_due_ns = INT64_MAX;
	for (size_t i = 0; i < n->neighbours.n; i++) {
		struct node_neighbour *b = &n->neighbours.at[i];

		for (size_t k = b->pending.n; k-- > 0;) {
			struct state_entry *e = state_base_find(&n->base, &b->pending.at[k]);

			if (e)
				send_state(n, b, e, now_ns);
			else
				vec_remove(&b->pending, k);
		}
		if (b->pending.n)
			n->flood_due_ns = now_ns + flood_again_ns;
	}
}

static uint16_t cost_of(const struct node *n, unsigned nic)
{
	return n->options.cost[nic] ? n->options.cost[nic] : COST_DEFAULT;
}

static void want_spf(struct node *n, int64_t now_ns)
{
	if (n->spf_due_ns == INT64_MAX)
		n->spf_due_ns = now_ns + spf_wait_ns;
}

/* Says what our links are now, with a number that is higher than any that was seen. */
static void originate(struct node *n, int64_t now_ns)
{
	struct state_link links[STATE_LINKS_MAX];
	struct state s = {
		.origin = n->options.address, .transit = n->options.transit, .links = links};
	const struct state_entry *old = state_base_find(&n->base, &s.origin);

	s.sequence = old ? old->state.sequence + 1 : 1;
	for (size_t i = 0; i < n->neighbours.n && s.n_links < STATE_LINKS_MAX; i++) {
		const struct node_neighbour *b = &n->neighbours.at[i];
		uint16_t mtu = n->nics[b->nic].mtu;

		if (b->hears_us)
			links[s.n_links++] = (struct state_link){
				.to = b->address,
				.cost = cost_of(n, b->nic),
				.mtu = b->mtu < mtu ? b->mtu : mtu,
			};
	}
	state_base_offer(&n->base, &s, now_ns);
	n->refresh_due_ns = now_ns + n->options.refresh_ns;
	flood(n, state_base_find(&n->base, &s.origin), NULL, now_ns);
	want_spf(n, now_ns);
}

static struct node_neighbour *find_neighbour(struct node *n, unsigned nic,
					     const struct trellis_address *address)
{
	for (size_t i = 0; i < n->neighbours.n; i++)
		if (n->neighbours.at[i].nic == nic &&
		    trellis_address_equal(&n->neighbours.at[i].address, address))
			return &n->neighbours.at[i];
	return NULL;
}

static bool says_ours(const struct node *n, const struct trellis_packet *p)
{
	size_t at = HELLO_HEAD;
	struct trellis_address a;

	while (at < p->len) {
		size_t len = trellis_address_read(&a, p->payload + at, p->len - at);

		if (!len)
			return false;
		if (trellis_address_equal(&a, &n->options.address))
			return true;
		at += len;
	}
	return false;
}

/* A neighbour has come (it gets all that we know) or gone. */
static void neighbour_changed(struct node *n, struct node_neighbour *b, int64_t now_ns)
{
	b->pending.n = 0;
	if (b->hears_us) {
		for (size_t i = 0; i < n->base.entries.n; i++) {
			make_pending(n, b, &n->base.entries.at[i].state.origin);
			send_state(n, b, &n->base.entries.at[i], now_ns);
		}
		if (n->flood_due_ns == INT64_MAX)
			n->flood_due_ns = now_ns + flood_again_ns;
	}
	originate(n, now_ns);
}

/*
 * Two nodes are neighbours while each says that it hears the other: a link that works in one
 * direction only is no link.
 */
static void receive_hello(struct node *n, unsigned nic, const struct trellis_packet *p,
			  const uint8_t mac[6], int64_t now_ns)
{
	struct node_neighbour *b = find_neighbour(n, nic, &p->source);
	bool is_new = !b;

	if (p->len < HELLO_HEAD || (is_new && n->neighbours.n >= NODE_NEIGHBOURS_MAX))
		return;
	if (is_new) {
		b = vec_add(&n->neighbours);
		b->address = p->source;
		b->nic = nic;
	}
	uint16_t mtu = get_be16(p->payload + 2);
	bool hears = says_ours(n, p);
	bool changed = hears != b->hears_us || (hears && mtu != b->mtu);

	memcpy(b->mac, mac, 6);
	b->mtu = mtu;
	b->heard_ns = now_ns;
	b->interval_ns = get_be16(p->payload) * ms;
	b->hears_us = hears;
	if (changed)
		neighbour_changed(n, b, now_ns);
	/* At once, so that two that meet need not wait for their next hellos. */
	if (is_new)
		say_hello(n, nic);
}

/*
 * Also what is old or known already is acknowledged: the neighbour repeats it until it hears that.
 */
static void acknowledge(struct node *n, struct node_neighbour *b, const struct state *s)
{
	uint8_t payload[4 + 1 + TRELLIS_ADDRESS_MAX];

	put_be32(payload, s->sequence);
	size_t len = trellis_address_write(&s->origin, payload + 4, sizeof(payload) - 4);

	send_control(n, b->nic, b->mac, TRELLIS_STATE_ACK, payload, 4 + len);
}

/* A state of our own from before a restart comes back: we go on above its number. */
static void correct(struct node *n, const struct state *s, int64_t now_ns)
{
	struct state_entry *own = state_base_find(&n->base, &s->origin);

	if (own && (int32_t)(s->sequence - own->state.sequence) <= 0)
		return;
	if (own)
		own->state.sequence = s->sequence;
	originate(n, now_ns);
}

static void receive_state(struct node *n, struct node_neighbour *b, const struct trellis_packet *p,
			  int64_t now_ns)
{
	struct state s;

	if (!state_read(&s, p->payload, p->len))
		return;
	acknowledge(n, b, &s);
	if (trellis_address_equal(&s.origin, &n->options.address)) {
		correct(n, &s, now_ns);
		state_finish(&s);
		return;
	}
	enum state_news news = s.age_ms > 3 * n->options.refresh_ns / ms
				       ? STATE_SAME
				       : state_base_offer(&n->base, &s, now_ns);
	struct state_entry *e = state_base_find(&n->base, &s.origin);

	if (news == STATE_NEW || news == STATE_SAME)
		clear_pending(b, &s.origin);
	if (news == STATE_NEW) {
		flood(n, e, b, now_ns);
		want_spf(n, now_ns);
	} else if (news == STATE_OLD) {
		send_state(n, b, e, now_ns);
	}
	state_finish(&s);
}

static void receive_ack(struct node *n, struct node_neighbour *b, const struct trellis_packet *p)
{
	struct trellis_address origin;

	if (p->len < 5 || !trellis_address_read(&origin, p->payload + 4, p->len - 4u))
		return;
	struct state_entry *e = state_base_find(&n->base, &origin);

	if (!e || e->state.sequence == get_be32(p->payload))
		clear_pending(b, &origin);
}

void node_receive(struct node *n, unsigned nic, const uint8_t *frame, size_t len, int64_t now_ns)
{
	struct trellis_packet p;

	if (nic >= NODE_NICS_MAX || !n->nics[nic].there || !trellis_packet_read(&p, frame, len)) {
		n->drops.damaged++;
		return;
	}
	/* Our own address as its source: another node has it too, or a link echoes. */
	if (trellis_address_equal(&p.source, &n->options.address) && p.kind < TRELLIS_DATAGRAM)
		return;
	if (p.kind == TRELLIS_HELLO) {
		receive_hello(n, nic, &p, frame + 6, now_ns);
	} else if (p.kind >= TRELLIS_DATAGRAM && p.kind <= TRELLIS_ERROR) {
		node_forward(n, &p);
	} else {
		struct node_neighbour *b = find_neighbour(n, nic, &p.source);

		if (b && b->hears_us && p.kind == TRELLIS_STATE)
			receive_state(n, b, &p, now_ns);
		else if (b && p.kind == TRELLIS_STATE_ACK)
			receive_ack(n, b, &p);
	}
}

/*
 * A carrier that is lost is news at once. One that comes needs a hello to become a link, so that is
 * said now.
 */
void node_set_nic(struct node *n, unsigned nic, const uint8_t mac[6], uint16_t mtu, bool carrier,
		  int64_t now_ns)
{
	struct node_nic *c = &n->nics[nic];
	bool lost = c->there && c->carrier && !carrier;
	bool changed = c->there && c->mtu != mtu;

	*c = (struct node_nic){.there = true, .carrier = carrier, .mtu = mtu};
	memcpy(c->mac, mac, 6);
	for (size_t i = n->neighbours.n; lost && i-- > 0;)
		if (n->neighbours.at[i].nic == nic)
			free_neighbour(n, i);
	if (lost || changed)
		originate(n, now_ns);
	if (carrier)
		n->hello_due_ns = now_ns;
}

static void drop_silent(struct node *n, int64_t now_ns)
{
	bool gone = false;

	for (size_t i = n->neighbours.n; i-- > 0;) {
		const struct node_neighbour *b = &n->neighbours.at[i];

		if (now_ns - b->heard_ns < b->interval_ns * HEARD_TENTHS / 10)
			continue;
		gone |= b->hears_us;
		free_neighbour(n, i);
	}
	if (gone)
		originate(n, now_ns);
}

/* Of several links to the same neighbour, the cheapest. */
static const struct node_neighbour *best_link(struct node *n, const struct trellis_address *to)
{
	const struct node_neighbour *best = NULL;

	for (size_t i = 0; i < n->neighbours.n; i++) {
		const struct node_neighbour *b = &n->neighbours.at[i];

		if (b->hears_us && trellis_address_equal(&b->address, to) &&
		    (!best || cost_of(n, b->nic) < cost_of(n, best->nic)))
			best = b;
	}
	return best;
}

/*
 * A path says by which neighbour it begins; a route says by which NIC and to which MAC. Two nodes
 * may have several links between them, which the paths do not tell apart.
 */
static void compute_routes(struct node *n)
{
	struct state_path *paths = xcalloc(n->base.entries.n + 1, sizeof(*paths));
	size_t count = state_paths(&n->base, &n->options.address, paths);

	n->spf_due_ns = INT64_MAX;
	n->spf_runs++;
	n->routes.n = 0;
	for (size_t i = 0; i < count; i++) {
		const struct node_neighbour *b = best_link(n, paths[i].first);
		struct trellis_route r = {
			.to = *paths[i].to,
			.mtu = paths[i].mtu,
			.hops = paths[i].hops,
			.cost = paths[i].cost,
		};

		if (!b)
			continue;
		r.nic = (uint8_t)b->nic;
		memcpy(r.mac, b->mac, 6);
		vec_push(&n->routes, r);
	}
	free(paths);
	if (n->routes_changed)
		n->routes_changed(n->ctx);
}

void node_tick(struct node *n, int64_t now_ns)
{
	if (n->hello_due_ns <= now_ns) {
		drop_silent(n, now_ns);
		say_hello_everywhere(n, now_ns);
		if (state_base_expire(&n->base, &n->options.address,
				      (uint32_t)(3 * n->options.refresh_ns / ms), now_ns))
			want_spf(n, now_ns);
	}
	if (n->refresh_due_ns <= now_ns)
		originate(n, now_ns);
	if (n->flood_due_ns <= now_ns)
		flood_again(n, now_ns);
	if (n->spf_due_ns <= now_ns)
		compute_routes(n);
}

int64_t node_due_ns(const struct node *n)
{
	int64_t due = n->hello_due_ns;

	if (n->refresh_due_ns < due)
		due = n->refresh_due_ns;
	if (n->flood_due_ns < due)
		due = n->flood_due_ns;
	return n->spf_due_ns < due ? n->spf_due_ns : due;
}

/* By the longest prefix. Routes lead to nodes, so most destinations match one of them whole. */
const struct trellis_route *trellis_route_find(const struct trellis_route *routes, size_t n,
					       const struct trellis_address *to)
{
	const struct trellis_route *best = NULL;

	for (size_t i = 0; i < n; i++)
		if (trellis_address_has_prefix(to, &routes[i].to) &&
		    (!best || routes[i].to.len > best->to.len))
			best = &routes[i];
	return best;
}
