/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long frames go from ring to ring without a copy of ours in between: when the sender's buffers are
 * its own again, and who gets what when something is in the way.
 */
#include "substrate/cable/cable.h"
#include "substrate/core/capture.h"
#include "substrate/core/end.h"
#include "substrate/device/devnode.h"
#include "substrate/nic/nic.h"
#include "substrate/virtio/guestmem.h"
#include "substrate/virtio/vhost_message.h"
#include "tests/support/suite.h"
#include "tests/support/tcpframe.h"
#include "tests/support/vuser.h"

#include <check.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RX, TX, HEADER = 12, LONG = 3000, SHORT = 100, HELD = 64 };

/* ---- a repeater: what comes in at a port goes out at all others ---- */

struct device {
	int ports;
};

static struct device *repeater_create(const char *name, uint64_t seed)
{
	return xcalloc(1, sizeof(struct device));
}

static void repeater_destroy(struct device *d)
{
	free(d);
}

static void repeater_port(struct device *d, uint16_t port, bool up, int64_t now_ns)
{
	d->ports = port + 1 > d->ports ? port + 1 : d->ports;
}

static enum device_drop repeat(struct device *d, uint16_t in, struct frame *f, int64_t now_ns,
			       struct device_out *out)
{
	for (int i = 0; i < d->ports; i++) {
		if (i == in)
			continue;
		out->at[out->n].port = (uint16_t)i;
		out->at[out->n++].frame = f;
	}
	return DEVICE_FORWARDED;
}

static bool repeater_takes(const struct device *d)
{
	return true;
}

static const struct device_kind repeater = {.name = "repeater",
					    .create = repeater_create,
					    .destroy = repeater_destroy,
					    .port_change = repeater_port,
					    .forward = repeat,
					    .takes_raw = repeater_takes};

/* ---- an end that holds what it gets ---- */

static struct probe {
	struct object object;
	struct end end;
	uint16_t takes; /* bits of OFFLOAD_* */
	struct frame *held[HELD];
	int n;
} probe;

static void probe_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	ck_assert_int_lt(probe.n, HELD);
	probe.held[probe.n++] = f;
}

static void probe_carrier(struct end *n, int64_t now_ns)
{
}

static uint16_t probe_takes(const struct end *n)
{
	return probe.takes;
}

static void probe_destroy(struct object *o)
{
	end_finish(&probe.end);
	object_finish(o);
}

static const struct end_kind probe_end = {
	.deliver = probe_deliver, .carrier = probe_carrier, .takes = probe_takes};
static const struct object_kind probe_kind = {.name = "probe", .destroy = probe_destroy};

/* ---- a lab ---- */

static const struct device_kind *const kinds[] = {&repeater, NULL};
static const uint64_t features = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
				 UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF |
				 UINT64_C(1) << VIRTIO_NET_F_CSUM |
				 UINT64_C(1) << VIRTIO_NET_F_HOST_TSO4;
static struct loop *loop;
static struct substrate *sub;
static char dir[64];
static struct vuser a, b, c;

static void pump(void *arg)
{
	struct err e;

	ck_assert_int_eq(loop_turn(loop, 0, &e), 0);
	substrate_run(sub);
}

static void pump_long(void)
{
	for (int i = 0; i < 50; i++)
		pump(NULL);
}

static void add_nic(const char *name, struct vuser *v)
{
	struct arena arena = {0};
	struct words w;
	struct err e = {0};
	char line[256], path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	snprintf(line, sizeof(line), "nic %s vhost path=%s mac=02:00:00:00:00:01", name, path);
	ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &e), 0);
	ck_assert_msg(nic_vhost.create(sub, name, &w, &e) != NULL, "%s", e.text);
	arena_finish(&arena);
	ck_assert_int_eq(vuser_open(v, path, pump, NULL), 0);
	ck_assert(vuser_set_up(v, 2, features));
}

static struct end *end_named(const char *name)
{
	return end_of_object(object_find(sub, name));
}

static void join(const char *name, struct end *x, struct end *y, const char *word)
{
	struct err e = {0};
	char *words[] = {(char *)(uintptr_t)word};

	ck_assert_msg(cable_create(sub, name, x, y, words, word ? 1 : 0, &e) != NULL, "%s", e.text);
}

static void set_up(void)
{
	struct err e = {0};

	snprintf(dir, sizeof(dir), "/tmp/lent-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	loop = loop_create(&e);
	sub = substrate_create(loop, kinds);
	guestmem_guard();
	probe = (struct probe){.takes = UINT16_MAX};
	ck_assert_int_eq(object_add(&probe.object, sub, &probe_kind, "p", &e), 0);
	probe.end = (struct end){.kind = &probe_end, .object = &probe.object};
	add_nic("a", &a);
}

static void let_go(void)
{
	while (probe.n)
		frame_unref(probe.held[--probe.n]);
}

static void tear_down(void)
{
	let_go();
	vuser_close(&a);
	substrate_destroy(sub);
	loop_destroy(loop);
	rmdir(dir);
}

/* Returns the index of the buffer. */
static unsigned send_frame(struct vuser *v, uint8_t byte, uint32_t len)
{
	unsigned i = v->queue[TX].next % VUSER_NUM;

	memset(vuser_buffer(v, TX, i), 0, HEADER);
	memset(vuser_buffer(v, TX, i) + HEADER, byte, len);
	vuser_offer(v, TX, HEADER + len, false);
	vuser_kick(v, TX);
	pump_long();
	return i;
}

static bool got_back(struct vuser *v, unsigned index)
{
	uint32_t i, len;

	if (!vuser_used(v, TX, &i, &len))
		return false;
	ck_assert_uint_eq(i, index);
	ck_assert_uint_eq(len, 0);
	return true;
}

static void expect(struct vuser *v, uint8_t byte, uint32_t len)
{
	uint32_t index, used;

	ck_assert(vuser_used(v, RX, &index, &used));
	ck_assert_uint_eq(used, HEADER + len);
	for (uint32_t i = 0; i < len; i++)
		ck_assert_uint_eq(vuser_buffer(v, RX, index)[HEADER + i], byte);
}

static void expect_held(int i, uint8_t byte)
{
	static uint8_t bytes[LONG];

	ck_assert_int_gt(probe.n, i);
	ck_assert_uint_eq(probe.held[i]->len, LONG);
	frame_read(probe.held[i], 0, bytes, LONG);
	for (uint32_t k = 0; k < LONG; k++)
		ck_assert_uint_eq(bytes[k], byte);
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

/* The guest's word is read once: what it writes later changes no more than bytes that nobody reads.
 */
START_TEST(a_guest_that_changes_what_it_sent)
{
	join("c", end_named("a"), &probe.end, NULL);
	unsigned i = send_frame(&a, 1, LONG);

	memset(vuser_buffer(&a, TX, i), 2, VUSER_BUFFER);
	memset(a.queue[TX].desc, 0xff, sizeof(*a.queue[TX].desc) * VUSER_NUM);
	struct frame *f = probe.held[0];

	ck_assert_uint_eq(f->len, LONG);
	for (int k = 0; k < FRAME_HEAD; k++)
		ck_assert_uint_eq(f->data[k], 1);
	frame_keep(f);
	for (int k = 0; k < FRAME_HEAD; k++)
		ck_assert_uint_eq(f->data[k], 1);
	ck_assert_uint_eq(f->data[FRAME_HEAD], 2);
}
END_TEST

static void disconnect(void)
{
	shutdown(a.sock, SHUT_RDWR);
}

static void remove_nic(void)
{
	struct object *o = object_find(sub, "a");

	o->kind->destroy(o);
}

static void disable(void)
{
	uint32_t off[2] = {TX, 0};

	vuser_send(&a, VHOST_SET_VRING_ENABLE, 1, off, sizeof(off), NULL, 0);
}

static void map_anew(void)
{
	struct {
		uint32_t num, zero;
		uint64_t region[4];
	} table = {.num = 1, .region = {VUSER_BASE, VUSER_MEM, VUSER_BASE, 0}};

	vuser_send(&a, VHOST_SET_MEM_TABLE, 1, &table, sizeof(table), &a.memory_fd, 1);
}

static void say_nonsense(void)
{
	vuser_send(&a, 77, 1, NULL, 0, NULL, 0);
}

static void break_ring(void)
{
	a.queue[TX].avail[1] = (uint16_t)(a.queue[TX].avail[1] + VUSER_NUM + 1);
	vuser_kick(&a, TX);
}

static void (*const ways_to_go[])(void) = {disconnect, remove_nic,   disable,
					   map_anew,   say_nonsense, break_ring};

/* What is under way is fetched before the memory goes. */
START_TEST(a_guest_that_goes)
{
	join("c", end_named("a"), &probe.end, NULL);
	for (uint8_t i = 0; i < 5; i++)
		send_frame(&a, i, LONG);
	ck_assert_int_eq(probe.n, 5);
	ways_to_go[_i]();
	pump_long();
	memset(vuser_buffer(&a, TX, 0), 0xee, (size_t)VUSER_NUM * VUSER_BUFFER);
	for (int i = 0; i < 5; i++) {
		ck_assert(!frame_is_lent(probe.held[i]));
		expect_held(i, (uint8_t)i);
	}
}
END_TEST

/* It may go on where it stopped, so it must have all its buffers. */
START_TEST(a_queue_that_stops)
{
	uint32_t index, len;
	int n = 0;

	join("c", end_named("a"), &probe.end, NULL);
	for (uint8_t i = 0; i < 5; i++)
		send_frame(&a, i, LONG);
	disable();
	pump_long();
	while (vuser_used(&a, TX, &index, &len))
		n++;
	ck_assert_int_eq(n, 5);
}
END_TEST

/* Sizes, addresses and places may be set at any time: the chains of the ring that was are not known
 * to the one that is. */
START_TEST(a_ring_that_is_set_anew_meanwhile)
{
	uint32_t num[2] = {TX, VUSER_NUM};

	join("c", end_named("a"), &probe.end, NULL);
	unsigned i = send_frame(&a, 1, LONG);

	ck_assert(vuser_ask(&a, VHOST_SET_VRING_NUM, num, sizeof(num), NULL, 0));
	let_go();
	pump_long();
	ck_assert(!got_back(&a, i));
}
END_TEST

START_TEST(memory_that_shrinks_under_a_loan)
{
	static uint8_t bytes[LONG];

	join("c", end_named("a"), &probe.end, NULL);
	send_frame(&a, 1, LONG);
	ck_assert_int_eq(ftruncate(a.memory_fd, 4096), 0);
	frame_read(probe.held[0], 0, bytes, LONG);
	ck_assert_uint_eq(bytes[FRAME_HEAD - 1], 1);
	ck_assert_uint_eq(bytes[FRAME_HEAD], 0);
	let_go();
	ck_assert(vuser_hung_up(&a));
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

/* A lab may end before all is delivered. */
START_TEST(the_end_of_all_things)
{
	for (int i = 0; i < 3; i++) {
		struct frame *f = frame_get(sub->pool, LONG);

		memset(f->data, 1, LONG);
		substrate_hop(sub, &probe.end, f);
	}
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

static TCase *add_case(Suite *s, const char *name, void (*up)(void), void (*down)(void))
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, up, down);
	tcase_set_timeout(t, 20);
	suite_add_tcase(s, t);
	return t;
}

int main(void)
{
	Suite *s = suite_create("lent");
	TCase *t = add_case(s, "one", set_up, tear_down);

	tcase_add_test(t, buffers_come_back_when_nobody_needs_them);
	tcase_add_test(t, every_buffer_comes_back_once);
	tcase_add_loop_test(t, who_keeps_frames_gets_them_whole, 0, 4);
	tcase_add_test(t, short_frames_are_copied);
	tcase_add_test(t, a_guest_that_changes_what_it_sent);
	tcase_add_loop_test(t, a_guest_that_goes, 0,
			    (int)(sizeof(ways_to_go) / sizeof(ways_to_go[0])));
	tcase_add_test(t, a_queue_that_stops);
	tcase_add_test(t, a_ring_that_is_set_anew_meanwhile);
	tcase_add_test(t, memory_that_shrinks_under_a_loan);
	tcase_add_test(t, the_end_of_all_things);
	tcase_add_test(t, a_segment_stays_whole_for_who_does_not_take_it_lent);
	t = add_case(s, "two", set_up_two, tear_down_two);
	tcase_add_test(t, a_slow_receiver_holds_up_nobody);
	tcase_add_test(t, frames_over_many_buffers);
	t = add_case(s, "three", set_up_three, tear_down_three);
	tcase_add_test(t, a_broadcast_reaches_all);
	tcase_add_test(t, a_broadcast_over_unlike_cables);
	return suite_run(s);
}
