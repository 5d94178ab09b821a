/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames of HDLC: bytes on the wire, and the way back. */
#include "substrate/core/framing.h"

#include "tests/support/suite.h"

#include "lib/xalloc.h"

#include <check.h>
#include <string.h>

static struct frame_pool *pool;
static const uint8_t mine[6] = {0x02, 1, 2, 3, 4, 5};

static void set_up(void)
{
	pool = frame_pool_create(1 << 20);
}

static void tear_down(void)
{
	/* It asserts that every frame has come back. */
	frame_pool_destroy(pool);
}

/* An Ethernet frame of len bytes with the type, whose payload counts up from 0. */
static struct frame *ethernet(uint32_t len, unsigned type, bool many)
{
	struct frame *f = frame_get(pool, len);

	memset(f->data, many ? 0x33 : 0x22, 12);
	f->data[12] = (uint8_t)(type >> 8);
	f->data[13] = (uint8_t)type;
	for (uint32_t i = 14; i < len; i++)
		f->data[i] = (uint8_t)(i - 14);
	return f;
}

static struct frame *iso(uint32_t len, unsigned length)
{
	struct frame *f = ethernet(len, length, true);

	memcpy(f->data + 14, "\xfe\xfe\x03\x83", 4);
	return f;
}

START_TEST(what_stands_in_front_becomes_four_octets)
{
	bool memory;
	struct frame *f = framing_wrap_hdlc(ethernet(60, 0x0800, false), &memory);

	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(f->len, 50);
	ck_assert_mem_eq(f->data, "\x0f\x00\x08\x00\x00\x01\x02", 7);
	f = framing_unwrap_hdlc(f, mine, &memory);
	ck_assert_uint_eq(f->len, 60);
	ck_assert_mem_eq(f->data, mine, 6);
	ck_assert_mem_eq(f->data + 12, "\x08\x00\x00\x01\x02", 5);
	ck_assert_uint_eq(f->data[6] & 3, 2); /* a local address of one station */
	frame_unref(f);
}
END_TEST

START_TEST(frames_for_many_stay_so)
{
	static const uint8_t all[6] = {255, 255, 255, 255, 255, 255};
	bool memory;
	struct frame *f = framing_wrap_hdlc(ethernet(60, 0x86dd, true), &memory);

	ck_assert_mem_eq(f->data, "\x8f\x00\x86\xdd\x00", 5);
	f = framing_unwrap_hdlc(f, mine, &memory);
	ck_assert_mem_eq(f->data, all, 6);
	frame_unref(f);
}
END_TEST

/* IS-IS: as routers of Cisco send it; the padding of a short frame does not come along. */
START_TEST(isis_is_as_on_real_lines)
{
	bool memory;
	struct frame *f = framing_wrap_hdlc(iso(60, 20), &memory);

	ck_assert_uint_eq(f->len, 22);
	ck_assert_mem_eq(f->data, "\x8f\x00\xfe\xfe\x03\x83\x04", 7);
	f = framing_unwrap_hdlc(f, mine, &memory);
	ck_assert_uint_eq(f->len, 34);
	ck_assert_mem_eq(f->data + 12, "\x00\x14\xfe\xfe\x03\x83\x04", 7);
	frame_unref(f);
}
END_TEST

/* Who else holds the frame keeps it as it was. */
START_TEST(who_else_holds_the_frame_keeps_it)
{
	bool memory;
	struct frame *f = ethernet(60, 0x0800, false);
	struct frame *w = framing_wrap_hdlc(frame_ref(f), &memory);

	ck_assert_uint_eq(f->len, 60);
	ck_assert_uint_eq(f->data[0], 0x22);
	ck_assert_ptr_ne(f, w);
	frame_unref(f);
	frame_unref(w);
}
END_TEST

START_TEST(what_has_no_form_is_refused)
{
	bool memory;

	ck_assert_ptr_null(framing_wrap_hdlc(ethernet(60, 40, true), &memory)); /* other LLC */
	ck_assert(!memory);
	ck_assert_ptr_null(framing_wrap_hdlc(iso(60, 61), &memory)); /* longer than it is */
	ck_assert_ptr_null(framing_wrap_hdlc(iso(60, 4), &memory));
	ck_assert_ptr_null(framing_wrap_hdlc(ethernet(60, 0xfefe, false), &memory));
	ck_assert_ptr_null(framing_wrap_hdlc(ethernet(23, 0x0800, false), &memory));
	struct frame *f = framing_wrap_hdlc(ethernet(24, 0x0800, false), &memory);

	ck_assert_uint_eq(f->len, FRAME_MIN);
	frame_unref(f);
}
END_TEST

/* A bit was flipped on the way: each of the header that makes it no frame of HDLC. */
START_TEST(a_damaged_header_is_refused)
{
	static const uint8_t bad[][4] = {
		{0x0e, 0, 8, 0}, {0x0f, 1, 8, 0}, {0xff, 3, 8, 0}, {0x0f, 0, 5, 0xff}};
	bool memory;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct frame *f = frame_get(pool, 50);

		memcpy(f->data, bad[i], 4);
		ck_assert_ptr_null(framing_unwrap_hdlc(f, mine, &memory));
	}
	struct frame *f = frame_get(pool, 2000);

	memcpy(f->data, "\x8f\x00\xfe\xfe", 4);
	ck_assert_ptr_null(framing_unwrap_hdlc(f, mine, &memory));
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, what_stands_in_front_becomes_four_octets);
	tcase_add_test(tc, frames_for_many_stay_so);
	tcase_add_test(tc, isis_is_as_on_real_lines);
	tcase_add_test(tc, who_else_holds_the_frame_keeps_it);
	tcase_add_test(tc, what_has_no_form_is_refused);
	tcase_add_test(tc, a_damaged_header_is_refused);
}

int main(void)
{
	return suite_run_case("framing", add_tests);
}
