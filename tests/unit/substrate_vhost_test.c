/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NICs and their cables against a driver in this process: a good one, a slow one, hostile ones. */
#include "substrate/cable/cable.h"
#include "substrate/core/capture.h"
#include "substrate/core/end.h"
#include "substrate/nic/nic.h"
#include "substrate/virtio/guestmem.h"
#include "substrate/virtio/vhost_message.h"
#include "tests/support/suite.h"
#include "tests/support/tcpframe.h"
#include "tests/support/vuser.h"

#include <check.h>
#include <fcntl.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { RX, TX, HEADER = 12 };

static const struct device_kind *const no_kinds[] = {NULL};
static const uint64_t plain_features = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30;
static struct loop *loop;
static struct substrate *sub;
static char dir[64], events[4096];
static struct vuser a, b;

static void keep_event(struct substrate *s, const char *line)
{
	strncat(events, line, sizeof(events) - strlen(events) - 2);
	strcat(events, "\n");
}

static void pump(void *arg)
{
	struct err e;

	ck_assert_int_eq(loop_turn(loop, 0, &e), 0);
	substrate_run(sub);
}

static const char *path_of(const char *name)
{
	static char path[2][128];
	static int turn;

	turn = !turn;
	snprintf(path[turn], sizeof(path[turn]), "%s/%s", dir, name);
	return path[turn];
}

static struct object *add_nic(const char *name, int mac)
{
	struct arena arena = {0};
	struct words w;
	struct err e = {0};
	char line[256];

	snprintf(line, sizeof(line), "nic %s vhost path=%s mac=02:00:00:00:00:%02x", name,
		 path_of(name), mac);
	ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &e), 0);
	struct object *o = nic_vhost.create(sub, name, &w, &e);

	ck_assert_msg(o != NULL, "%s", e.text);
	arena_finish(&arena);
	/* cppcheck-suppress returnDanglingLifetime; the NIC keeps nothing of its words */
	return o;
}

static void join(const char *word)
{
	struct err e = {0};
	char *words[] = {(char *)(uintptr_t)word};
	struct object *o =
		cable_create(sub, "c", end_of_object(object_find(sub, "a")),
			     end_of_object(object_find(sub, "b")), words, word ? 1 : 0, &e);

	ck_assert_msg(o != NULL, "%s", e.text);
}

static void set_up(void)
{
	struct err e = {0};

	snprintf(dir, sizeof(dir), "/tmp/vhost-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	events[0] = '\0';
	loop = loop_create(&e);
	sub = substrate_create(loop, no_kinds);
	sub->on_event = keep_event;
	guestmem_guard();
	add_nic("a", 1);
	add_nic("b", 2);
}

static void tear_down(void)
{
	substrate_destroy(sub);
	loop_destroy(loop);
	rmdir(dir);
}

static void connect_both(uint64_t features)
{
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert_int_eq(vuser_open(&b, path_of("b"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, features));
	ck_assert(vuser_set_up(&b, 2, features));
}

static void send_frame(struct vuser *v, uint8_t byte, uint32_t len)
{
	unsigned i = v->queue[TX].next % VUSER_NUM;

	memset(vuser_buffer(v, TX, i), 0, HEADER);
	memset(vuser_buffer(v, TX, i) + HEADER, byte, len);
	vuser_offer(v, TX, HEADER + len, false);
	vuser_kick(v, TX);
}

static void expect_frame(struct vuser *v, uint8_t byte, uint32_t len)
{
	uint32_t index, used;

	for (int i = 0; i < 100; i++)
		pump(NULL);
	ck_assert(vuser_used(v, RX, &index, &used));
	ck_assert_uint_eq(used, HEADER + len);
	ck_assert_uint_eq(vuser_buffer(v, RX, index)[10], 1); /* num_buffers */
	ck_assert_uint_eq(vuser_buffer(v, RX, index)[HEADER], byte);
	ck_assert_uint_eq(vuser_buffer(v, RX, index)[HEADER + len - 1], byte);
}

static const struct end_counters *counters(const char *name)
{
	return &end_of_object(object_find(sub, name))->count;
}

START_TEST(frames_pass)
{
	uint32_t index, len;
	uint64_t call;

	join(NULL);
	connect_both(plain_features);
	ck_assert_ptr_nonnull(strstr(events, "event up a"));
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	send_frame(&a, 0x42, 60);
	expect_frame(&b, 0x42, 60);
	ck_assert_int_eq(recv(b.queue[RX].call_fd, &call, 8, MSG_DONTWAIT), 8);
	send_frame(&a, 0x43, 1514);
	expect_frame(&b, 0x43, 1514);
	ck_assert(vuser_used(&a, TX, &index, &len));
	ck_assert_uint_eq(counters("a")->in_frames, 2);
	ck_assert_uint_eq(counters("b")->out_frames, 2);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

/* A guest that does not read its calls: a full pipe, which it left blocking. */
START_TEST(calls_go_through_a_pipe_and_nobody_waits_for_its_reader)
{
	uint64_t queue = RX;
	char much[4096] = "";
	int ends[2];

	join(NULL);
	connect_both(plain_features);
	ck_assert_int_eq(pipe2(ends, O_NONBLOCK), 0);
	ck_assert(vuser_ask(&b, 13, &queue, 8, &ends[1], 1));
	while (write(ends[1], much, sizeof(much)) > 0)
		;
	ck_assert_int_eq(fcntl(ends[1], F_SETFL, 0), 0);
	ck_assert(vuser_ask(&b, 13, &queue, 8, &ends[1], 1));
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	send_frame(&a, 0x42, 60);
	expect_frame(&b, 0x42, 60);
	while (read(ends[0], much, sizeof(much)) > 0)
		;
	send_frame(&a, 0x43, 60);
	expect_frame(&b, 0x43, 60);
	ck_assert_int_eq(read(ends[0], much, sizeof(much)), 8);
	vuser_close(&a);
	vuser_close(&b);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

START_TEST(delay_and_buffers_that_come_late)
{
	join("delay=1ms");
	connect_both(plain_features);
	vuser_offer(&b, RX, 2048, true);
	for (int i = 0; i < 5; i++)
		send_frame(&a, (uint8_t)i, 100);
	for (int i = 0; i < 3000; i++)
		pump(NULL);
	usleep(2000);
	pump(NULL);
	for (int i = 0; i < 4; i++)
		vuser_offer(&b, RX, 2048, true);
	vuser_kick(&b, RX);
	for (int i = 0; i < 5; i++)
		expect_frame(&b, (uint8_t)i, 100);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(frames_over_several_buffers)
{
	uint32_t index, used;

	join(NULL);
	connect_both(plain_features | UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF);
	for (int i = 0; i < 3; i++)
		vuser_offer(&b, RX, 500, true);
	vuser_kick(&b, RX);
	send_frame(&a, 7, 1200);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert_uint_eq(used, 500);
	ck_assert_uint_eq(vuser_buffer(&b, RX, index)[10], 3);
	ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert(vuser_used(&b, RX, &index, &used));
	ck_assert_uint_eq(used, 1212 - 1000);
	/* Two buffers are not enough for the next: it waits for the third. */
	vuser_offer(&b, RX, 500, true);
	vuser_offer(&b, RX, 500, true);
	send_frame(&a, 8, 1200);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(!vuser_used(&b, RX, &index, &used));
	vuser_offer(&b, RX, 500, true);
	vuser_kick(&b, RX);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert(vuser_used(&b, RX, &index, &used));
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(drops_are_counted)
{
	connect_both(plain_features);
	send_frame(&a, 1, 60); /* no cable */
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert_uint_eq(counters("a")->dropped[END_DROP_UNPLUGGED], 1);
	join(NULL);
	/* Nobody has set the interface up yet: nothing is kept for it. */
	send_frame(&a, 1, 60);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert_uint_eq(counters("b")->dropped[END_DROP_DOWN], 1);
	vuser_offer(&b, RX, 2048, true);
	send_frame(&a, 1, 13);
	unsigned i = a.queue[TX].next % VUSER_NUM;

	send_frame(&a, 1, 60);
	vuser_buffer(&a, TX, i)[1] = VIRTIO_NET_HDR_GSO_TCPV4;
	for (int k = 0; k < 20; k++)
		pump(NULL);
	ck_assert_uint_eq(counters("a")->dropped[END_DROP_RUNT], 1);
	ck_assert_uint_eq(counters("a")->dropped[END_DROP_OFFLOAD], 1);
	for (int k = 0; k < 1030; k++) {
		uint32_t index, len;

		send_frame(&a, 1, 60);
		pump(NULL);
		vuser_used(&a, TX, &index, &len);
	}
	for (int k = 0; k < 20; k++)
		pump(NULL);
	ck_assert_uint_eq(counters("b")->dropped[END_DROP_QUEUE], 5);
	vuser_close(&b);
	for (int k = 0; k < 20; k++)
		pump(NULL);
	send_frame(&a, 1, 60);
	for (int k = 0; k < 20; k++)
		pump(NULL);
	ck_assert_uint_eq(counters("b")->dropped[END_DROP_DOWN], 1 + 1024 + 1);
	vuser_close(&a);
}
END_TEST

START_TEST(a_guest_comes_back)
{
	join(NULL);
	for (int i = 0; i < 3; i++) {
		connect_both(plain_features);
		vuser_offer(&b, RX, 2048, true);
		send_frame(&a, 9, 60);
		expect_frame(&b, 9, 60);
		vuser_close(&a);
		vuser_close(&b);
		for (int k = 0; k < 20; k++)
			pump(NULL);
	}
	ck_assert_ptr_nonnull(strstr(events, "event down a \"the guest closed the connection\""));
}
END_TEST

START_TEST(carrier_and_config)
{
	uint32_t ask[3 + 3] = {0, 12, 0};
	struct {
		uint32_t head[3], config[3];
		uint8_t mac[6];
		uint16_t status, pairs, mtu;
	} __attribute__((packed)) got;
	struct err e;
	uint32_t change[3];

	join(NULL);
	connect_both(plain_features);
	for (int up = 1; up >= 0; up--) {
		vuser_send(&a, VHOST_GET_CONFIG, 1, ask, sizeof(ask), NULL, 0);
		for (int i = 0; i < 20; i++)
			pump(NULL);
		ck_assert_int_eq(recv(a.sock, &got, sizeof(got), MSG_DONTWAIT), sizeof(got));
		ck_assert_uint_eq(got.head[1], 5);
		ck_assert_uint_eq(got.head[2], sizeof(ask));
		ck_assert_uint_eq(got.mac[5], 1);
		ck_assert_uint_eq(got.status, up);
		ck_assert_uint_eq(got.mtu, 1500);
		if (up)
			ck_assert_int_eq(cable_set_carrier(object_find(sub, "c"), false, -1, &e),
					 0);
	}
	ck_assert_int_eq(recv(a.slave_fd, change, sizeof(change), MSG_DONTWAIT), sizeof(change));
	ck_assert_uint_eq(change[0], VHOST_SLAVE_CONFIG_CHANGE);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

/* Speed and duplex as the guest reads them, and how often it was told of a change. */
static void expect_speed(struct vuser *v, uint32_t mbps, uint8_t duplex, int changes)
{
	uint32_t ask[3 + 5] = {0, 17, 0};
	struct {
		uint32_t head[3], config[3];
		uint8_t mac[6];
		uint16_t status, pairs, mtu;
		uint32_t speed;
		uint8_t duplex, rest[3];
	} __attribute__((packed)) got;
	uint32_t change[3];

	while (recv(v->slave_fd, change, sizeof(change), MSG_DONTWAIT) > 0)
		changes--;
	ck_assert_int_eq(changes, 0);
	ask[1] = sizeof(ask) - 12;
	vuser_send(v, VHOST_GET_CONFIG, 1, ask, sizeof(ask), NULL, 0);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	ck_assert_int_eq(recv(v->sock, &got, sizeof(got), MSG_DONTWAIT), sizeof(got));
	ck_assert_uint_eq(got.speed, mbps);
	ck_assert_uint_eq(got.duplex, duplex);
}

static void change_cable(const char *word)
{
	struct object *o = object_find(sub, "c");
	char *words[] = {(char *)(uintptr_t)word};
	struct err e = {0};

	ck_assert_msg(o->kind->set(o, words, 1, &e) == 0, "%s", e.text);
}

static void set_nic(const char *first, const char *second)
{
	struct object *o = object_find(sub, "a");
	char *words[] = {(char *)(uintptr_t)first, (char *)(uintptr_t)second};
	struct err e = {0};

	ck_assert_msg(o->kind->set(o, words, first ? 2 : 0, &e) == 0, "%s", e.text);
}

START_TEST(speed_follows_the_direction_that_leaves)
{
	join(NULL);
	connect_both(plain_features | UINT64_C(1) << VIRTIO_NET_F_SPEED_DUPLEX);
	expect_speed(&a, 10000, 1, 0);
	change_cable("ab.rate=10Mbit");
	expect_speed(&a, 10, 1, 1);
	expect_speed(&b, 10000, 1, 0);
	/* What no speed follows from is not told. */
	change_cable("loss=1%");
	expect_speed(&a, 10, 1, 0);
	change_cable("rate=1600kbit");
	expect_speed(&a, 2, 1, 1);
	expect_speed(&b, 2, 1, 1);
	change_cable("rate=9600bit");
	expect_speed(&a, 1, 1, 1);
	/* Of what changes with time the most, whatever it is just now. */
	change_cable("ab.schedule=rate ramp 3Mbit 40Mbit 1s");
	expect_speed(&a, 40, 1, 1);
	expect_speed(&b, 1, 1, 1);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(speed_and_duplex_as_said)
{
	struct object *o = object_find(sub, "a");
	char *wrong[] = {(char *)(uintptr_t) "duplex=simplex"};
	struct err e = {0};

	join("rate=10Mbit");
	connect_both(plain_features | UINT64_C(1) << VIRTIO_NET_F_SPEED_DUPLEX);
	set_nic("speed=1Gbit", "duplex=half");
	expect_speed(&a, 1000, 0, 1);
	change_cable("rate=20Mbit");
	expect_speed(&a, 1000, 0, 1);
	ck_assert_int_lt(o->kind->set(o, wrong, 1, &e), 0);
	expect_speed(&a, 1000, 0, 0);
	set_nic(NULL, NULL);
	expect_speed(&a, 20, 1, 1);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

/* The port of a hub: what it says changes while the cable is in. */
static struct end_wire medium;

static void medium_limits(const struct end *n, struct end_wire *wire)
{
	*wire = medium;
}

START_TEST(a_shared_medium_is_seen)
{
	struct end *n = end_of_object(object_find(sub, "b"));
	struct end_kind kind = *n->kind;

	n->kind = &kind;
	kind.limits = medium_limits;
	medium = (struct end_wire){.shared = true};
	join(NULL);
	connect_both(plain_features | UINT64_C(1) << VIRTIO_NET_F_SPEED_DUPLEX);
	expect_speed(&a, 10000, 0, 0);
	medium.rate_bps = 10000000;
	n->hooks->limits_changed(n, 0);
	expect_speed(&a, 10, 0, 1);
	/* The slower of the two. */
	change_cable("rate=100Mbit");
	expect_speed(&a, 10, 0, 0);
	change_cable("rate=5Mbit");
	expect_speed(&a, 5, 0, 1);
	medium = (struct end_wire){0};
	n->hooks->limits_changed(n, 0);
	expect_speed(&a, 5, 1, 1);
	vuser_close(&a);
	vuser_close(&b);
	end_finish(n); /* the kind goes with this function */
}
END_TEST

START_TEST(a_message_in_pieces)
{
	uint32_t head[3] = {VHOST_GET_FEATURES, 1, 0};
	uint64_t value;

	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	for (size_t i = 0; i < sizeof(head); i++) {
		ck_assert_int_eq(send(a.sock, (char *)head + i, 1, 0), 1);
		pump(NULL);
		pump(NULL);
	}
	ck_assert(vuser_answer(&a, &value));
	ck_assert(value & VHOST_F_PROTOCOL_FEATURES);
	vuser_close(&a);
}
END_TEST

/* What a guest must not say; each costs it the connection. */
static const struct {
	uint32_t request, flags, size;
	uint32_t payload[18];
	unsigned n_fds;
} bad[] = {
	{77, 1, 0, {0}, 0},                                      /* unknown */
	{VHOST_SET_OWNER, 2, 0, {0}, 0},                         /* version */
	{VHOST_SET_OWNER, 1, 100000, {0}, 0},                    /* too long */
	{VHOST_SET_FEATURES, 1, 4, {0}, 0},                      /* too short */
	{VHOST_SET_FEATURES, 1, 8, {0xffffffff, 0xffffffff}, 0}, /* not offered */
	{VHOST_SET_MEM_TABLE, 1, 72, {1, 0, 0, 0, 4096}, 0},     /* no descriptor */
	{VHOST_SET_MEM_TABLE, 1, 72, {3, 0, 0, 0, 4096}, 1},     /* too many regions */
	{VHOST_SET_MEM_TABLE, 1, 72, {1, 0, 0, 0, VUSER_MEM + 1}, 1},
	{VHOST_SET_MEM_TABLE, 1, 72, {1, 0, 0, 0, 4096, 0, 0, 0, ~0u, ~0u}, 1}, /* offset wraps */
	{VHOST_SET_VRING_NUM, 1, 8, {2, 256}, 0},                               /* no such queue */
	{VHOST_SET_VRING_NUM, 1, 8, {0, 3}, 0},
	{VHOST_SET_VRING_ADDR, 1, 40, {0}, 0},     /* before size */
	{VHOST_SET_VRING_ENABLE, 1, 8, {0, 1}, 0}, /* before address */
	{VHOST_SET_VRING_KICK, 1, 8, {0}, 0},      /* no descriptor */
	{VHOST_SET_VRING_KICK, 1, 8, {VHOST_VRING_NO_FD}, 0},
	{VHOST_SET_SLAVE_REQ_FD, 1, 0, {0}, 0},
	{VHOST_GET_CONFIG, 1, 20, {0, 4000, 0}, 0},
	{VHOST_VRING_KICK, 1, 8, {9}, 0},
};

START_TEST(bad_messages)
{
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	vuser_send(&a, bad[_i].request, bad[_i].flags,
		   bad[_i].size > sizeof(bad[_i].payload) ? NULL : bad[_i].payload, bad[_i].size,
		   &a.memory_fd, bad[_i].n_fds);
	ck_assert(vuser_hung_up(&a));
	vuser_close(&a);
	/* And the next one is welcome. */
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, plain_features));
	vuser_close(&a);
}
END_TEST

START_TEST(a_broken_ring_costs_only_its_port)
{
	join(NULL);
	connect_both(plain_features);
	a.queue[TX].desc[0].addr = 1;
	a.queue[TX].desc[0].len = 100;
	a.queue[TX].avail[1] = 1;
	vuser_kick(&a, TX);
	ck_assert(vuser_hung_up(&a));
	ck_assert_ptr_nonnull(
		strstr(events, "event down a \"a buffer is not in the guest's memory\""));
	ck_assert_ptr_null(strstr(events, "event down b"));
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(memory_that_shrinks)
{
	join(NULL);
	connect_both(plain_features);
	ck_assert_int_eq(ftruncate(a.memory_fd, 4096), 0);
	vuser_kick(&a, TX);
	ck_assert(vuser_hung_up(&a));
	ck_assert_ptr_nonnull(strstr(events, "event down a \"the guest's memory shrank\""));
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

START_TEST(removed_while_busy)
{
	join("delay=10ms");
	connect_both(plain_features);
	for (int i = 0; i < 10; i++)
		send_frame(&a, 1, 60);
	for (int i = 0; i < 20; i++)
		pump(NULL);
	struct object *o = object_find(sub, _i ? "b" : "a");

	o->kind->destroy(o);
	ck_assert_ptr_null(object_find(sub, "c"));
	usleep(11000);
	pump(NULL);
	vuser_close(&a);
	vuser_close(&b);
}
END_TEST

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
	Suite *s = suite_create("vhost");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, frames_pass);
	tcase_add_test(t, calls_go_through_a_pipe_and_nobody_waits_for_its_reader);
	tcase_add_test(t, delay_and_buffers_that_come_late);
	tcase_add_test(t, frames_over_several_buffers);
	tcase_add_test(t, drops_are_counted);
	tcase_add_test(t, a_guest_comes_back);
	tcase_add_test(t, carrier_and_config);
	tcase_add_test(t, speed_follows_the_direction_that_leaves);
	tcase_add_test(t, speed_and_duplex_as_said);
	tcase_add_test(t, a_shared_medium_is_seen);
	tcase_add_test(t, a_message_in_pieces);
	tcase_add_loop_test(t, bad_messages, 0, (int)(sizeof(bad) / sizeof(bad[0])));
	tcase_add_test(t, a_broken_ring_costs_only_its_port);
	tcase_add_test(t, memory_that_shrinks);
	tcase_add_loop_test(t, removed_while_busy, 0, 2);
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
