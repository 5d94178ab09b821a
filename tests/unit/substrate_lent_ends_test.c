/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Long frames go from ring to ring without a copy of ours in between: when the sender's buffers are
 * its own again, and who gets what when something is in the way.
 */
#include "tests/unit/lent_help.h"

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

int main(void)
{
	Suite *s = suite_create("lent: ends");
	TCase *t = add_case(s, "one", set_up, tear_down);

	tcase_add_test(t, a_guest_that_changes_what_it_sent);
	tcase_add_loop_test(t, a_guest_that_goes, 0,
			    (int)(sizeof(ways_to_go) / sizeof(ways_to_go[0])));
	tcase_add_test(t, a_queue_that_stops);
	tcase_add_test(t, a_ring_that_is_set_anew_meanwhile);
	tcase_add_test(t, memory_that_shrinks_under_a_loan);
	tcase_add_test(t, the_end_of_all_things);
	return suite_run(s);
}
