/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rings as a well-behaved driver, a broken one and a hostile one would leave them. */
#include "substrate/virtio/vring.h"

#include "lib/rng.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Where things are in the guest's memory: its addresses start at BASE. */
enum {
	BASE = 0x100000,
	SIZE = 0x40000,
	NUM = 8,
	DESC = 0x1000,
	AVAIL = 0x2000,
	USED = 0x3000,
	TABLE = 0x4000,
	DATA = 0x8000,
};

static struct guestmem mem;
static struct virtq ring;
static struct vring_chain chain;
static uint8_t *guest;
static struct vring_desc *desc;
static uint16_t *avail;

static void set_up(void)
{
	struct err e = {0};
	int fd = memfd_create("guest", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	guestmem_guard();
	ck_assert_int_eq(guestmem_add(&mem, BASE, SIZE, fd, 0, &e), 0);
	close(fd);
	guest = mem.region[0].host;
	desc = (struct vring_desc *)(guest + DESC);
	avail = (uint16_t *)(guest + AVAIL);
	ck_assert_int_eq(vring_set_num(&ring, NUM, &e), 0);
	vring_set_base(&ring, 0);
	ck_assert_int_eq(vring_set_addr(&ring, &mem, BASE + DESC, BASE + AVAIL, BASE + USED, &e),
			 0);
}

static void tear_down(void)
{
	vring_clear(&ring);
	guestmem_clear(&mem);
}

static void put(uint16_t i, uint64_t offset, uint32_t len, uint16_t flags, uint16_t next)
{
	desc[i] = (struct vring_desc){
		.addr = BASE + offset, .len = len, .flags = flags, .next = next};
}

static void offer(uint16_t head)
{
	avail[2 + avail[1] % NUM] = head;
	avail[1]++;
}

START_TEST(takes_and_gives)
{
	put(3, DATA, 10, VRING_DESC_F_NEXT, 5);
	put(5, DATA + 100, 20, VRING_DESC_F_NEXT, 1);
	put(1, DATA + 200, 30, VRING_DESC_F_WRITE, 0);
	ck_assert_int_eq(vring_take(&ring, &chain), 0);
	offer(3);
	ck_assert_int_eq(vring_take(&ring, &chain), 1);
	ck_assert_uint_eq(chain.head, 3);
	ck_assert_uint_eq(chain.n_out, 2);
	ck_assert_uint_eq(chain.n_in, 1);
	ck_assert_uint_eq(chain.out_len, 30);
	ck_assert_uint_eq(chain.in_len, 30);
	ck_assert_ptr_eq(chain.iov[1].iov_base, guest + DATA + 100);
	ck_assert_int_eq(vring_take(&ring, &chain), 0);
	vring_give(&ring, 3, 7);
	uint16_t *used = (uint16_t *)(guest + USED);

	ck_assert_uint_eq(used[1], 0);
	vring_publish(&ring);
	ck_assert_uint_eq(used[1], 1);
	ck_assert_uint_eq(((uint32_t *)used)[1], 3);
	ck_assert_uint_eq(((uint32_t *)used)[2], 7);
}
END_TEST

START_TEST(untakes)
{
	put(0, DATA, 10, 0, 0);
	offer(0);
	ck_assert_int_eq(vring_take(&ring, &chain), 1);
	vring_untake(&ring, 1);
	ck_assert_int_eq(vring_take(&ring, &chain), 1);
}
END_TEST

START_TEST(indices_wrap)
{
	put(0, DATA, 10, 0, 0);
	for (int i = 0; i < 70000; i++) {
		offer(0);
		ck_assert_int_eq(vring_take(&ring, &chain), 1);
		vring_give(&ring, 0, 0);
		vring_publish(&ring);
	}
}
END_TEST

START_TEST(indirect)
{
	struct vring_desc *table = (struct vring_desc *)(guest + TABLE);

	table[0] = (struct vring_desc){
		.addr = BASE + DATA, .len = 5, .flags = VRING_DESC_F_NEXT, .next = 1};
	table[1] = (struct vring_desc){.addr = BASE + DATA, .len = 6};
	put(2, TABLE, 32, VRING_DESC_F_INDIRECT, 0);
	offer(2);
	ck_assert_int_eq(vring_take(&ring, &chain), 1);
	ck_assert_uint_eq(chain.n_out, 2);
	ck_assert_uint_eq(chain.out_len, 11);
}
END_TEST

/* Each makes the ring in some way bad; all must break it, and stay broken. */
static void bad_loop(void)
{
	put(0, DATA, 10, VRING_DESC_F_NEXT, 1);
	put(1, DATA, 10, VRING_DESC_F_NEXT, 0);
}

static void bad_next(void)
{
	put(0, DATA, 10, VRING_DESC_F_NEXT, NUM);
}

static void bad_address(void)
{
	put(0, SIZE - 5, 10, 0, 0);
}

static void bad_address_wraps(void)
{
	desc[0] = (struct vring_desc){.addr = UINT64_MAX - 4, .len = 10};
}

static void bad_address_below(void)
{
	desc[0] = (struct vring_desc){.addr = BASE - 1, .len = 2};
}

static void bad_length(void)
{
	put(0, DATA, UINT32_MAX, 0, 0);
}

static void bad_empty(void)
{
	put(0, DATA, 0, 0, 0);
}

static void bad_order(void)
{
	put(0, DATA, 10, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1);
	put(1, DATA, 10, 0, 0);
}

static void bad_indirect_size(void)
{
	put(0, TABLE, 17, VRING_DESC_F_INDIRECT, 0);
}

static void bad_indirect_address(void)
{
	put(0, SIZE - 16, 32, VRING_DESC_F_INDIRECT, 0);
}

static void bad_indirect_next(void)
{
	put(0, TABLE, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1);
}

static void bad_indirect_nested(void)
{
	struct vring_desc *table = (struct vring_desc *)(guest + TABLE);

	table[0] = (struct vring_desc){
		.addr = BASE + TABLE, .len = 16, .flags = VRING_DESC_F_INDIRECT};
	put(0, TABLE, 16, VRING_DESC_F_INDIRECT, 0);
}

static void bad_indirect_long(void)
{
	struct vring_desc *table = (struct vring_desc *)(guest + TABLE);

	for (unsigned i = 0; i < VRING_IOV_MAX + 1; i++)
		table[i] = (struct vring_desc){.addr = BASE + DATA,
					       .len = 1,
					       .flags = VRING_DESC_F_NEXT,
					       .next = (uint16_t)(i + 1)};
	put(0, TABLE, 16 * (VRING_IOV_MAX + 1), VRING_DESC_F_INDIRECT, 0);
}

static void bad_index(void)
{
	avail[1] = NUM;
}

static void bad_head(void)
{
	avail[2] = NUM;
}

static void (*const bad[])(void) = {
	bad_loop,
	bad_next,
	bad_address,
	bad_address_wraps,
	bad_address_below,
	bad_length,
	bad_empty,
	bad_order,
	bad_indirect_size,
	bad_indirect_next,
	bad_indirect_address,
	bad_indirect_nested,
	bad_indirect_long,
	bad_index,
	bad_head,
};

START_TEST(breaks)
{
	offer(0);
	bad[_i]();
	ck_assert_int_eq(vring_take(&ring, &chain), -1);
	ck_assert_ptr_nonnull(ring.broken);
	ck_assert_int_eq(vring_take(&ring, &chain), -1);
	ck_assert(!vring_kicks_on(&ring));
}
END_TEST

/* Random bytes: whatever comes out must lie in the guest's memory. */
START_TEST(random_bytes)
{
	struct rng r;

	rng_init(&r, (uint64_t)_i, "vring", "random");
	for (size_t i = 0; i < SIZE / 8; i++) {
		uint64_t word = rng_next(&r);

		/* Half of the descriptors are plausible. */
		if (i % 2 == 0 && rng_below(&r, 2))
			word = BASE + rng_below(&r, SIZE);
		if (i % 2 == 1 && rng_below(&r, 2))
			word = rng_below(&r, 2000) | rng_below(&r, 8) << 32 |
			       rng_below(&r, 9) << 48;
		memcpy(guest + i * 8, &word, 8);
	}
	avail[1] = (uint16_t)rng_below(&r, NUM + 1);
	for (int i = 0; i < NUM; i++)
		avail[2 + i] = (uint16_t)rng_below(&r, NUM);
	while (vring_take(&ring, &chain) > 0) {
		for (unsigned i = 0; i < chain.n_out + chain.n_in; i++) {
			uint8_t *p = chain.iov[i].iov_base;

			ck_assert(p >= guest && p + chain.iov[i].iov_len <= guest + SIZE);
		}
		vring_give(&ring, chain.head, 1);
		vring_publish(&ring);
		vring_wants_call(&ring);
	}
}
END_TEST

START_TEST(refuses_bad_places)
{
	struct err e;
	struct virtq q = {0};

	ck_assert_int_lt(vring_set_num(&q, 0, &e), 0);
	ck_assert_int_lt(vring_set_num(&q, 3, &e), 0);
	ck_assert_int_lt(vring_set_num(&q, 65536, &e), 0);
	ck_assert_int_lt(vring_set_addr(&q, &mem, BASE, BASE, BASE, &e), 0);
	ck_assert_int_eq(vring_set_num(&q, NUM, &e), 0);
	ck_assert_int_lt(vring_set_addr(&q, &mem, BASE + 1, BASE + AVAIL, BASE + USED, &e), 0);
	ck_assert_int_lt(vring_set_addr(&q, &mem, BASE + SIZE - 16, BASE, BASE, &e), 0);
	ck_assert_int_lt(vring_set_addr(&q, &mem, 0, BASE, BASE, &e), 0);
	ck_assert_int_lt(vring_set_addr(&q, &mem, UINT64_MAX & ~15ull, BASE, BASE, &e), 0);
}
END_TEST

START_TEST(event_index)
{
	uint16_t *used_event = &avail[2 + NUM];
	uint16_t *avail_event = (uint16_t *)(guest + USED) + 2 + NUM * 4;

	ring.event_idx = true;
	put(0, DATA, 10, 0, 0);
	*used_event = 1; /* call when the second one is used */
	for (int i = 0; i < 3; i++) {
		offer(0);
		ck_assert_int_eq(vring_take(&ring, &chain), 1);
		vring_give(&ring, 0, 0);
		vring_publish(&ring);
		ck_assert_int_eq(vring_wants_call(&ring), i == 1);
	}
	ck_assert(!vring_kicks_on(&ring));
	ck_assert_uint_eq(*avail_event, 3);
	offer(0);
	ck_assert(vring_kicks_on(&ring));
}
END_TEST

/* The ring as it was at a kick; the driver looks after the next one itself. */
START_TEST(as_it_was)
{
	uint16_t *avail_event = (uint16_t *)(guest + USED) + 2 + NUM * 4;

	ring.event_idx = true;
	put(0, DATA, 10, 0, 0);
	for (int i = 0; i < 3; i++)
		offer(0);
	*avail_event = 3;
	vring_limit(&ring, 2);
	ck_assert_int_eq(vring_take(&ring, &chain), 1);
	ck_assert_int_eq(vring_take(&ring, &chain), 1);
	ck_assert_int_eq(vring_take(&ring, &chain), 0);
	ck_assert(!vring_kicks_on(&ring));
	ck_assert_uint_eq(*avail_event, 3);
	vring_unlimit(&ring);
	ck_assert_int_eq(vring_take(&ring, &chain), 1);

	/* No kick for a long time. */
	vring_kicks_stop(&ring);
	for (uint16_t i = avail[1]; i != (uint16_t)(avail[1] + 0x7000); i++)
		ck_assert(!vring_need_event(*avail_event, (uint16_t)(i + 1), i));

	/* A driver that says nonsense. */
	vring_limit(&ring, (uint16_t)(avail[1] - 1));
	ck_assert_int_eq(vring_take(&ring, &chain), -1);
	ck_assert_ptr_nonnull(ring.broken);
}
END_TEST

START_TEST(no_event_index)
{
	put(0, DATA, 10, 0, 0);
	offer(0);
	vring_take(&ring, &chain);
	vring_give(&ring, 0, 0);
	vring_publish(&ring);
	ck_assert(vring_wants_call(&ring));
	ck_assert(!vring_wants_call(&ring));
	avail[0] = VRING_AVAIL_F_NO_INTERRUPT;
	vring_give(&ring, 0, 0);
	vring_publish(&ring);
	ck_assert(!vring_wants_call(&ring));
	vring_kicks_off(&ring);
	ck_assert_uint_eq(*(uint16_t *)(guest + USED), VRING_USED_F_NO_NOTIFY);
}
END_TEST

/* A guest cuts its memory file off under us: zeroes instead of a SIGBUS, and the ring breaks. */
START_TEST(memory_shrinks)
{
	struct guestmem m = {0};
	struct virtq q = {0};
	struct err e = {0};
	int fd = memfd_create("guest", MFD_CLOEXEC);

	ck_assert_int_eq(ftruncate(fd, SIZE), 0);
	ck_assert_int_eq(guestmem_add(&m, BASE, SIZE, fd, 0, &e), 0);
	ck_assert_int_eq(vring_set_num(&q, NUM, &e), 0);
	ck_assert_int_eq(vring_set_addr(&q, &m, BASE + DESC, BASE + AVAIL, BASE + USED, &e), 0);
	((uint16_t *)(m.region[0].host + AVAIL))[1] = 1;
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_le(vring_take(&q, &chain), 0);
	ck_assert(m.broken);
	ck_assert_int_lt(guestmem_add(&m, BASE, SIZE, fd, 0, &e), 0);
	guestmem_clear(&m);
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vring");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, takes_and_gives);
	tcase_add_test(t, untakes);
	tcase_add_test(t, indices_wrap);
	tcase_add_test(t, indirect);
	tcase_add_loop_test(t, breaks, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_loop_test(t, random_bytes, 0, 200);
	tcase_add_test(t, refuses_bad_places);
	tcase_add_test(t, event_index);
	tcase_add_test(t, as_it_was);
	tcase_add_test(t, no_event_index);
	tcase_add_test(t, memory_shrinks);
	suite_add_tcase(s, t);
	return suite_run(s);
}
