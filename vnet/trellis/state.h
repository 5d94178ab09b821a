/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Link states: what each node says of itself, the database of all of them, and the shortest paths
 * that follow (Dijkstra 1959). Pure: time comes in, packets and routes go out.
 */
#ifndef VNET_TRELLIS_STATE_H
#define VNET_TRELLIS_STATE_H

#include "lib/vec.h"
#include "vnet/trellis/address.h"

enum {
	STATE_LINKS_MAX = 255,
	STATE_NODES_MAX = 4096, /* of a database: what comes above is dropped */
};

/* One direction: from the node that says it. */
struct state_link {
	struct trellis_address to;
	uint16_t cost; /* 1 to 65535 */
	uint16_t mtu;
};

/* What a node says of itself. A higher sequence number replaces a lower one. */
struct state {
	struct trellis_address origin;
	uint32_t sequence;
	uint32_t age_ms; /* how long ago it was said; grows in the database */
	bool transit;    /* others may go through this node */
	uint8_t n_links;
	struct state_link *links; /* owned */
};

void state_finish(struct state *s);
/* Payload of a packet of kind TRELLIS_STATE: age (4), sequence (4), transit (1), number of links
 * (1), origin, links, each its address, cost (2), mtu (2). False: damaged; nothing is allocated
 * then. */
bool state_read(struct state *s, const uint8_t *data, size_t len);
/* Octets written, or 0: no room. */
size_t state_write(const struct state *s, uint8_t *data, size_t room);

/* The database. An entry's age is that when it came, plus the time since. */
struct state_entry {
	struct state state;
	int64_t came_ns;
};
struct state_base {
	VEC(struct state_entry) entries; /* by address */
};

enum state_news {
	STATE_NEW,  /* it was taken: pass it on */
	STATE_SAME, /* we have it: acknowledge */
	STATE_OLD,  /* we have a newer one: the sender should get that */
	STATE_FULL, /* no room */
};

/* Offers a state; a copy is kept if it is new. */
enum state_news state_base_offer(struct state_base *b, const struct state *s, int64_t now_ns);
struct state_entry *state_base_find(struct state_base *b, const struct trellis_address *origin);
/* Removes what is older than max_age_ms, but never what `self` says. Has something gone? */
bool state_base_expire(struct state_base *b, const struct trellis_address *self,
		       uint32_t max_age_ms, int64_t now_ns);
/* The age now. */
uint32_t state_entry_age_ms(const struct state_entry *e, int64_t now_ns);
void state_base_finish(struct state_base *b);

/* The way to a node. */
struct state_path {
	const struct trellis_address *to;    /* in the database */
	const struct trellis_address *first; /* the neighbour to hand packets to */
	uint32_t cost;
	uint16_t mtu; /* the smallest on the way */
	uint16_t hops;
};

/*
 * Shortest paths from `self` to all others that can be reached. A link counts if both of its ends
 * say it; nodes that are not for transit are only ends. Of several paths of equal cost, that with
 * the lowest first hop is taken, of these the one with the largest MTU. Writes up to the number of
 * entries into `paths`, in the order of addresses; returns how many.
 */
size_t state_paths(const struct state_base *b, const struct trellis_address *self,
		   struct state_path *paths);

#endif
