/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The memory of a guest as it shares it over vhost-user (SET_MEM_TABLE). Every address a guest
 * gives is looked up here. The guest could shrink its memory file under us: the SIGBUS that follows
 * is caught, zeroes are put in place of what is gone, and the memory is marked as broken.
 */
#ifndef SUBSTRATE_VIRTIO_GUESTMEM_H
#define SUBSTRATE_VIRTIO_GUESTMEM_H

#include "lib/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUESTMEM_REGIONS = 2 };

struct guestmem_region {
	uint64_t guest_addr, size;
	uint8_t *host; /* where guest_addr is mapped */
	void *map;     /* owned mapping */
	size_t map_size;
};

struct guestmem {
	struct guestmem_region region[GUESTMEM_REGIONS];
	unsigned n;
	volatile bool broken;  /* the file shrank */
	struct guestmem *next; /* list for the SIGBUS handler */
};

/* Maps one more region of fd (borrowed) at offset. 0 or -1. */
int guestmem_add(struct guestmem *m, uint64_t guest_addr, uint64_t size, int fd, uint64_t offset,
		 struct err *e);
/* Unmaps everything; m is empty and may be used again. */
void guestmem_clear(struct guestmem *m);
/* The len bytes at a guest address, or NULL if they are not all in one region. */
void *guestmem_at(const struct guestmem *m, uint64_t addr, uint64_t len);
/* Catches SIGBUS of all guest memories. Once, at start. */
void guestmem_guard(void);

#endif
