/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two NICs with a driver at each, and a cable between them. */
#ifndef TESTS_UNIT_VHOST_HELP_H
#define TESTS_UNIT_VHOST_HELP_H

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

static inline void keep_event(struct substrate *s, const char *line)
{
	strncat(events, line, sizeof(events) - strlen(events) - 2);
	strcat(events, "\n");
}

static inline void pump(void *arg)
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

static inline struct object *add_nic(const char *name, int mac)
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

static inline void join(const char *word)
{
	struct err e = {0};
	char *words[] = {(char *)(uintptr_t)word};
	struct object *o =
		cable_create(sub, "c", end_of_object(object_find(sub, "a")),
			     end_of_object(object_find(sub, "b")), words, word ? 1 : 0, &e);

	ck_assert_msg(o != NULL, "%s", e.text);
}

static inline void set_up(void)
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

static inline void tear_down(void)
{
	substrate_destroy(sub);
	loop_destroy(loop);
	rmdir(dir);
}

static inline void connect_both(uint64_t features)
{
	ck_assert_int_eq(vuser_open(&a, path_of("a"), pump, NULL), 0);
	ck_assert_int_eq(vuser_open(&b, path_of("b"), pump, NULL), 0);
	ck_assert(vuser_set_up(&a, 2, features));
	ck_assert(vuser_set_up(&b, 2, features));
}

static inline const struct end_counters *counters(const char *name)
{
	return &end_of_object(object_find(sub, name))->count;
}

#endif
