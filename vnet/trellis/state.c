/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Link states and shortest paths. A link counts only if both ends say it: after a node died, the
 * others still hold what it said, but its neighbours no longer say their ends. Dijkstra's algorithm
 * looks for the nearest node by a scan, as a vNet has hundreds of nodes, not millions. Ties are
 * broken by the order of addresses, so that all nodes compute the same paths.
 */
#include "vnet/trellis/state.h"

#include "lib/octets.h"
#include "vnet/trellis/packet.h"

#include <stdlib.h>
#include <string.h>

void state_finish(struct state *s)
{
	free(s->links);
	s->links = NULL;
	s->n_links = 0;
}

static void copy(struct state *to, const struct state *from)
{
	*to = *from;
	to->links = xcalloc(from->n_links ? from->n_links : 1, sizeof(*to->links));
	if (from->n_links)
		memcpy(to->links, from->links, from->n_links * sizeof(*to->links));
}

static size_t read_link(struct state_link *l, const uint8_t *data, size_t len)
{
	size_t n = trellis_address_read(&l->to, data, len);

	if (!n || len - n < 4)
		return 0;
	l->cost = get_be16(data + n);
	l->mtu = get_be16(data + n + 2);
	return l->cost ? n + 4 : 0;
}

bool state_read(struct state *s, const uint8_t *data, size_t len)
{
	memset(s, 0, sizeof(*s));
	if (len < 10 || data[8] > 1)
		return false;
	s->age_ms = get_be32(data);
	s->sequence = get_be32(data + 4);
	s->transit = data[8];
	uint8_t n_links = data[9];
	size_t at = 10;
	size_t n = trellis_address_read(&s->origin, data + at, len - at);

	if (!n)
		return false;
	at += n;
	s->links = xcalloc(n_links ? n_links : 1, sizeof(*s->links));
	for (; s->n_links < n_links; s->n_links++) {
		n = read_link(&s->links[s->n_links], data + at, len - at);
		if (!n) {
			state_finish(s);
			return false;
		}
		at += n;
	}
	return true;
}

size_t state_write(const struct state *s, uint8_t *data, size_t room)
{
	size_t at = 10;

	if (room < at)
		return 0;
	put_be32(data, s->age_ms);
	put_be32(data + 4, s->sequence);
	data[8] = s->transit;
	data[9] = s->n_links;
	size_t n = trellis_address_write(&s->origin, data + at, room - at);

	for (size_t i = 0; n && i < s->n_links; i++) {
		at += n;
		n = trellis_address_write(&s->links[i].to, data + at, room - at);
		if (!n || room - at - n < 4)
			return 0;
		put_be16(data + at + n, s->links[i].cost);
		put_be16(data + at + n + 2, s->links[i].mtu);
		n += 4;
	}
	return n ? at + n : 0;
}

/*
 * Where an address is, or belongs. Entries are sorted by address: a link names its other end by
 * one, and is looked up by halves.
 */
static size_t place_of(const struct state_base *b, const struct trellis_address *origin,
		       bool *there)
{
	size_t low = 0;
	size_t high = b->entries.n;

	*there = false;
	while (low < high) {
		size_t mid = (low + high) / 2;
		int order = trellis_address_compare(&b->entries.at[mid].state.origin, origin);

		if (order == 0) {
			*there = true;
			return mid;
		}
		if (order < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

struct state_entry *state_base_find(struct state_base *b, const struct trellis_address *origin)
{
	bool there;
	size_t at = place_of(b, origin, &there);

	return there ? &b->entries.at[at] : NULL;
}

/* Sequence numbers wrap around (RFC 1982). */
static int compare_sequence(uint32_t a, uint32_t b)
{
	return a == b ? 0 : (int32_t)(a - b) < 0 ? -1 : 1;
}

enum state_news state_base_offer(struct state_base *b, const struct state *s, int64_t now_ns)
{
	bool there;
	size_t at = place_of(b, &s->origin, &there);

	if (there) {
		int order = compare_sequence(s->sequence, b->entries.at[at].state.sequence);

		if (order <= 0)
			return order ? STATE_OLD : STATE_SAME;
		state_finish(&b->entries.at[at].state);
	} else {
		if (b->entries.n >= STATE_NODES_MAX)
			return STATE_FULL;
		vec_push_zero(&b->entries);
		memmove(&b->entries.at[at + 1], &b->entries.at[at],
			(b->entries.n - 1 - at) * sizeof(b->entries.at[0]));
	}
	copy(&b->entries.at[at].state, s);
	b->entries.at[at].came_ns = now_ns;
	return STATE_NEW;
}

/*
 * A state carries its age, and ages while it lies here. So it dies everywhere at about the same
 * time, without clocks that agree.
 */
uint32_t state_entry_age_ms(const struct state_entry *e, int64_t now_ns)
{
	int64_t age = e->state.age_ms + (now_ns - e->came_ns) / 1000000;

	return age > UINT32_MAX ? UINT32_MAX : (uint32_t)age;
}

bool state_base_expire(struct state_base *b, const struct trellis_address *self,
		       uint32_t max_age_ms, int64_t now_ns)
{
	bool gone = false;

	for (size_t i = b->entries.n; i-- > 0;) {
		struct state_entry *e = &b->entries.at[i];

		if (state_entry_age_ms(e, now_ns) <= max_age_ms ||
		    trellis_address_equal(&e->state.origin, self))
			continue;
		state_finish(&e->state);
		vec_remove(&b->entries, i);
		gone = true;
	}
	return gone;
}

void state_base_finish(struct state_base *b)
{
	for (size_t i = 0; i < b->entries.n; i++)
		state_finish(&b->entries.at[i].state);
	vec_free(&b->entries);
}

/* What Dijkstra's algorithm knows of a node. */
struct visit {
	uint32_t cost;
	uint16_t mtu, hops;
	const struct trellis_address *first;
	bool reached, done;
};

/* The link from `from` to `to` as said by the other end: does it exist? */
static const struct state_link *link_to(const struct state *from, const struct trellis_address *to)
{
	const struct state_link *best = NULL;

	for (size_t i = 0; i < from->n_links; i++)
		if (trellis_address_equal(&from->links[i].to, to) &&
		    (!best || from->links[i].cost < best->cost))
			best = &from->links[i];
	return best;
}

/*
 * Is the way by `w` better than what is known? Of several of equal cost the one with the lowest
 * first hop, and of those the widest: every node must decide alike, or packets could circle between
 * two that do not.
 */
static bool is_better(const struct visit *w, const struct visit *known)
{
	if (!known->reached || w->cost != known->cost)
		return !known->reached || w->cost < known->cost;
	int order = trellis_address_compare(w->first, known->first);

	return order ? order < 0 : w->mtu > known->mtu;
}

static void visit_links(const struct state_base *b, struct visit *v, size_t from, bool is_self)
{
	const struct state *s = &b->entries.at[from].state;

	for (size_t i = 0; i < s->n_links; i++) {
		bool there;
		size_t to = place_of(b, &s->links[i].to, &there);
		const struct state_link *back =
			there ? link_to(&b->entries.at[to].state, &s->origin) : NULL;

		if (!back || v[to].done)
			continue;
		struct visit w = {
			.cost = v[from].cost + s->links[i].cost,
			.mtu = s->links[i].mtu < v[from].mtu ? s->links[i].mtu : v[from].mtu,
			.hops = (uint16_t)(v[from].hops + 1),
			.first = is_self ? &b->entries.at[to].state.origin : v[from].first,
			.reached = true,
		};
		if (back->mtu < w.mtu)
			w.mtu = back->mtu;
		if (is_better(&w, &v[to]))
			v[to] = w;
	}
}

/* The nearest one that is not done, or n. */
static size_t nearest_of(const struct visit *v, size_t n)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if (v[i].reached && !v[i].done && (best == n || v[i].cost < v[best].cost))
			best = i;
	return best;
}

/*
 * Ways lead only through nodes that forward (transit); others are ends. The first step is from
 * ourselves, whatever we are.
 */
size_t state_paths(const struct state_base *b, const struct trellis_address *self,
		   struct state_path *paths)
{
	bool there;
	size_t n = b->entries.n;
	size_t start = place_of(b, self, &there);
	struct visit *v = xcalloc(n ? n : 1, sizeof(*v));
	size_t count = 0;

	if (there) {
		v[start].reached = true;
		v[start].mtu = UINT16_MAX;
	}
	for (size_t at; (at = nearest_of(v, n)) < n;) {
		v[at].done = true;
		if (at == start || b->entries.at[at].state.transit)
			visit_links(b, v, at, at == start);
	}
	for (size_t i = 0; i < n; i++)
		if (v[i].done && i != start)
			paths[count++] = (struct state_path){
				.to = &b->entries.at[i].state.origin,
				.first = v[i].first,
				.cost = v[i].cost,
				.mtu = v[i].mtu,
				.hops = v[i].hops,
			};
	free(v);
	return count;
}
