/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NICs and their cables against a driver in this process: a good one, a slow one, hostile ones. */
#include "tests/unit/vhost_help.h"

static const uint64_t raw_features =
	UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
	UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF | UINT64_C(1) << VIRTIO_NET_F_CSUM |
	UINT64_C(1) << VIRTIO_NET_F_HOST_TSO4 | UINT64_C(1) << VIRTIO_NET_F_GUEST_CSUM |
	UINT64_C(1) << VIRTIO_NET_F_GUEST_TSO4;
static const struct tcpframe segment = {.payload = 3000, .mss = 1000, .flags = 16};

/* Buffers for b, then a segment from a, which stands for three frames. */
static void send_segment(void)
{
	struct virtio_net_hdr h;
	uint8_t *buffer = vuser_buffer(&a, TX, a.queue[TX].next % VUSER_NUM);
	uint32_t len = tcpframe_make(&segment, buffer + HEADER, &h);

	for (int i = 0; i < 8; i++)
		vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	memset(buffer, 0, HEADER);
	memcpy(buffer, &h, sizeof(h));
	vuser_offer(&a, TX, HEADER + len, false);
	vuser_kick(&a, TX);
	for (int i = 0; i < 100; i++)
		pump(NULL);
}

static void expect_real_frames(void)
{
	uint32_t index, used;

	for (uint32_t at = 0; at < segment.payload; at += segment.mss) {
		while (!vuser_used(&b, RX, &index, &used))
			pump(NULL);
		uint8_t *got = vuser_buffer(&b, RX, index);

		ck_assert_uint_eq(got[0] | got[1], 0);
		ck_assert(tcpframe_is_real(&segment, got + HEADER, used - HEADER, at));
	}
	ck_assert(!vuser_used(&b, RX, &index, &used));
	ck_assert_uint_eq(counters("a")->in_frames, 3);
	ck_assert_uint_eq(counters("b")->out_frames, 3);
	ck_assert_uint_eq(counters("a")->in_bytes, counters("b")->out_bytes);
}

static void close_both(void)
{
	vuser_close(&a);
	vuser_close(&b);
}

START_TEST(a_segment_passes_whole_where_nobody_can_tell)
{
	uint32_t index, used;
	struct virtio_net_hdr want;
	static uint8_t frame[VUSER_BUFFER];
	uint32_t len = tcpframe_make(&segment, frame, &want);

	join(NULL);
	connect_both(raw_features);
	send_segment();
	ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert_uint_eq(used, HEADER + len);
	ck_assert_int_eq(memcmp(vuser_buffer(&b, RX, index), &want, sizeof(want)), 0);
	ck_assert_int_eq(memcmp(vuser_buffer(&b, RX, index) + HEADER, frame, len), 0);
	/* It counts for the frames that it stands for. */
	ck_assert_uint_eq(counters("a")->in_frames, 3);
	ck_assert_uint_eq(counters("b")->out_frames, 3);
	ck_assert_uint_eq(counters("b")->out_bytes, len + 2 * tcpframe_header(&segment));
	close_both();
}
END_TEST

START_TEST(who_cannot_take_it_gets_frames)
{
	join(NULL);
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert_int_eq(vuser_open(&b, path_of("b"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, raw_features));
	ck_assert(vuser_set_up(&b, 2, plain_features));
	send_segment();
	expect_real_frames();
	close_both();
}
END_TEST

START_TEST(on_a_cable_that_does_something_frames_are_real)
{
	join("delay=1ms");
	connect_both(raw_features);
	send_segment();
	expect_real_frames();
	close_both();
}
END_TEST

/* At one end or at the other. */
START_TEST(who_looks_sees_frames)
{
	static const char *const ends[] = {"a", "b"};

	for (int i = 0; i < 2; i++) {
		struct arena arena = {0};
		struct words w;
		struct err e = {0};
		static const char line[] = "capture x a file=/dev/null";

		ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &e), 0);
		join(NULL);
		ck_assert_ptr_nonnull(
			capture_create(sub, "x", end_of_object(object_find(sub, ends[i])), &w, &e));
		connect_both(raw_features);
		send_segment();
		expect_real_frames();
		close_both();
		arena_finish(&arena);
		tear_down();
		set_up();
	}
}
END_TEST

START_TEST(a_cut_cable_drops_the_frames_it_stands_for)
{
	join("ab.up=0");
	connect_both(raw_features);
	send_segment();
	ck_assert_uint_eq(counters("a")->in_frames, 3);
	ck_assert_uint_eq(counters("b")->out_frames, 0);
	close_both();
}
END_TEST

START_TEST(without_buffers_whole_segments_wait)
{
	uint32_t index, used;

	join(NULL);
	connect_both(raw_features);
	for (int i = 0; i < 3; i++)
		vuser_offer(&b, RX, 1000, true);
	struct virtio_net_hdr h;
	uint8_t *buffer = vuser_buffer(&a, TX, 0);
	uint32_t len = tcpframe_make(&segment, buffer + HEADER, &h);

	memset(buffer, 0, HEADER);
	memcpy(buffer, &h, sizeof(h));
	vuser_offer(&a, TX, HEADER + len, false);
	vuser_kick(&a, TX);
	for (int i = 0; i < 50; i++)
		pump(NULL);
	ck_assert(!vuser_used(&b, RX, &index, &used));
	vuser_offer(&b, RX, 1000, true);
	vuser_kick(&b, RX);
	for (int i = 0; i < 50; i++)
		pump(NULL);
	for (int i = 0; i < 4; i++)
		ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert_uint_eq(vuser_buffer(&b, RX, 0)[10], 4);
	close_both();
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost: segments");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_set_timeout(t, 20);
	tcase_add_test(t, a_segment_passes_whole_where_nobody_can_tell);
	tcase_add_test(t, who_cannot_take_it_gets_frames);
	tcase_add_test(t, on_a_cable_that_does_something_frames_are_real);
	tcase_add_test(t, who_looks_sees_frames);
	tcase_add_test(t, a_cut_cable_drops_the_frames_it_stands_for);
	tcase_add_test(t, without_buffers_whole_segments_wait);
	suite_add_tcase(s, t);
	return suite_run(s);
}
