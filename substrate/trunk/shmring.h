/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A ring of records in memory that two processes share: one writes, one reads, neither waits. The
 * reader believes nothing: an index or a length that cannot be breaks the ring, and nothing outside
 * of it is touched.
 */
#ifndef SUBSTRATE_TRUNK_SHMRING_H
#define SUBSTRATE_TRUNK_SHMRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SHMRING_HEAD = 4096,         /* bytes of shared memory in front of the data */
	SHMRING_RECORD_MAX = 131072, /* bytes of one record */
};

struct shmring_shared;

/* One side of a ring. */
struct shmring {
	struct shmring_shared *shared; /* borrowed */
	uint8_t *data;
	uint32_t size; /* of the data: a power of two */
	uint32_t at;   /* the writer's or reader's next byte; runs over */
	bool broken;   /* what the other side wrote cannot be */
};

struct shmring_record {
	uint32_t id, len;
	const uint8_t *data; /* valid until shmring_give_back() */
};

/*
 * mem: SHMRING_HEAD + size bytes, aligned to a page, zeroed by whoever made it; size is a power of
 * two and at least twice SHMRING_RECORD_MAX.
 */
void shmring_init(struct shmring *r, void *mem, uint32_t size);

/* Writer: room for a record of len bytes (to SHMRING_RECORD_MAX), or NULL: the ring is full. */
uint8_t *shmring_room(struct shmring *r, uint32_t len);
/* The record in that room is whole: what it is about and how long it is. */
void shmring_put(struct shmring *r, uint32_t id, uint32_t len);
/* Shows the reader all records that are whole. True: it sleeps and must be woken. */
bool shmring_publish(struct shmring *r);

/* Reader: the next record. 1, or 0: there is none, or -1: the ring is broken. */
int shmring_take(struct shmring *r, struct shmring_record *rec);
/* The writer may have the room of all records that were taken. */
void shmring_give_back(struct shmring *r);
/* Asks to be woken; true if there is something already. */
bool shmring_sleep(struct shmring *r);

#endif
