/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NICs with a driver at each at a device that repeats frames, all of them lent. */
#ifndef TESTS_UNIT_LENT_HELP_H
#define TESTS_UNIT_LENT_HELP_H

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

struct device {
	int ports;
};

static inline struct device *repeater_create(const char *name, uint64_t seed)
{
	return xcalloc(1, sizeof(struct device));
}

static inline void repeater_destroy(struct device *d)
{
	free(d);
}

static inline void repeater_port(struct device *d, uint16_t port, bool up, int64_t now_ns)
{
	d->ports = port + 1 > d->ports ? port + 1 : d->ports;
}

static inline enum device_drop repeat(struct device *d, uint16_t in, struct frame *f,
				      int64_t now_ns, struct device_out *out)
{
	for (int i = 0; i < d->ports; i++) {
		if (i == in)
			continue;
		out->at[out->n].port = (uint16_t)i;
		out->at[out->n++].frame = f;
	}
	return DEVICE_FORWARDED;
}

static inline bool repeater_takes(const struct device *d)
{
	return true;
}

static const struct device_kind repeater = {.name = "repeater",
					    .create = repeater_create,
					    .destroy = repeater_destroy,
					    .port_change = repeater_port,
					    .forward = repeat,
					    .takes_raw = repeater_takes};

static struct probe {
	struct object object;
	struct end end;
	uint16_t takes; /* bits of OFFLOAD_* */
	struct frame *held[HELD];
	int n;
} probe;

static inline void probe_deliver(struct end *n, struct frame *f, int64_t now_ns)
{
	ck_assert_int_lt(probe.n, HELD);
	probe.held[probe.n++] = f;
}

static inline void probe_carrier(struct end *n, int64_t now_ns)
{
}

static inline uint16_t probe_takes(const struct end *n)
{
	return probe.takes;
}

static inline void probe_destroy(struct object *o)
{
	end_finish(&probe.end);
	object_finish(o);
}

static const struct end_kind probe_end = {
	.deliver = probe_deliver, .carrier = probe_carrier, .takes = probe_takes};
static const struct object_kind probe_kind = {.name = "probe", .destroy = probe_destroy};

static const struct device_kind *const kinds[] = {&repeater, NULL};
static const uint64_t features = UINT64_C(1) << VIRTIO_F_VERSION_1 | UINT64_C(1) << 30 |
				 UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF |
				 UINT64_C(1) << VIRTIO_NET_F_CSUM |
				 UINT64_C(1) << VIRTIO_NET_F_HOST_TSO4;
static struct loop *loop;
static struct substrate *sub;
static char dir[64];
static struct vuser a;

static inline void pump(void *arg)
{
	struct err e;

	ck_assert_int_eq(loop_turn(loop, 0, &e), 0);
	substrate_run(sub);
}

static inline void pump_long(void)
{
	for (int i = 0; i < 50; i++)
		pump(NULL);
}

static inline void add_nic(const char *name, struct vuser *v)
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

static inline struct end *end_named(const char *name)
{
	return end_of_object(object_find(sub, name));
}

static inline void join(const char *name, struct end *x, struct end *y, const char *word)
{
	struct err e = {0};
	char *words[] = {(char *)(uintptr_t)word};

	ck_assert_msg(cable_create(sub, name, x, y, words, word ? 1 : 0, &e) != NULL, "%s", e.text);
}

static inline void set_up(void)
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

static inline void let_go(void)
{
	while (probe.n)
		frame_unref(probe.held[--probe.n]);
}

static inline void tear_down(void)
{
	let_go();
	vuser_close(&a);
	substrate_destroy(sub);
	loop_destroy(loop);
	rmdir(dir);
}

/* Returns the index of the buffer. */
static inline unsigned send_frame(struct vuser *v, uint8_t byte, uint32_t len)
{
	unsigned i = v->queue[TX].next % VUSER_NUM;

	memset(vuser_buffer(v, TX, i), 0, HEADER);
	memset(vuser_buffer(v, TX, i) + HEADER, byte, len);
	vuser_offer(v, TX, HEADER + len, false);
	vuser_kick(v, TX);
	pump_long();
	return i;
}

static inline bool got_back(struct vuser *v, unsigned index)
{
	uint32_t i, len;

	if (!vuser_used(v, TX, &i, &len))
		return false;
	ck_assert_uint_eq(i, index);
	ck_assert_uint_eq(len, 0);
	return true;
}

static inline void expect_held(int i, uint8_t byte)
{
	static uint8_t bytes[LONG];

	ck_assert_int_gt(probe.n, i);
	ck_assert_uint_eq(probe.held[i]->len, LONG);
	frame_read(probe.held[i], 0, bytes, LONG);
	for (uint32_t k = 0; k < LONG; k++)
		ck_assert_uint_eq(bytes[k], byte);
}

static inline void disconnect(void)
{
	shutdown(a.sock, SHUT_RDWR);
}

static inline void remove_nic(void)
{
	struct object *o = object_find(sub, "a");

	o->kind->destroy(o);
}

static inline void disable(void)
{
	uint32_t off[2] = {TX, 0};

	vuser_send(&a, VHOST_SET_VRING_ENABLE, 1, off, sizeof(off), NULL, 0);
}

static inline void map_anew(void)
{
	struct {
		uint32_t num, zero;
		uint64_t region[4];
	} table = {.num = 1, .region = {VUSER_BASE, VUSER_MEM, VUSER_BASE, 0}};

	vuser_send(&a, VHOST_SET_MEM_TABLE, 1, &table, sizeof(table), &a.memory_fd, 1);
}

static inline void say_nonsense(void)
{
	vuser_send(&a, 77, 1, NULL, 0, NULL, 0);
}

static inline void break_ring(void)
{
	a.queue[TX].avail[1] = (uint16_t)(a.queue[TX].avail[1] + VUSER_NUM + 1);
	vuser_kick(&a, TX);
}

static void (*const ways_to_go[])(void) = {disconnect, remove_nic,   disable,
					   map_anew,   say_nonsense, break_ring};

static inline TCase *add_case(Suite *s, const char *name, void (*up)(void), void (*down)(void))
{
	TCase *t = tcase_create(name);

	tcase_add_checked_fixture(t, up, down);
	tcase_set_timeout(t, 20);
	suite_add_tcase(s, t);
	return t;
}

#endif
