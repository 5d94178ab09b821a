/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Octets in shared memory, written by one process and read by others without a lock (a seqlock):
 * `sequence` is odd while the writer is at work. A reader copies, and copies again if the number
 * was odd or has changed meanwhile. So readers never hold up the writer, and a reader gets a whole
 * publication or knows that it did not.
 *
 * The memory is a memfd with seals: whoever gets the descriptor can map it for reading only, and
 * its size is fixed, as a reader of memory that shrinks would be killed. The writer's own mapping
 * was made before the seal, and stays the only one that can write.
 */
#include "vnet/vnet_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

enum { MAGIC = 0x766e7431, TRIES = 100000, SPINS = 100 };

/* At the beginning of the memory; the octets follow. */
struct head {
	uint32_t magic;
	_Atomic uint32_t sequence;
	_Atomic uint32_t len;
	uint32_t reserved;
};

struct vnet_table {
	int fd;
	size_t capacity;
	struct head *head; /* mapped; readers: read-only */
};

static const int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL;

static struct vnet_table *map_table(int fd, size_t capacity, int prot)
{
	void *at = mmap(NULL, sizeof(struct head) + capacity, prot, MAP_SHARED, fd, 0);
	struct vnet_table *t = calloc(1, sizeof(*t));

	if (at == MAP_FAILED || !t) {
		vnet_fail(errno, "map a table: %s", strerror(errno));
		free(t);
		return NULL;
	}
	*t = (struct vnet_table){.fd = fd, .capacity = capacity, .head = at};
	return t;
}

struct vnet_table *vnet_table_create(const char *name, size_t capacity)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	struct vnet_table *t = NULL;

	if (fd < 0 || ftruncate(fd, (off_t)(sizeof(struct head) + capacity)) < 0)
		vnet_fail(errno, "make table %s: %s", name, strerror(errno));
	else
		t = map_table(fd, capacity, PROT_READ | PROT_WRITE);
	if (t && fcntl(fd, F_ADD_SEALS, seals) < 0) {
		vnet_fail(errno, "seal table %s: %s", name, strerror(errno));
		vnet_table_close(t);
		return NULL;
	}
	if (t)
		t->head->magic = MAGIC;
	else if (fd >= 0)
		close(fd);
	return t;
}

/*
 * The order of the three stores is the whole of it: odd, contents, even. The fence keeps the
 * contents from being seen before the odd number.
 */
int vnet_table_publish(struct vnet_table *t, const void *data, size_t len)
{
	uint32_t sequence = atomic_load_explicit(&t->head->sequence, memory_order_relaxed);

	if (len > t->capacity)
		return vnet_fail(EMSGSIZE, "%zu octets do not fit into a table of %zu", len,
				 t->capacity);
	atomic_store_explicit(&t->head->sequence, sequence + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	memcpy(t->head + 1, data, len);
	atomic_store_explicit(&t->head->len, (uint32_t)len, memory_order_relaxed);
	atomic_store_explicit(&t->head->sequence, sequence + 2, memory_order_release);
	return 0;
}

int vnet_table_fd(const struct vnet_table *t)
{
	return t->fd;
}

struct vnet_table *vnet_table_open(int fd)
{
	struct stat st;
	int have = fcntl(fd, F_GET_SEALS);

	/* Without these seals the writer could shrink it, and reading it would kill us. */
	if (have < 0 || (have & seals) != seals || fstat(fd, &st) < 0 ||
	    st.st_size < (off_t)sizeof(struct head)) {
		vnet_fail(EINVAL, "the descriptor is not a sealed table");
		close(fd);
		return NULL;
	}
	struct vnet_table *t = map_table(fd, (size_t)st.st_size - sizeof(struct head), PROT_READ);

	if (t && t->head->magic == MAGIC)
		return t;
	if (t) {
		vnet_fail(EINVAL, "the descriptor is not a table");
		vnet_table_close(t);
	} else {
		close(fd);
	}
	return NULL;
}

uint32_t vnet_table_version(const struct vnet_table *t)
{
	return atomic_load_explicit(&t->head->sequence, memory_order_acquire) / 2;
}

/*
 * A reader that meets a writer at work spins for a while, then lets others run: the writer may wait
 * for this very CPU. One that has been stopped in the middle of publishing is given up on.
 */
ssize_t vnet_table_read(const struct vnet_table *t, void *data, size_t size, uint32_t *version)
{
	for (int i = 0; i < TRIES; i++) {
		uint32_t before = atomic_load_explicit(&t->head->sequence, memory_order_acquire);
		uint32_t len = atomic_load_explicit(&t->head->len, memory_order_relaxed);

		if (before % 2 || len > t->capacity) {
			if (i > SPINS)
				sched_yield();
			continue;
		}
		if (len <= size)
			memcpy(data, t->head + 1, len);
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&t->head->sequence, memory_order_relaxed) != before)
			continue;
		if (version)
			*version = before / 2;
		if (len > size)
			return vnet_fail(EMSGSIZE, "the table holds %u octets", len);
		return (ssize_t)len;
	}
	return vnet_fail(EAGAIN, "whoever writes the table has stopped in the middle of it");
}

void vnet_table_close(struct vnet_table *t)
{
	if (!t)
		return;
	munmap(t->head, sizeof(struct head) + t->capacity);
	close(t->fd);
	free(t);
}
