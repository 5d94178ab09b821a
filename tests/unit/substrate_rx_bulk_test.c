/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When a guest is told of received frames: of a bulk transfer together, of all else at once. */
#include "substrate/nic/rx_bulk.h"
#include "tests/support/suite.h"

#include <check.h>

enum { WIRE_NS = 12112, LONG = 1514, SHORT = 60 }; /* a long frame at 1 Gbit/s */

static int64_t put(struct rx_bulk *b, uint32_t len, int64_t now_ns)
{
	rx_bulk_put(b, len);
	return rx_bulk_tell_ns(b, now_ns);
}

static const int64_t start_ns = INT64_C(1000000000);

/* What a ping of 4 kB, a handshake or a hello is. */
START_TEST(few_frames_are_told_at_once)
{
	struct rx_bulk b = {0};

	for (int burst = 0; burst < 3; burst++) {
		int64_t now_ns = start_ns + burst * RX_BULK_STEP_NS * 2;

		for (int i = 0; i < RX_BULK_RUN; i++, now_ns += WIRE_NS)
			ck_assert_int_eq(put(&b, LONG, now_ns), now_ns);
	}
}
END_TEST

START_TEST(short_frames_are_told_at_once)
{
	struct rx_bulk b = {0};

	for (int64_t now_ns = start_ns; now_ns < start_ns + 100 * WIRE_NS; now_ns += WIRE_NS)
		ck_assert_int_eq(put(&b, SHORT, now_ns), now_ns);
}
END_TEST

/* As fast as 100 Mbit/s carry them. */
START_TEST(slow_frames_are_told_at_once)
{
	struct rx_bulk b = {0};
	int64_t now_ns = start_ns;

	for (int i = 0; i < 100; i++, now_ns += 10 * WIRE_NS)
		ck_assert_int_eq(put(&b, LONG, now_ns), now_ns);
}
END_TEST

/* Long frames, one behind the other: how often the guest is told of them, in a second. */
static int tell_for_a_second(struct rx_bulk *b, int64_t wire_ns, int64_t step_ns)
{
	int64_t end_ns = start_ns + INT64_C(1000000000);
	int n = 0;

	for (int64_t now_ns = start_ns; now_ns < end_ns; now_ns += wire_ns) {
		int64_t at_ns = put(b, LONG, now_ns);

		/* An assertion of each would take seconds. */
		if (at_ns < now_ns || at_ns >= now_ns + step_ns)
			ck_abort_msg("%lld is told at %lld", (long long)now_ns, (long long)at_ns);
		/* Another frame may have it told sooner. */
		n += at_ns < now_ns + wire_ns;
	}
	return n;
}

/* 1 Gbit/s; 300 Mbit/s, where a step has few; 10 Gbit/s, where it has many. */
START_TEST(a_bulk_transfer_is_told_in_steps)
{
	static const struct {
		int64_t wire_ns, step_ns;
		int told;
	} rates[] = {
		{WIRE_NS, RX_BULK_LONG_STEP_NS, 4000},
		{WIRE_NS * 3, RX_BULK_STEP_NS, 10000},
		{WIRE_NS / 10, RX_BULK_LONG_STEP_NS, 1000000000 / RX_BULK_MANY / WIRE_NS * 10}};
	struct rx_bulk b = {0};
	int told = tell_for_a_second(&b, rates[_i].wire_ns, rates[_i].step_ns);

	ck_assert_int_ge(told, rates[_i].told - 2);
	ck_assert_int_le(told, rates[_i].told + rates[_i].told / 50);
}
END_TEST

START_TEST(a_short_frame_does_not_wait_for_long_ones)
{
	struct rx_bulk b = {0};
	int64_t now_ns = start_ns;

	while (put(&b, LONG, now_ns) == now_ns)
		now_ns += WIRE_NS;
	/* And they go with it. */
	now_ns += WIRE_NS;
	ck_assert_int_eq(put(&b, SHORT, now_ns), now_ns);
	ck_assert_int_eq(put(&b, LONG, now_ns + 1), now_ns + RX_BULK_STEP_NS);
}
END_TEST

/* Whatever comes when: never in the past, never later than a long step. */
START_TEST(it_is_told_in_time)
{
	struct rx_bulk b = {0};
	uint64_t random = 1;
	int64_t now_ns = start_ns;

	for (int i = 0; i < 20000; i++) {
		random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
		now_ns += (int64_t)(random >> 33) % (RX_BULK_STEP_NS << (random >> 32 & 3)) >>
			  (random >> 30 & 7);
		int64_t at_ns = put(&b, random >> 24 & 63 ? LONG : SHORT, now_ns);

		ck_assert_int_ge(at_ns, now_ns);
		ck_assert_int_lt(at_ns, now_ns + RX_BULK_LONG_STEP_NS);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rx_bulk");
	TCase *t = tcase_create("rx_bulk");

	tcase_add_test(t, few_frames_are_told_at_once);
	tcase_add_test(t, short_frames_are_told_at_once);
	tcase_add_test(t, slow_frames_are_told_at_once);
	tcase_add_loop_test(t, a_bulk_transfer_is_told_in_steps, 0, 3);
	tcase_add_test(t, a_short_frame_does_not_wait_for_long_ones);
	tcase_add_test(t, it_is_told_in_time);
	suite_add_tcase(s, t);
	return suite_run(s);
}
