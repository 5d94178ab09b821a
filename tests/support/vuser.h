/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The driver side of vhost-user for tests and benchmarks: what a guest's kernel does, in a few
 * calls, and what a hostile one could do. It runs in the thread of the device: wherever it waits,
 * it calls pump(), which lets the device work.
 */
#ifndef TESTS_SUPPORT_VUSER_H
#define TESTS_SUPPORT_VUSER_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VUSER_QUEUES = 6,
	VUSER_NUM = 256,      /* entries of a ring */
	VUSER_MEM = 8 << 20,  /* bytes of memory */
	VUSER_BASE = 0x10000, /* guest address of its start */
	VUSER_RINGS = 0x4000, /* bytes of memory for one queue's rings */
	VUSER_DATA = 0x40000, /* offset of the buffers */
	VUSER_BUFFER = 4096,  /* bytes of one buffer */
};

/* Kicks and calls are messages: virtual time. */
#define VUSER_INBAND (UINT64_C(1) << 14)

struct vuser_queue {
	struct vring_desc *desc;
	volatile uint16_t *avail, *used;
	uint16_t next, seen; /* entry to offer next; used entry to look at next */
	int kick_fd, call_fd;
};

struct vuser {
	int sock, slave_fd, memory_fd;
	uint8_t *memory;
	uint64_t more_protocol; /* features of the protocol to set besides those that are needed */
	struct vuser_queue queue[VUSER_QUEUES];
	void (*pump)(void *arg);
	void *arg;
};

/* Connects and makes memory and descriptors. 0 or -1. */
int vuser_open(struct vuser *v, const char *path, void (*pump)(void *arg), void *arg);
void vuser_close(struct vuser *v);
/* One message, without waiting for anything. */
void vuser_send(struct vuser *v, uint32_t request, uint32_t flags, const void *payload,
		uint32_t size, const int *fds, unsigned n_fds);
/* Waits for the answer; false: the other side hung up. */
bool vuser_answer(struct vuser *v, uint64_t *value);
/* Sends with NEED_REPLY and waits; true if the answer is 0. */
bool vuser_ask(struct vuser *v, uint32_t request, const void *payload, uint32_t size,
	       const int *fds, unsigned n_fds);
/* The whole sequence of virtio_uml up to n_queues enabled queues. */
bool vuser_set_up(struct vuser *v, unsigned n_queues, uint64_t features);
bool vuser_hung_up(struct vuser *v);

/* The buffer that belongs to entry i of a queue. */
uint8_t *vuser_buffer(struct vuser *v, unsigned queue, unsigned i);
/* Offers the next entry with len bytes, for the device to write or to read; returns its index. */
unsigned vuser_offer(struct vuser *v, unsigned queue, uint32_t len, bool write);
void vuser_kick(struct vuser *v, unsigned queue);
/* The next used entry, if there is one. */
bool vuser_used(struct vuser *v, unsigned queue, uint32_t *index, uint32_t *len);

#endif
