/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A NIC whose guest is awaited by the real clock, and what comes for it until it is there again. */
#include "tests/unit/vhost_help.h"

#include <stdlib.h>

enum { LEN = 60 };

static uint8_t next_frame, expected;

static void send_frame(void)
{
	unsigned i = a.queue[TX].next % VUSER_NUM;

	memset(vuser_buffer(&a, TX, i), 0, HEADER);
	memset(vuser_buffer(&a, TX, i) + HEADER, 0, LEN);
	vuser_buffer(&a, TX, i)[HEADER + 20] = next_frame++;
	vuser_offer(&a, TX, HEADER + LEN, false);
	vuser_kick(&a, TX);
	pump(NULL);
}

/* Each step of the guest's that comes back has a frame come for it. */
static void pump_and_send(void *arg)
{
	if (next_frame < 100)
		send_frame();
	pump(arg);
}

/* All that was sent is there, in its order. */
static void expect_all(struct vuser *v)
{
	uint32_t index, used;

	for (int i = 0; i < 100; i++)
		pump(NULL);
	while (vuser_used(v, RX, &index, &used)) {
		ck_assert_uint_eq(used, HEADER + LEN);
		ck_assert_uint_eq(vuser_buffer(v, RX, index)[HEADER + 20], expected);
		expected++;
	}
	ck_assert_uint_eq(expected, next_frame);
}

static void go_to_sleep(struct object *nic)
{
	struct err e = {0};

	ck_assert_msg(nic->kind->freeze(nic, &e) == 0, "%s", e.text);
	ck_assert_msg(nic->kind->await(nic, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(sub->awaited, 1);
	ck_assert_msg(nic->kind->sleep(nic, &e) == 0, "%s", e.text);
	ck_assert_uint_eq(sub->awaited, 0);
}

/* Another process with the same memory. */
static void come_back(struct vuser *now, const struct vuser *was)
{
	ck_assert_int_eq(vuser_open(now, path_of("b"), pump_and_send, NULL), 0);
	memcpy(now->memory, was->memory, VUSER_MEM);
	for (unsigned i = 0; i < VUSER_QUEUES; i++) {
		now->queue[i].next = was->queue[i].next;
		now->queue[i].seen = was->queue[i].seen;
	}
	ck_assert(vuser_set_up(now, 2, plain_features));
}

static unsigned count(const char *event)
{
	unsigned n = 0;

	for (const char *p = events; (p = strstr(p, event)) != NULL; p++)
		n++;
	return n;
}

START_TEST(frames_wait_for_who_comes_back)
{
	struct object *nic = object_find(sub, "b");
	struct vuser again;

	next_frame = expected = 0;
	join(NULL);
	connect_both(plain_features);
	for (int i = 0; i < VUSER_NUM; i++)
		vuser_offer(&b, RX, VUSER_BUFFER, true);
	vuser_kick(&b, RX);
	send_frame();
	send_frame();
	expect_all(&b);
	go_to_sleep(nic);
	send_frame();
	send_frame();
	ck_assert_uint_eq(count("event wake b"), 1);
	ck_assert_uint_eq(count("event down b"), 0);
	come_back(&again, &b);
	ck_assert_uint_gt(next_frame, 10);
	expect_all(&again);
	ck_assert_uint_eq(count("event wake b"), 1);
	ck_assert_uint_eq(count("event down b"), 0);
	vuser_close(&again);
	vuser_close(&b);
	vuser_close(&a);
}
END_TEST

/* Who has sent something that was not taken is not left alone with that. */
START_TEST(who_has_something_to_say_does_not_sleep)
{
	struct object *nic = object_find(sub, "a");
	struct err e = {0};
	unsigned i;

	next_frame = 0;
	join(NULL);
	connect_both(plain_features);
	send_frame();
	/* Behind the last look at the ring. */
	i = a.queue[TX].next % VUSER_NUM;
	memset(vuser_buffer(&a, TX, i), 0, HEADER + LEN);
	vuser_offer(&a, TX, HEADER + LEN, false);
	ck_assert_int_eq(nic->kind->freeze(nic, &e), 0);
	ck_assert_int_eq(nic->kind->await(nic, &e), 0);
	ck_assert_int_eq(nic->kind->sleep(nic, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.text, "has sent something"));
	vuser_close(&b);
	vuser_close(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vhost_sleep");
	TCase *t = tcase_create("vhost_sleep");

	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_test(t, frames_wait_for_who_comes_back);
	tcase_add_test(t, who_has_something_to_say_does_not_sleep);
	suite_add_tcase(s, t);
	return suite_run(s);
}
