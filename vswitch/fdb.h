/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The filtering database (IEEE 802.1Q-2018, 8.8): which port leads to a station. All memory is
 * allocated at fdb_init(); learning, finding and forgetting take constant time. Entries stand in a
 * list by the time they were last seen, so ageing only ever looks at the oldest.
 */
#ifndef VSWITCH_FDB_H
#define VSWITCH_FDB_H

#include <stdbool.h>
#include <stdint.h>

enum { FDB_LIMIT_MAX = 1 << 20 };

/* The key of a station: VLAN id above, MAC address below. */
static inline uint64_t fdb_key(uint16_t vid, const uint8_t mac[6])
{
	return (uint64_t)vid << 48 | (uint64_t)mac[0] << 40 | (uint64_t)mac[1] << 32 |
	       (uint64_t)mac[2] << 24 | (uint64_t)mac[3] << 16 | (uint64_t)mac[4] << 8 | mac[5];
}

struct fdb_entry {
	uint64_t key;
	int64_t seen_ns;
	uint32_t chain;        /* next in the same bucket; 0: none */
	uint32_t older, newer; /* by time last seen; free entries: newer is the next free one */
	uint16_t port;
};

struct fdb {
	struct fdb_entry *entry; /* owned: entry[0] heads the list by age, 1..limit hold stations */
	uint32_t *bucket;        /* owned: bucket_mask + 1 heads of chains */
	uint32_t bucket_mask;
	uint32_t limit, n, free;
	uint64_t salt;     /* keeps a guest from choosing addresses that share a bucket */
	int64_t ageing_ns; /* 0: entries never age */
	uint64_t learned, moved, aged, full;
};

void fdb_init(struct fdb *t, uint32_t limit, uint64_t salt);
void fdb_finish(struct fdb *t);
/* Another limit; the table is emptied. */
void fdb_resize(struct fdb *t, uint32_t limit);

/* The port of a station that is known and not too old, or -1. */
int fdb_find(const struct fdb *t, uint64_t key, int64_t now_ns);
/* The station was seen at the port. False: the table is full and it could not be learned. */
bool fdb_learn(struct fdb *t, uint64_t key, uint16_t port, int64_t now_ns);
/* Forgets what is older than ageing_ns. */
void fdb_age(struct fdb *t, int64_t now_ns);
/* True if the entry is too old to be used. */
bool fdb_is_old(const struct fdb *t, const struct fdb_entry *e, int64_t now_ns);
/* Forgets what was learned at a port, or everything. */
void fdb_flush_port(struct fdb *t, uint16_t port);
void fdb_flush(struct fdb *t);
/* Entries from the oldest to the newest: fdb_first(), then fdb_next() until NULL. */
const struct fdb_entry *fdb_first(const struct fdb *t);
const struct fdb_entry *fdb_next(const struct fdb *t, const struct fdb_entry *e);

#endif
