/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A guest that says and writes anything to its disk. The input is a run of records: a kind, then
 * its bytes. Whatever comes, the base is as it was, the layer is no longer than the disk needs, and
 * the next guest is taken.
 */
#include "substrate/disk/disk.h"
#include "substrate/disk/image.h"
#include "substrate/virtio/guestmem.h"
#include "tests/support/scratch.h"
#include "tests/support/vuser_input.h"

#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	SAY,
	WRITE,
	KICK,
	SET_UP,
	REQUEST,
	SHRINK,
	KINDS,
};
enum {
	BASE_BYTES = 10 * IMAGE_BLOCK + 100, /* the last sector is not whole */
	DISK_BYTES = 32 * IMAGE_BLOCK,
	LAYER_BYTES = DISK_BYTES + 2 * IMAGE_BLOCK, /* with its head and its bits */
	BUFFERS_MAX = 8,
};

static const struct device_kind *const no_kinds[] = {NULL};
static struct loop *loop;
static struct substrate *sub;
static char base_path[64], layer_path[64], path[64], read_only_path[64];

static void pump(void *arg)
{
	struct err e;

	if (loop_turn(loop, 0, &e) < 0)
		abort();
	substrate_run(sub);
}

static uint8_t base_byte(size_t at)
{
	return (uint8_t)(at * 31 / 7);
}

static void make_base(void)
{
	FILE *f = fopen(base_path, "w");

	if (!f)
		abort();
	for (size_t i = 0; i < BASE_BYTES; i++)
		fputc(base_byte(i), f);
	fclose(f);
}

static void check_files(void)
{
	static uint8_t have[BASE_BYTES];
	int fd = open(base_path, O_RDONLY);
	struct stat st;

	if (fd < 0 || read(fd, have, sizeof(have)) != BASE_BYTES || fstat(fd, &st) < 0 ||
	    st.st_size != BASE_BYTES)
		abort();
	close(fd);
	for (size_t i = 0; i < BASE_BYTES; i++)
		if (have[i] != base_byte(i))
			abort();
	if (stat(layer_path, &st) < 0 || st.st_size > LAYER_BYTES)
		abort();
}

static void add_disk(const char *name, const char *line)
{
	struct arena a = {0};
	struct err e = {0};
	struct words w;

	if (words_split(line, strlen(line), &a, &w, &e) < 0 || disk_create(sub, name, &w, &e) < 0)
		abort();
	arena_finish(&a);
}

static void prepare(void)
{
	struct err e = {0};
	char dir[] = "/tmp/disk-fuzz-XXXXXX";
	char line[512];

	scratch_make(dir);
	snprintf(base_path, sizeof(base_path), "%s/base", dir);
	snprintf(layer_path, sizeof(layer_path), "%s/layer", dir);
	snprintf(path, sizeof(path), "%s/d", dir);
	snprintf(read_only_path, sizeof(read_only_path), "%s/r", dir);
	make_base();
	guestmem_guard();
	loop = loop_create(&e);
	sub = substrate_create(loop, no_kinds);
	snprintf(line, sizeof(line), "disk d path=%s base=%s layer=%s size=%d", path, base_path,
		 layer_path, DISK_BYTES);
	add_disk("d", line);
	snprintf(line, sizeof(line), "disk r path=%s base=%s ro=1", read_only_path, base_path);
	add_disk("r", line);
}

/* A request that is right but for what the input says: its buffers may be of any length. */
static void request(struct vuser *v, struct input *in)
{
	static const uint32_t lengths[] = {1, 15, 16, 17, 512, 1024, 4096, 5000, 65536, 1 << 20};
	struct vuser_queue *q = &v->queue[0];
	struct virtio_blk_outhdr h = {.type = take(in, 1) % 16, .sector = take(in, 2) % 300};
	unsigned n = 2 + take(in, 1) % (BUFFERS_MAX - 1);
	unsigned first = take(in, 1);
	uint32_t writes = take(in, 1);

	if (take(in, 1) % 8 == 0)
		h.sector = (uint64_t)take(in, 4) << 32 | take(in, 4);
	for (unsigned i = 0; i < n; i++) {
		unsigned d = (first + i) % VUSER_NUM;
		uint32_t len = lengths[take(in, 1) % (sizeof(lengths) / sizeof(lengths[0]))];
		bool last = i + 1 == n;

		q->desc[d] = (struct vring_desc){
			.addr = VUSER_BASE + (uint64_t)(vuser_buffer(v, 0, d) - v->memory),
			.len = i == 0 ? sizeof(h)
			       : last ? 1
				      : len,
			.flags = (last || writes & 1 << i ? VRING_DESC_F_WRITE : 0) |
				 (last ? 0 : VRING_DESC_F_NEXT),
			.next = (uint16_t)((d + 1) % VUSER_NUM)};
	}
	q->desc[first % VUSER_NUM].flags &= (uint16_t)~VRING_DESC_F_WRITE;
	memcpy(vuser_buffer(v, 0, first % VUSER_NUM), &h, sizeof(h));
	q->avail[2 + q->next++ % VUSER_NUM] = (uint16_t)(first % VUSER_NUM);
	__atomic_store_n(&q->avail[1], q->next, __ATOMIC_RELEASE);
	if (q->kick_fd >= 0)
		vuser_kick(v, 0);
}

static void do_record(struct vuser *v, struct input *in, bool *shrunk)
{
	uint32_t kind = take(in, 1) % KINDS;

	if (*shrunk && (kind == WRITE || kind == REQUEST || kind == SET_UP))
		return;
	if (kind == SAY) {
		say(v, in);
	} else if (kind == WRITE) {
		write_memory(v, in, 0);
	} else if (kind == KICK && v->queue[0].kick_fd >= 0) {
		vuser_kick(v, 0);
	} else if (kind == SET_UP && v->slave_fd < 0) {
		uint32_t bits = take(in, 1);

		vuser_set_up(v, 1,
			     UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
				     (bits & 1 ? UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX : 0));
	} else if (kind == REQUEST) {
		request(v, in);
	} else if (kind == SHRINK && take(in, 1) == 7) {
		*shrunk = true;
		if (ftruncate(v->memory_fd, 0x5000) < 0)
			abort();
	}
	pump(NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = {data, size};
	struct vuser v;
	bool shrunk = false;

	if (!sub)
		prepare();
	uint32_t bits = take(&in, 1);

	if (vuser_open(&v, bits & 1 ? read_only_path : path, pump, NULL) < 0)
		abort();
	if (bits & 2)
		vuser_set_up(&v, 1, UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30);
	while (in.left)
		do_record(&v, &in, &shrunk);
	vuser_close(&v);
	for (int i = 0; i < 4; i++)
		pump(NULL);
	check_files();
	return 0;
}
