/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What asks all stations for an IPv4 address, and what only looks like it. */
#include "substrate/nic/arp_question.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

enum { LEN = 42 };

static const uint8_t request[LEN] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0,  1, 8, 6,
				     0,    1,    8,    0,    6,    4,    0, 1, 2, 0, 0,  0, 0, 1,
				     10,   0,    0,    1,    0,    0,    0, 0, 0, 0, 10, 0, 0, 7};

START_TEST(a_question_is_read)
{
	struct arp_question q;

	ck_assert(arp_question_read(request, LEN, &q));
	ck_assert_mem_eq(q.asker, "\012\0\0\001", 4);
	ck_assert_mem_eq(q.asked, "\012\0\0\007", 4);
}
END_TEST

/* To one station, of another type, an answer, other lengths of addresses, cut short. */
START_TEST(all_else_is_none)
{
	static const struct {
		unsigned at;
		uint8_t value;
	} changes[] = {{0, 2}, {12, 0x81}, {13, 0}, {15, 6}, {16, 9}, {18, 8}, {19, 16}, {21, 2}};
	uint8_t frame[LEN];
	struct arp_question q;

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		memcpy(frame, request, LEN);
		frame[changes[i].at] = changes[i].value;
		ck_assert_msg(!arp_question_read(frame, LEN, &q), "octet %u", changes[i].at);
	}
	for (size_t len = 0; len < LEN; len++)
		ck_assert(!arp_question_read(request, len, &q));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("arp_question");
	TCase *t = tcase_create("arp_question");

	tcase_add_test(t, a_question_is_read);
	tcase_add_test(t, all_else_is_none);
	suite_add_tcase(s, t);
	return suite_run(s);
}
