/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The table of stations: a hash with chains, and through the same entries a list by age.
 *
 * Entries are named by index, not by pointer: half the size, and index 0 can mean "none", since
 * entry 0 is no station but the head of the list by age. What is not used is in a third list,
 * through `newer`.
 *
 * A frame's source is moved to the young end of the list each time it is seen, so the oldest is
 * always at the other end: ageing looks there, and stops at the first entry that is young enough.
 * There is no timer for it. Whoever finds an entry that is too old does as if it were not there,
 * and its place is taken back only when a new station wants one; a table without traffic costs
 * nothing, and a virtual clock need not stop for it.
 *
 * The hash is salted: in a lab of attacks, a guest could otherwise choose addresses that all share
 * one chain.
 */
#include "vswitch/fdb.h"

#include "lib/xalloc.h"

#include <stdlib.h>

static uint32_t hash_key(const struct fdb *t, uint64_t key)
{
	/* The finaliser of splitmix64: every bit of key and salt reaches the low bits. */
	uint64_t z = key ^ t->salt;

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (uint32_t)(z ^ (z >> 31)) & t->bucket_mask;
}

static void clear_all(struct fdb *t)
{
	for (uint32_t i = 0; i <= t->bucket_mask; i++)
		t->bucket[i] = 0;
	for (uint32_t i = 1; i <= t->limit; i++)
		t->entry[i].newer = i < t->limit ? i + 1 : 0;
	t->entry[0].older = t->entry[0].newer = 0;
	t->free = t->limit ? 1 : 0;
	t->n = 0;
}

void fdb_init(struct fdb *t, uint32_t limit, uint64_t salt)
{
	uint32_t buckets = 16;

	while (buckets < limit)
		buckets *= 2;
	*t = (struct fdb){.limit = limit, .salt = salt, .bucket_mask = buckets - 1};
	t->entry = xcalloc((size_t)limit + 1, sizeof(*t->entry));
	t->bucket = xcalloc(buckets, sizeof(*t->bucket));
	clear_all(t);
}

void fdb_finish(struct fdb *t)
{
	free(t->entry);
	free(t->bucket);
	*t = (struct fdb){0};
}

void fdb_resize(struct fdb *t, uint32_t limit)
{
	struct fdb old = *t;

	fdb_init(t, limit, old.salt);
	t->ageing_ns = old.ageing_ns;
	t->learned = old.learned;
	t->moved = old.moved;
	t->aged = old.aged;
	t->full = old.full;
	fdb_finish(&old);
}

static void list_remove(struct fdb *t, uint32_t i)
{
	struct fdb_entry *e = &t->entry[i];

	t->entry[e->older].newer = e->newer;
	t->entry[e->newer].older = e->older;
}

/* Puts an entry at the young end: entry[0].older is the newest, entry[0].newer the oldest. */
static void list_append(struct fdb *t, uint32_t i)
{
	struct fdb_entry *e = &t->entry[i];

	e->older = t->entry[0].older;
	e->newer = 0;
	t->entry[e->older].newer = i;
	t->entry[0].older = i;
}

static uint32_t find_index(const struct fdb *t, uint64_t key)
{
	uint32_t i = t->bucket[hash_key(t, key)];

	while (i && t->entry[i].key != key)
		i = t->entry[i].chain;
	return i;
}

/* Chains are short and have one link only, so the entry's predecessor is looked for. */
static void forget(struct fdb *t, uint32_t i)
{
	uint32_t *link = &t->bucket[hash_key(t, t->entry[i].key)];

	while (*link != i)
		link = &t->entry[*link].chain;
	*link = t->entry[i].chain;
	list_remove(t, i);
	t->entry[i].newer = t->free;
	t->free = i;
	t->n--;
}

bool fdb_is_old(const struct fdb *t, const struct fdb_entry *e, int64_t now_ns)
{
	return t->ageing_ns && now_ns - e->seen_ns >= t->ageing_ns;
}

/* An entry that is too old is not forgotten here: who only looks changes nothing. */
int fdb_find(const struct fdb *t, uint64_t key, int64_t now_ns)
{
	uint32_t i = find_index(t, key);

	return i && !fdb_is_old(t, &t->entry[i], now_ns) ? t->entry[i].port : -1;
}

void fdb_age(struct fdb *t, int64_t now_ns)
{
	uint32_t i = t->entry[0].newer;

	for (; i && fdb_is_old(t, &t->entry[i], now_ns); i = t->entry[0].newer) {
		forget(t, i);
		t->aged++;
	}
}

static uint32_t add(struct fdb *t, uint64_t key, uint16_t port, int64_t now_ns)
{
	/* Ageing has no timer: the old are forgotten when their places are wanted. */
	if (!t->free)
		fdb_age(t, now_ns);
	uint32_t i = t->free;

	if (!i) {
		t->full++;
		return 0;
	}
	uint32_t *head = &t->bucket[hash_key(t, key)];

	t->free = t->entry[i].newer;
	t->entry[i] =
		(struct fdb_entry){.key = key, .seen_ns = now_ns, .chain = *head, .port = port};
	*head = i;
	list_append(t, i);
	t->n++;
	return i;
}

bool fdb_learn(struct fdb *t, uint64_t key, uint16_t port, int64_t now_ns)
{
	uint32_t i = find_index(t, key);

	if (!i) {
		i = add(t, key, port, now_ns);
		t->learned += i != 0;
		return i != 0;
	}
	struct fdb_entry *e = &t->entry[i];

	if (e->port != port) {
		t->moved++;
		e->port = port;
	}
	e->seen_ns = now_ns;
	/* The newest already, as in a run of frames of one station: nothing to move. */
	if (e->newer) {
		list_remove(t, i);
		list_append(t, i);
	}
	return true;
}

/*
 * All entries are gone through by age: it happens when a port goes down or the tree changes, which
 * is seldom.
 */
static void flush(struct fdb *t, int port)
{
	for (uint32_t i = t->entry[0].newer, next; i; i = next) {
		next = t->entry[i].newer;
		if (port < 0 || t->entry[i].port == port)
			forget(t, i);
	}
}

void fdb_flush_port(struct fdb *t, uint16_t port)
{
	flush(t, port);
}

void fdb_flush(struct fdb *t)
{
	flush(t, -1);
}

const struct fdb_entry *fdb_first(const struct fdb *t)
{
	return fdb_next(t, &t->entry[0]);
}

const struct fdb_entry *fdb_next(const struct fdb *t, const struct fdb_entry *e)
{
	return e->newer ? &t->entry[e->newer] : NULL;
}
