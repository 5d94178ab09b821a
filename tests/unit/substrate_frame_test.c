/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames whose bytes are lent, and bytes that lie in pieces. */
#include "substrate/core/frame.h"

#include "lib/rng.h"
#include "tests/support/suite.h"
#include "tests/support/tcpframe.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { OFFSET = 12, PIECES = 3, TAG = 77 };

/* The lender: a frame behind OFFSET bytes, in pieces of different lengths. */
static struct lender {
	struct frame_lender lender;
	uint8_t memory[8192];
	struct iovec iov[PIECES];
	int returns;
	uint16_t tag; /* returned last */
} lender;
static struct frame_pool *pool;

static void returned(struct frame_lender *l, uint16_t tag)
{
	struct lender *x = (struct lender *)l;

	x->returns++;
	x->tag = tag;
}

static void set_up(void)
{
	pool = frame_pool_create(1 << 20);
	lender = (struct lender){.lender.returned = returned};
	for (size_t i = 0; i < sizeof(lender.memory); i++)
		lender.memory[i] = (uint8_t)(i * 7 ^ i >> 8);
	lender.iov[0] = (struct iovec){lender.memory, 100};
	lender.iov[1] = (struct iovec){lender.memory + 100, 1000};
	lender.iov[2] = (struct iovec){lender.memory + 1100, sizeof(lender.memory) - 1100};
}

static void tear_down(void)
{
	frame_pool_destroy(pool);
}

static struct frame *lend(uint32_t len)
{
	struct frame *f =
		frame_get_lent(pool, &lender.lender, TAG, lender.iov, PIECES, OFFSET, len);

	ck_assert_ptr_nonnull(f);
	ck_assert(frame_is_lent(f));
	return f;
}

START_TEST(iov_copies)
{
	char a[5] = "abcde";
	char b[3] = "fgh";
	char out[9] = {0};
	struct iovec iov[] = {{a, 5}, {b, 3}};

	iov_read(iov, 2, 3, out, 4);
	ck_assert_str_eq(out, "defg");
	iov_write(iov, 2, 4, "XYZ", 3);
	ck_assert_int_eq(a[4], 'X');
	ck_assert_int_eq(b[0], 'Y');
	ck_assert_int_eq(b[1], 'Z');
	ck_assert_int_eq(b[2], 'h');
}
END_TEST

/* Cuts n bytes at `at` into at most `max` pieces. */
static unsigned cut(struct rng *r, uint8_t *at, size_t n, struct iovec *iov, unsigned max)
{
	unsigned i = 0;

	for (; n && i < max; i++) {
		size_t len = i == max - 1 ? n : rng_next(r) % n + 1;

		iov[i] = (struct iovec){at, len};
		at += len;
		n -= len;
	}
	return i;
}

START_TEST(from_pieces_to_pieces)
{
	uint8_t from[256], to[256], want[256];
	struct iovec a[8], b[8];
	struct rng r;

	rng_init(&r, 1, "iov", "pieces");
	for (int i = 0; i < 256; i++)
		from[i] = (uint8_t)i;
	for (int turn = 0; turn < 10000; turn++) {
		unsigned n_a = cut(&r, from, sizeof(from), a, 8);
		unsigned n_b = cut(&r, to, sizeof(to), b, 8);
		size_t len = rng_next(&r) % (sizeof(from) + 1);
		size_t at_a = rng_next(&r) % (sizeof(from) - len + 1);
		size_t at_b = rng_next(&r) % (sizeof(to) - len + 1);

		memset(to, 0xee, sizeof(to));
		memset(want, 0xee, sizeof(want));
		memcpy(want + at_b, from + at_a, len);
		iov_copy(b, n_b, at_b, a, n_a, at_a, len);
		ck_assert_int_eq(memcmp(to, want, sizeof(to)), 0);
	}
}
END_TEST

START_TEST(a_lent_frame_reads_like_any_other)
{
	enum { LEN = 5000 };
	static uint8_t out[LEN], piece[2][LEN];
	static const uint32_t at[] = {0,   1,    FRAME_HEAD - 1, FRAME_HEAD, FRAME_HEAD + 1,
				      100, 1087, 1088,           1089,       LEN - 1};
	struct frame *f = lend(LEN);

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		for (uint32_t len = 0; len <= LEN - at[i]; len += 97) {
			struct iovec to[] = {{piece[0], 50}, {piece[1], LEN}};

			frame_read(f, at[i], out, len);
			ck_assert_int_eq(memcmp(out, lender.memory + OFFSET + at[i], len), 0);
			frame_write(f, at[i], len, to, 2, 9);
			uint32_t first = len < 41 ? len : 41;

			ck_assert_int_eq(memcmp(piece[0] + 9, out, first), 0);
			ck_assert_int_eq(memcmp(piece[1], out + first, len - first), 0);
		}
	}
	ck_assert_int_eq(lender.returns, 0);
	frame_ref(f);
	frame_unref(f);
	ck_assert_int_eq(lender.returns, 0);
	frame_unref(f);
	ck_assert_int_eq(lender.returns, 1);
	ck_assert_uint_eq(lender.tag, TAG);
}
END_TEST

START_TEST(what_decides_cannot_be_changed)
{
	enum { LEN = 3000 };
	static uint8_t before[FRAME_HEAD], now[FRAME_HEAD];
	struct frame *f = lend(LEN);

	memcpy(before, lender.memory + OFFSET, FRAME_HEAD);
	memset(lender.memory, 0xff, sizeof(lender.memory));
	ck_assert_int_eq(memcmp(f->data, before, FRAME_HEAD), 0);
	frame_read(f, 0, now, FRAME_HEAD);
	ck_assert_int_eq(memcmp(now, before, FRAME_HEAD), 0);
	frame_keep(f);
	ck_assert_int_eq(memcmp(f->data, before, FRAME_HEAD), 0);
	frame_unref(f);
}
END_TEST

/* For all who hold it, once. */
START_TEST(kept_it_needs_the_lender_no_more)
{
	enum { LEN = 6000 };
	static uint8_t want[LEN];
	struct frame *f = lend(LEN);
	struct frame *other = frame_ref(f);
	const struct offload o = {.flags = OFFLOAD_CSUM, .csum_start = 34, .csum_offset = 16};

	frame_set_offload(f, &o);
	ck_assert(frame_is_lent(f));
	memcpy(want, lender.memory + OFFSET, LEN);
	frame_keep(f);
	ck_assert_int_eq(lender.returns, 1);
	memset(lender.memory, 0, sizeof(lender.memory));
	frame_keep(f);
	ck_assert_int_eq(lender.returns, 1);
	ck_assert(!frame_is_lent(other));
	ck_assert_uint_eq(other->offload.flags, OFFLOAD_CSUM);
	ck_assert_uint_eq(other->len, LEN);
	ck_assert_int_eq(memcmp(other->data, want, LEN), 0);
	frame_unref(f);
	frame_unref(other);
	ck_assert_int_eq(lender.returns, 1);
}
END_TEST

START_TEST(a_frame_of_ones_own_is_kept)
{
	enum { LEN = 4000 };
	struct frame *f = lend(LEN);
	struct frame *own = frame_own(frame_ref(f));

	ck_assert_ptr_ne(own, f);
	ck_assert(!frame_is_lent(own));
	ck_assert(frame_is_lent(f));
	ck_assert_int_eq(memcmp(own->data, lender.memory + OFFSET, LEN), 0);
	frame_unref(own);
	ck_assert_int_eq(lender.returns, 0);
	ck_assert_ptr_eq(frame_own(f), f);
	ck_assert(!frame_is_lent(f));
	ck_assert_int_eq(lender.returns, 1);
	frame_unref(f);
}
END_TEST

START_TEST(all_that_is_lent_can_be_recalled)
{
	struct frame *f[5];

	for (int i = 0; i < 5; i++)
		f[i] = lend(2048 + 100 * (uint32_t)i);
	/* From the middle, the newest, the oldest. */
	frame_unref(f[2]);
	frame_unref(f[4]);
	frame_unref(f[0]);
	ck_assert_int_eq(lender.returns, 3);
	frame_recall(&lender.lender);
	ck_assert_int_eq(lender.returns, 5);
	ck_assert_ptr_null(lender.lender.first);
	for (int i = 1; i < 5; i += 2) {
		ck_assert(!frame_is_lent(f[i]));
		ck_assert_int_eq(memcmp(f[i]->data, lender.memory + OFFSET, f[i]->len), 0);
		frame_unref(f[i]);
	}
	ck_assert_int_eq(lender.returns, 5);
}
END_TEST

static const struct tcpframe segment = {.payload = 3000, .mss = 1000, .flags = 16};
static uint32_t seen;

static void see(void *ctx, struct frame *real)
{
	ck_assert(!frame_is_raw(real));
	ck_assert(tcpframe_is_real(&segment, real->data, real->len, seen));
	seen += segment.mss;
	frame_unref(real);
}

START_TEST(a_lent_segment_becomes_real_frames)
{
	struct virtio_net_hdr h;
	struct offload o;
	uint32_t len = tcpframe_make(&segment, lender.memory + OFFSET, &h);
	struct frame *f = lend(len);

	ck_assert(offload_read(&h, offload_features(), f->data, len, &o));
	frame_set_offload(f, &o);
	ck_assert_uint_eq(frame_count(f), 3);
	seen = 0;
	ck_assert_uint_eq(frame_make_real(f, see, NULL), 0);
	ck_assert_uint_eq(seen, segment.payload);
	ck_assert_int_eq(lender.returns, 1);
}
END_TEST

START_TEST(a_lent_segment_becomes_one_packet)
{
	struct virtio_net_hdr h;
	struct offload o;
	struct tcpframe whole = segment;
	uint32_t len = tcpframe_make(&segment, lender.memory + OFFSET, &h);
	struct frame *f = lend(len);

	ck_assert(offload_read(&h, offload_features(), f->data, len, &o));
	frame_set_offload(f, &o);
	f = frame_sum(f);
	ck_assert_ptr_nonnull(f);
	ck_assert(!frame_is_raw(f));
	ck_assert_int_eq(lender.returns, 1);
	whole.mss = 0;
	ck_assert(tcpframe_is_real(&whole, f->data, f->len, 0));
	frame_unref(f);
}
END_TEST

/* The head of a lent frame suffices for what is read of it, and more is not looked at. */
START_TEST(headers_longer_than_a_head_are_refused)
{
	static uint8_t frame[4096];
	struct virtio_net_hdr h;
	struct offload o;
	uint32_t len = tcpframe_make(&segment, frame, &h);
	uint32_t tags = (OFFLOAD_HEADER_MAX - tcpframe_header(&segment)) / 4;

	for (uint32_t i = 1; i <= tags + 1; i++) {
		memmove(frame + 16, frame + 12, len - 12);
		memcpy(frame + 12, (uint8_t[]){0x81, 0, 0, 1}, 4);
		h.csum_start += 4;
		len += 4;
		ck_assert_int_eq(offload_read(&h, offload_features(), frame, len, &o), i <= tags);
	}
}
END_TEST

START_TEST(short_ones_and_scattered_ones_are_not_lent)
{
	ck_assert(frame_may_be_lent(FRAME_LENT_MIN, FRAME_LENT_PIECES));
	ck_assert(!frame_may_be_lent(FRAME_LENT_MIN - 1, 1));
	ck_assert(!frame_may_be_lent(FRAME_MAX, FRAME_LENT_PIECES + 1));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frame");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, iov_copies);
	tcase_add_test(t, from_pieces_to_pieces);
	tcase_add_test(t, a_lent_frame_reads_like_any_other);
	tcase_add_test(t, what_decides_cannot_be_changed);
	tcase_add_test(t, kept_it_needs_the_lender_no_more);
	tcase_add_test(t, a_frame_of_ones_own_is_kept);
	tcase_add_test(t, all_that_is_lent_can_be_recalled);
	tcase_add_test(t, a_lent_segment_becomes_real_frames);
	tcase_add_test(t, a_lent_segment_becomes_one_packet);
	tcase_add_test(t, headers_longer_than_a_head_are_refused);
	tcase_add_test(t, short_ones_and_scattered_ones_are_not_lent);
	suite_add_tcase(s, t);
	return suite_run(s);
}
