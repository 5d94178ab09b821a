/* SPDX-License-Identifier: GPL-3.0-or-later */
/* NICs and their cables against a driver in this process: a good one, a slow one, hostile ones. */
#include "tests/unit/vhost_help.h"

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

int main(void)
{
	Suite *s = suite_create("vhost: carrier and speed");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, carrier_and_config);
	tcase_add_test(t, speed_follows_the_direction_that_leaves);
	tcase_add_test(t, speed_and_duplex_as_said);
	tcase_add_test(t, a_shared_medium_is_seen);
	tcase_set_timeout(t, 20);
	suite_add_tcase(s, t);
	return suite_run(s);
}
