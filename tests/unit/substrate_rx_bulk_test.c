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
		int64_t now_ns = start_ns + burst * RX_BULK_GAP_NS * 2;

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

START_TEST(a_bulk_transfer_is_told_in_steps)
{
	struct rx_bulk b = {0};
	int64_t now_ns = start_ns, told_ns = 0, last_ns = 0;
	int n = 0;

	for (int i = 0; i < 1000; i++, now_ns += WIRE_NS) {
		int64_t at_ns = put(&b, LONG, now_ns);

		ck_assert_int_ge(at_ns, now_ns);
		ck_assert_int_lt(at_ns, now_ns + RX_BULK_GAP_NS);
		if (at_ns != told_ns)
			n++;
		/* After the first few, never sooner than a step later. */
		if (at_ns != told_ns && i > RX_BULK_RUN)
			ck_assert_int_eq(at_ns - told_ns, RX_BULK_GAP_NS);
		told_ns = at_ns;
		last_ns = now_ns;
	}
	ck_assert_int_le(n, (last_ns - start_ns) / RX_BULK_GAP_NS + RX_BULK_RUN + 2);
	/* Something short does not wait for the rest, and the rest goes with it. */
	now_ns = told_ns - 1000;
	ck_assert_int_eq(put(&b, SHORT, now_ns), now_ns);
	ck_assert_int_eq(put(&b, LONG, now_ns + 1), now_ns + RX_BULK_GAP_NS);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("rx_bulk");
	TCase *t = tcase_create("rx_bulk");

	tcase_add_test(t, few_frames_are_told_at_once);
	tcase_add_test(t, short_frames_are_told_at_once);
	tcase_add_test(t, slow_frames_are_told_at_once);
	tcase_add_test(t, a_bulk_transfer_is_told_in_steps);
	suite_add_tcase(s, t);
	return suite_run(s);
}
