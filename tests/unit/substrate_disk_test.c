/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Disks: what layers keep, and what a driver in this process may read and write of its own. */
#include "substrate/disk/disk.h"
#include "substrate/disk/image.h"
#include "substrate/disk/request.h"
#include "substrate/virtio/guestmem.h"
#include "tests/support/suite.h"
#include "tests/support/vuser.h"

#include <check.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECTOR = IMAGE_SECTOR, BLOCK = IMAGE_BLOCK, BLOCKS = 40, SIZE = BLOCKS * BLOCK };

static const struct device_kind *const no_kinds[] = {NULL};
static const uint64_t features = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30;
static char dir[64];
static struct loop *loop;
static struct substrate *sub;
static struct vuser v;
static unsigned next_desc;

/* ---- files ---- */

static const char *path_of(const char *name)
{
	static char path[4][128];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

/* A byte of the base: differs from block to block and within each. */
static uint8_t base_byte(size_t at)
{
	return (uint8_t)(at / BLOCK * 7 + at % 251 + 1);
}

static void make_base(const char *name, size_t size)
{
	FILE *f = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(f);
	for (size_t i = 0; i < size; i++)
		fputc(base_byte(i), f);
	fclose(f);
}

static void set_up(void)
{
	struct err e = {0};

	snprintf(dir, sizeof(dir), "/tmp/disk-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(setenv("TMPDIR", dir, 1), 0);
	loop = loop_create(&e);
	sub = substrate_create(loop, no_kinds);
	guestmem_guard();
	next_desc = 0;
}

static void tear_down(void)
{
	char line[128];

	substrate_destroy(sub);
	loop_destroy(loop);
	snprintf(line, sizeof(line), "rm -r %s", dir);
	ck_assert_int_eq(system(line), 0);
}

/* ---- images ---- */

static void open_image(struct image *m, const char *base, const char *layer, int64_t size)
{
	struct image_spec spec = {.base = base ? path_of(base) : NULL,
				  .layer = layer ? path_of(layer) : NULL,
				  .size = size};
	struct err e = {0};

	ck_assert_msg(image_open(m, &spec, &e) == 0, "%s", e.text);
}

static void refuse_image(const char *base, const char *layer, int64_t size, const char *why)
{
	struct image_spec spec = {.base = base ? path_of(base) : NULL,
				  .layer = layer ? path_of(layer) : NULL,
				  .size = size};
	struct image m;
	struct err e = {0};

	ck_assert_int_eq(image_open(&m, &spec, &e), -1);
	ck_assert_msg(strstr(e.text, why) != NULL, "%s", e.text);
	image_close(&m);
}

static uint8_t byte_at(const struct image *m, uint64_t at)
{
	uint8_t byte;

	ck_assert_int_eq(image_read(m, at, &byte, 1), 0);
	return byte;
}

/* All of it is the base but for [from, to), which is `byte`. */
static void expect_content(const struct image *m, size_t from, size_t to, uint8_t byte)
{
	static uint8_t all[SIZE];

	ck_assert_int_eq(image_read(m, 0, all, SIZE), 0);
	for (size_t i = 0; i < SIZE; i++)
		ck_assert_msg(all[i] == (i >= from && i < to ? byte : base_byte(i)),
			      "byte %zu is %u", i, all[i]);
}

static void fill(struct image *m, size_t from, size_t to, uint8_t byte)
{
	static uint8_t piece[SIZE];

	memset(piece, byte, sizeof(piece));
	ck_assert_int_eq(image_write(m, from, piece, to - from), 0);
}

START_TEST(layer_takes_what_is_written_and_keeps_it)
{
	static const struct {
		size_t from, to;
	} ranges[] = {
		{0, BLOCK},
		{SECTOR, 2 * SECTOR},
		{BLOCK - 3, BLOCK + 5},
		{0, SIZE},
		{BLOCK, 5 * BLOCK},
		{1, 9 * BLOCK - 1},
		{SIZE - 1, SIZE},
		{7 * BLOCK, 17 * BLOCK},
		{BLOCK - 1, BLOCK},
		{2 * BLOCK, 2 * BLOCK + 1},
	};

	make_base("base", SIZE);
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct image m;

		open_image(&m, "base", "layer", 0);
		expect_content(&m, 0, 0, 0);
		fill(&m, ranges[i].from, ranges[i].to, 0);
		expect_content(&m, ranges[i].from, ranges[i].to, 0);
		image_close(&m);
		open_image(&m, "base", "layer", 0);
		expect_content(&m, ranges[i].from, ranges[i].to, 0);
		image_close(&m);
		unlink(path_of("layer"));
	}
	struct image m;

	/* What was written lies in the layers alone. */
	open_image(&m, "base", NULL, 0);
	expect_content(&m, 0, 0, 0);
	image_close(&m);
}
END_TEST

START_TEST(layers_of_one_base_are_apart)
{
	struct image a, b;

	make_base("base", SIZE);
	open_image(&a, "base", "a", 0);
	open_image(&b, "base", "b", 0);
	fill(&a, BLOCK + 9, 3 * BLOCK, 255);
	expect_content(&a, BLOCK + 9, 3 * BLOCK, 255);
	expect_content(&b, 0, 0, 0);
	image_close(&a);
	image_close(&b);
}
END_TEST

/* Killed after a block was written, and before it was noted that it was. */
START_TEST(block_without_its_bit_is_as_it_was)
{
	struct image m;
	uint64_t at;
	uint8_t junk[BLOCK];

	make_base("base", SIZE);
	open_image(&m, "base", "layer", 0);
	at = m.data_at;
	image_close(&m);
	int fd = open(path_of("layer"), O_WRONLY);

	memset(junk, 99, sizeof(junk));
	ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), (off_t)at), (ssize_t)sizeof(junk));
	close(fd);
	open_image(&m, "base", "layer", 0);
	expect_content(&m, 0, 0, 0);
	image_close(&m);
}
END_TEST

START_TEST(disk_without_a_base_is_plain)
{
	struct image m;
	uint8_t byte = 1;

	open_image(&m, NULL, "plain", SIZE);
	ck_assert_uint_eq(byte_at(&m, SIZE - 1), 0);
	fill(&m, 5, 6, 77);
	image_close(&m);
	int fd = open(path_of("plain"), O_RDONLY);

	ck_assert_int_eq(pread(fd, &byte, 1, 5), 1);
	ck_assert_uint_eq(byte, 77);
	ck_assert_int_eq(lseek(fd, 0, SEEK_END), SIZE);
	close(fd);
	/* It can be the base of another, as soon as nobody writes it. */
	open_image(&m, "plain", "over", 2 * SIZE);
	ck_assert_uint_eq(byte_at(&m, 5), 77);
	ck_assert_uint_eq(byte_at(&m, SIZE), 0);
	fill(&m, SIZE, SIZE + 1, 3);
	ck_assert_uint_eq(byte_at(&m, SIZE), 3);
	image_close(&m);
}
END_TEST

START_TEST(nameless_layer_leaves_nothing)
{
	struct image m;
	char line[128];

	make_base("base", SIZE);
	open_image(&m, "base", NULL, 0);
	fill(&m, 0, SIZE, 1);
	snprintf(line, sizeof(line), "test \"$(ls %s)\" = base", dir);
	ck_assert_int_eq(system(line), 0);
	image_close(&m);
	ck_assert_int_eq(system(line), 0);
}
END_TEST

START_TEST(what_does_not_fit_is_refused)
{
	struct image m, other;
	struct timespec later[2] = {{.tv_sec = 5}, {.tv_sec = 5}};

	make_base("base", SIZE);
	refuse_image("none", NULL, 0, "No such file");
	refuse_image("", NULL, 0, "regular file");
	refuse_image("base", NULL, SIZE - BLOCK, "more than the disk");
	refuse_image(NULL, NULL, SECTOR + 1, "multiple of 512");
	refuse_image(NULL, NULL, IMAGE_SIZE_MAX + SECTOR, "at most 64G");
	open_image(&m, "base", "layer", 0);
	fill(&m, 0, 1, 1);
	refuse_image("base", "layer", 0, "a running lab uses it");
	open_image(&other, NULL, "plain", SIZE);
	refuse_image("plain", NULL, 0, "a running lab writes it");
	image_close(&other);
	image_close(&m);
	refuse_image("base", "layer", 2 * SIZE, "the script says");
	refuse_image(NULL, "layer", SIZE, "there is none");
	refuse_image(NULL, "plain", 2 * SIZE, "the script says");
	refuse_image("base", "plain", 0, "was not made over a base");
	ck_assert_int_eq(utimensat(AT_FDCWD, path_of("base"), later, 0), 0);
	refuse_image("base", "layer", 0, "its base was changed");
}
END_TEST

/* ---- the device ---- */

static void pump(void *arg)
{
	struct err e;

	ck_assert_int_eq(loop_turn(loop, 0, &e), 0);
	substrate_run(sub);
}

static void add_disk(const char *more)
{
	struct arena arena = {0};
	struct words w;
	struct err e = {0};
	char line[512];

	snprintf(line, sizeof(line), "disk h1:disk path=%s %s", path_of("socket"), more);
	ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &e), 0);
	ck_assert_msg(disk_create(sub, "h1:disk", &w, &e) == 0, "%s", e.text);
	arena_finish(&arena);
	ck_assert_int_eq(vuser_open(&v, path_of("socket"), pump, NULL), 0);
	ck_assert(vuser_set_up(&v, 1, features));
}

/* A buffer of a chain: bytes for the device, or room for it. */
struct buffer {
	void *at; /* NULL: zeroes */
	uint32_t len;
	bool write;
};

/* Offers a chain of buffers, each in a place of its own, and returns the index of the first. */
static unsigned offer(const struct buffer *b, unsigned n)
{
	struct vuser_queue *q = &v.queue[0];
	unsigned head = next_desc;

	for (unsigned i = 0; i < n; i++) {
		unsigned d = next_desc++ % VUSER_NUM;

		q->desc[d] = (struct vring_desc){
			.addr = VUSER_BASE + (uint64_t)(vuser_buffer(&v, 0, d) - v.memory),
			.len = b[i].len,
			.flags = (b[i].write ? VRING_DESC_F_WRITE : 0) |
				 (i + 1 < n ? VRING_DESC_F_NEXT : 0),
			.next = (uint16_t)(next_desc % VUSER_NUM)};
		if (b[i].at && b[i].len <= VUSER_BUFFER)
			memcpy(vuser_buffer(&v, 0, d), b[i].at, b[i].len);
	}
	q->avail[2 + q->next++ % VUSER_NUM] = (uint16_t)(head % VUSER_NUM);
	__atomic_store_n(&q->avail[1], q->next, __ATOMIC_RELEASE);
	vuser_kick(&v, 0);
	return head;
}

/* The status of a request whose status byte is alone in buffer n - 1 of its chain. */
static int answer(unsigned head, unsigned n)
{
	uint32_t index, len;

	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(vuser_used(&v, 0, &index, &len));
	ck_assert_uint_eq(index, head % VUSER_NUM);
	return *vuser_buffer(&v, 0, (head + n - 1) % VUSER_NUM);
}

static int transfer(uint32_t type, uint64_t sector, void *data, uint32_t len)
{
	struct virtio_blk_outhdr h = {.type = type, .sector = sector};
	uint8_t status = 0xee;
	bool write = type != VIRTIO_BLK_T_OUT;
	struct buffer b[] = {{&h, sizeof(h), false}, {data, len, write}, {&status, 1, true}};
	unsigned head = offer(b, 3);
	int rc = answer(head, 3);

	if (write)
		memcpy(data, vuser_buffer(&v, 0, (head + 1) % VUSER_NUM), len);
	return rc;
}

static void close_disk(void)
{
	vuser_close(&v);
	pump(NULL);
}

START_TEST(guest_reads_and_writes_its_disk)
{
	uint8_t data[2 * SECTOR];
	char line[256];

	make_base("base", SIZE);
	snprintf(line, sizeof(line), "base=%s layer=%s", path_of("base"), path_of("layer"));
	add_disk(line);
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, 9, data, sizeof(data)), VIRTIO_BLK_S_OK);
	for (size_t i = 0; i < sizeof(data); i++)
		ck_assert_uint_eq(data[i], base_byte(9 * SECTOR + i));
	memset(data, 42, sizeof(data));
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_OUT, 15, data, sizeof(data)), VIRTIO_BLK_S_OK);
	memset(data, 0, sizeof(data));
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, 15, data, sizeof(data)), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(data[0], 42);
	ck_assert_uint_eq(data[sizeof(data) - 1], 42);
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, 17, data, SECTOR), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(data[0], base_byte(17 * SECTOR));
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_GET_ID, 0, data, REQUEST_ID_BYTES), VIRTIO_BLK_S_OK);
	ck_assert_str_eq((char *)data, "h1");
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_DISCARD, 0, data, SECTOR), VIRTIO_BLK_S_UNSUPP);
	close_disk();
	struct image m;

	object_find(sub, "h1:disk")->kind->destroy(object_find(sub, "h1:disk"));
	open_image(&m, "base", "layer", 0);
	expect_content(&m, 15 * SECTOR, 17 * SECTOR, 42);
	image_close(&m);
}
END_TEST

/* A head and a status in pieces of any size; a flush has no data. */
START_TEST(request_may_lie_in_pieces)
{
	struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_OUT, .sector = 3};
	uint8_t data[SECTOR];
	uint8_t status = 0xee;

	memset(data, 5, sizeof(data));
	add_disk("size=163840");
	struct buffer b[] = {{&h, 1, false},
			     {(uint8_t *)&h + 1, sizeof(h) - 1, false},
			     {data, 100, false},
			     {data, SECTOR - 100, false},
			     {&status, 1, true}};

	ck_assert_int_eq(answer(offer(b, 5), 5), VIRTIO_BLK_S_OK);
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, 3, data, SECTOR), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(data[SECTOR - 1], 5);
	h.type = VIRTIO_BLK_T_FLUSH;
	struct buffer flush[] = {{&h, sizeof(h), false}, {&status, 1, true}};

	ck_assert_int_eq(answer(offer(flush, 2), 2), VIRTIO_BLK_S_OK);
	close_disk();
}
END_TEST

START_TEST(nothing_beyond_the_end)
{
	static const uint64_t sectors[] = {
		SIZE / SECTOR,       SIZE / SECTOR - 1,       UINT64_MAX,
		UINT64_MAX / SECTOR, UINT64_MAX / SECTOR + 1, UINT64_C(1) << 55};
	uint8_t data[2 * SECTOR];

	add_disk("size=163840");
	for (size_t i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++) {
		memset(data, 6, sizeof(data));
		ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, sectors[i], data, sizeof(data)),
				 VIRTIO_BLK_S_IOERR);
		ck_assert_int_eq(transfer(VIRTIO_BLK_T_OUT, sectors[i], data, sizeof(data)),
				 VIRTIO_BLK_S_IOERR);
	}
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_OUT, SIZE / SECTOR - 2, data, sizeof(data)),
			 VIRTIO_BLK_S_OK);
	/* No whole sectors. */
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, 0, data, SECTOR - 1), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_OUT, 0, data, 1), VIRTIO_BLK_S_IOERR);
	close_disk();
}
END_TEST

START_TEST(read_only_is_the_devices_word)
{
	uint8_t data[SECTOR] = {1};
	char line[256];
	struct image m;

	make_base("base", SIZE);
	snprintf(line, sizeof(line), "base=%s ro=1", path_of("base"));
	add_disk(line);
	/* The driver was told, and writes all the same. */
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_OUT, 0, data, SECTOR), VIRTIO_BLK_S_IOERR);
	ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, 0, data, SECTOR), VIRTIO_BLK_S_OK);
	ck_assert_uint_eq(data[0], base_byte(0));
	close_disk();
	open_image(&m, "base", NULL, 0);
	expect_content(&m, 0, 0, 0);
	image_close(&m);
}
END_TEST

START_TEST(too_much_at_once_is_refused)
{
	struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_IN};
	uint8_t status = 0xee;
	struct buffer b[] = {{&h, sizeof(h), false},
			     {NULL, 2 << 20, true},
			     {NULL, 2 << 20, true},
			     {NULL, SECTOR, true},
			     {&status, 1, true}};

	add_disk("size=8388608");
	ck_assert_int_eq(answer(offer(b, 5), 5), VIRTIO_BLK_S_IOERR);
	close_disk();
}
END_TEST

/* What is no request ends the connection, and the disk is there for the next one. */
START_TEST(no_request_ends_the_connection)
{
	struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_IN};
	const struct buffer without_status[] = {{&h, sizeof(h), false}};
	const struct buffer short_head[] = {{&h, sizeof(h) - 1, false}, {NULL, 1, true}};
	const struct buffer only_room[] = {{NULL, SECTOR, true}};
	const struct buffer wrong_order[] = {{NULL, 1, true}, {&h, sizeof(h), false}};
	const struct {
		const struct buffer *b;
		unsigned n;
	} tries[] = {{without_status, 1}, {short_head, 2}, {only_room, 1}, {wrong_order, 2}};

	add_disk("size=163840");
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++) {
		offer(tries[i].b, tries[i].n);
		ck_assert(vuser_hung_up(&v));
		vuser_close(&v);
		next_desc = 0;
		ck_assert_int_eq(vuser_open(&v, path_of("socket"), pump, NULL), 0);
		ck_assert(vuser_set_up(&v, 1, features));
	}
	uint8_t data[SECTOR];

	ck_assert_int_eq(transfer(VIRTIO_BLK_T_IN, 0, data, SECTOR), VIRTIO_BLK_S_OK);
	close_disk();
}
END_TEST

START_TEST(chain_outside_of_memory_ends_the_connection)
{
	struct virtio_blk_outhdr h = {.type = VIRTIO_BLK_T_IN};
	struct buffer b[] = {{&h, sizeof(h), false}, {NULL, VUSER_MEM, true}, {NULL, 1, true}};

	add_disk("size=163840");
	offer(b, 3);
	ck_assert(vuser_hung_up(&v));
	close_disk();
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, layer_takes_what_is_written_and_keeps_it);
	tcase_add_test(t, layers_of_one_base_are_apart);
	tcase_add_test(t, block_without_its_bit_is_as_it_was);
	tcase_add_test(t, disk_without_a_base_is_plain);
	tcase_add_test(t, nameless_layer_leaves_nothing);
	tcase_add_test(t, what_does_not_fit_is_refused);
	tcase_add_test(t, guest_reads_and_writes_its_disk);
	tcase_add_test(t, request_may_lie_in_pieces);
	tcase_add_test(t, nothing_beyond_the_end);
	tcase_add_test(t, read_only_is_the_devices_word);
	tcase_add_test(t, too_much_at_once_is_refused);
	tcase_add_test(t, no_request_ends_the_connection);
	tcase_add_test(t, chain_outside_of_memory_ends_the_connection);
}

int main(void)
{
	return suite_run_case("disk", add_tests);
}
