/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long frames go from ring to ring without a copy of ours in between: when the sender's buffers are
 * its own again, and who gets what when something is in the way.
 */
#include "tests/unit/lent_help.h"

static struct vuser b, c;

static void expect(struct vuser *v, uint8_t byte, uint32_t len)
{
	uint32_t index, used;

	ck_assert(vuser_used(v, RX, &index, &used));
	ck_assert_uint_eq(used, HEADER + len);
	for (uint32_t i = 0; i < len; i++)
		ck_assert_uint_eq(vuser_buffer(v, RX, index)[HEADER + i], byte);
}

START_TEST(buffers_come_back_when_nobody_needs_them)
{
	join("c", end_named("a"), &probe.end, NULL);
	unsigned i = send_frame(&a, 1, LONG);

	ck_assert_int_eq(probe.n, 1);
	ck_assert(frame_is_lent(probe.held[0]));
	expect_held(0, 1);
	ck_assert(!got_back(&a, i));
	let_go();
	pump_long();
	ck_assert(got_back(&a, i));
	ck_assert(!got_back(&a, i));
}
END_TEST

/* Each once, in whatever order. */
START_TEST(every_buffer_comes_back_once)
{
	static const int order[] = {3, 0, 5, 2, 7, 1, 6, 4};
	unsigned seen[VUSER_NUM] = {0};
	uint32_t index, len;

	join("c", end_named("a"), &probe.end, NULL);
	for (int turn = 0; turn < 40; turn++) {
		for (int i = 0; i < 8; i++)
			send_frame(&a, (uint8_t)i, i % 3 ? LONG : SHORT);
		ck_assert_int_eq(probe.n, 8);
		for (int i = 0; i < 8; i++)
			frame_unref(probe.held[order[i]]);
		probe.n = 0;
		pump_long();
		for (int i = 0; i < 8; i++) {
			ck_assert(vuser_used(&a, TX, &index, &len));
			seen[index]++;
		}
		ck_assert(!vuser_used(&a, TX, &index, &len));
	}
	for (unsigned i = 0; i < VUSER_NUM; i++)
		ck_assert_uint_eq(seen[i], 1 + (i < 40 * 8 - VUSER_NUM));
}
END_TEST

/* Nothing is lent to who does not take it, over a cable that does something, or past a capture. */
START_TEST(who_keeps_frames_gets_them_whole)
{
	struct arena arena = {0};
	struct words w;
	struct err e = {0};
	static const char line[] = "capture x a file=/dev/null";

	probe.takes = _i ? UINT16_MAX : 0;
	join("c", end_named("a"), &probe.end, _i == 1 ? "delay=1us" : NULL);
	ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &e), 0);
	if (_i >= 2)
		ck_assert_ptr_nonnull(
			capture_create(sub, "x", _i == 2 ? end_named("a") : &probe.end, &w, &e));
	arena_finish(&arena);
	unsigned i = send_frame(&a, 1, LONG);

	ck_assert_int_eq(probe.n, 1);
	ck_assert(!frame_is_lent(probe.held[0]));
	ck_assert(got_back(&a, i));
	memset(vuser_buffer(&a, TX, i), 2, VUSER_BUFFER);
	expect_held(0, 1);
}
END_TEST

START_TEST(short_frames_are_copied)
{
	join("c", end_named("a"), &probe.end, NULL);
	unsigned i = send_frame(&a, 1, SHORT);

	ck_assert(!frame_is_lent(probe.held[0]));
	ck_assert(got_back(&a, i));
}
END_TEST

/* A guest without buffers keeps no buffers of the sender. */
START_TEST(a_slow_receiver_holds_up_nobody)
{
	join("c", end_named("a"), end_named("b"), NULL);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	unsigned first = send_frame(&a, 1, LONG);
	unsigned second = send_frame(&a, 2, LONG);

	expect(&b, 1, LONG);
	ck_assert(got_back(&a, first));
	ck_assert(got_back(&a, second));
	memset(vuser_buffer(&a, TX, second), 9, VUSER_BUFFER);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	pump_long();
	expect(&b, 2, LONG);
}
END_TEST

static void set_up_two(void)
{
	set_up();
	add_nic("b", &b);
}

static void tear_down_two(void)
{
	vuser_close(&b);
	tear_down();
}

/* A repeater with these at its ports, by cables c0, c1 and so on. */
static void join_all(struct end *const *ends, unsigned n)
{
	struct err e = {0};

	ck_assert_ptr_nonnull(devnode_create(sub, "d", "repeater", NULL, 0, &e));
	for (unsigned i = 0; i < n; i++) {
		char name[8];

		snprintf(name, sizeof(name), "p%u", i);
		struct object *port =
			devport_create(sub, name, object_find(sub, "d"), i + 1, NULL, 0, &e);

		ck_assert_ptr_nonnull(port);
		snprintf(name, sizeof(name), "c%u", i);
		join(name, ends[i], end_of_object(port), NULL);
	}
}

static void set_up_three(void)
{
	set_up_two();
	add_nic("c", &c);
	join_all((struct end *[]){end_named("a"), end_named("b"), end_named("c")}, 3);
}

/* An interface of the host takes segments whole, but keeps nothing of a guest's. */
START_TEST(a_segment_stays_whole_for_who_does_not_take_it_lent)
{
	static const struct tcpframe segment = {.payload = LONG, .mss = 1448, .flags = 16};
	static uint8_t want[VUSER_BUFFER], got[VUSER_BUFFER];
	unsigned i = a.queue[TX].next % VUSER_NUM;
	uint8_t *sent = vuser_buffer(&a, TX, i);
	struct virtio_net_hdr h;
	uint32_t len = tcpframe_make(&segment, want, &h);

	probe.takes = OFFLOAD_CSUM | OFFLOAD_TCP4;
	join_all((struct end *[]){end_named("a"), &probe.end}, 2);
	memset(sent, 0, HEADER);
	memcpy(sent, &h, sizeof(h));
	memcpy(sent + HEADER, want, len);
	vuser_offer(&a, TX, HEADER + len, false);
	vuser_kick(&a, TX);
	pump_long();
	ck_assert_int_eq(probe.n, 1);
	ck_assert(!frame_is_lent(probe.held[0]));
	ck_assert_uint_eq(probe.held[0]->offload.segments, 3);
	ck_assert(got_back(&a, i));
	memset(sent, 9, VUSER_BUFFER);
	ck_assert_uint_eq(probe.held[0]->len, len);
	frame_read(probe.held[0], 0, got, len);
	ck_assert_mem_eq(got, want, len);
}
END_TEST

static void tear_down_three(void)
{
	vuser_close(&c);
	tear_down_two();
}

/* Through a device, to one that has buffers and one that has none. */
START_TEST(a_broadcast_reaches_all)
{
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_offer(&c, RX, VUSER_BUFFER, true);
	unsigned first = send_frame(&a, 1, LONG);
	unsigned second = send_frame(&a, 2, LONG);

	expect(&b, 1, LONG);
	expect(&c, 1, LONG);
	ck_assert(got_back(&a, first));
	ck_assert(got_back(&a, second));
	memset(vuser_buffer(&a, TX, second), 9, VUSER_BUFFER);
	vuser_offer(&c, RX, VUSER_BUFFER, true);
	vuser_kick(&c, RX);
	pump_long();
	expect(&c, 2, LONG);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	pump_long();
	expect(&b, 2, LONG);
	ck_assert_uint_eq(end_named("b")->count.out_frames, 2);
	ck_assert_uint_eq(end_named("c")->count.out_frames, 2);
}
END_TEST

/* One of its cables delays: the frame is fetched for that one, whoever else has it. */
START_TEST(a_broadcast_over_unlike_cables)
{
	struct object *cable = object_find(sub, "c1");
	char *words[] = {(char[]){"delay=1ms"}};
	struct err e = {0};

	ck_assert_int_eq(cable->kind->set(cable, words, 1, &e), 0);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_offer(&c, RX, VUSER_BUFFER, true);
	unsigned i = send_frame(&a, 1, LONG);

	expect(&c, 1, LONG);
	ck_assert(got_back(&a, i));
	memset(vuser_buffer(&a, TX, i), 9, VUSER_BUFFER);
	usleep(2000);
	pump_long();
	expect(&b, 1, LONG);
}
END_TEST

START_TEST(frames_over_many_buffers)
{
	uint32_t index, used;
	uint32_t got = 0;

	join("c", end_named("a"), end_named("b"), NULL);
	for (int i = 0; i < 8; i++)
		vuser_offer(&b, RX, 500, true);
	send_frame(&a, 7, LONG);
	while (vuser_used(&b, RX, &index, &used)) {
		for (uint32_t i = got ? 0 : HEADER; i < used; i++)
			ck_assert_uint_eq(vuser_buffer(&b, RX, index)[i], 7);
		got += used;
	}
	ck_assert_uint_eq(got, HEADER + LONG);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lent");
	TCase *t = add_case(s, "one", set_up, tear_down);

	tcase_add_test(t, buffers_come_back_when_nobody_needs_them);
	tcase_add_test(t, every_buffer_comes_back_once);
	tcase_add_loop_test(t, who_keeps_frames_gets_them_whole, 0, 4);
	tcase_add_test(t, short_frames_are_copied);
	tcase_add_test(t, a_segment_stays_whole_for_who_does_not_take_it_lent);
	t = add_case(s, "two", set_up_two, tear_down_two);
	tcase_add_test(t, a_slow_receiver_holds_up_nobody);
	tcase_add_test(t, frames_over_many_buffers);
	t = add_case(s, "three", set_up_three, tear_down_three);
	tcase_add_test(t, a_broadcast_reaches_all);
	tcase_add_test(t, a_broadcast_over_unlike_cables);
	return suite_run(s);
}
