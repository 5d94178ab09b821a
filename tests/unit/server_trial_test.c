/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Times are in seconds here: a check that holds from 5 s on, is over by 9 s, and so on. */
#include "vbet-server/command/trial.h"

#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const int64_t second_ns = 1000000000;

/* Tries until it is decided; what is held is a letter for each second: "..##." */
static enum trial_verdict run(struct trial *t, const char *seconds, int64_t *end_s)
{
	enum trial_verdict verdict;
	int64_t now = t->start_ns;
	int64_t next = now;

	t->pause_ns = second_ns;
	do {
		size_t i = (size_t)(now / second_ns);
		char text[2] = {i < strlen(seconds) ? seconds[i] : seconds[strlen(seconds) - 1]};

		*end_s = now / second_ns;
		verdict = trial_end_try(t, t->is_settling || *text == '#', text, now, now, &next);
		ck_assert(verdict != TRIAL_AGAIN || next > now);
		now = next;
	} while (verdict == TRIAL_AGAIN);
	trial_finish(t);
	return verdict;
}

START_TEST(once_and_within)
{
	int64_t end;
	struct trial once = trial_begin(0, 0);

	ck_assert_int_eq(run(&once, "#", &end), TRIAL_HELD);
	once = trial_begin(0, 0);
	ck_assert_int_eq(run(&once, ".#", &end), TRIAL_MISSED);
	ck_assert_int_eq(end, 0);
	struct trial within = trial_begin(2 * second_ns, 6 * second_ns);

	ck_assert_int_eq(run(&within, ".....#", &end), TRIAL_HELD);
	ck_assert_int_eq(end, 5);
	within = trial_begin(2 * second_ns, 6 * second_ns);
	ck_assert_int_eq(run(&within, ".......#", &end), TRIAL_MISSED);
	ck_assert_int_eq(end, 6); /* the last try is at the deadline */
}
END_TEST

/* What is due before the lab is ready is tried late, and counts. */
START_TEST(late)
{
	struct trial t = trial_begin(0, 0);
	int64_t next;

	ck_assert_int_eq(trial_end_try(&t, true, "", second_ns, second_ns, &next), TRIAL_HELD);
	t = trial_begin(0, 0);
	ck_assert_int_eq(trial_end_try(&t, false, "", second_ns, second_ns, &next), TRIAL_MISSED);
}
END_TEST

START_TEST(stays)
{
	int64_t end;
	struct trial t = trial_begin(0, 4 * second_ns);

	t.stays_ns = 3 * second_ns;
	ck_assert_int_eq(run(&t, "..#", &end), TRIAL_HELD);
	ck_assert_int_eq(end, 5);
	t = trial_begin(0, 4 * second_ns);
	t.stays_ns = 3 * second_ns;
	ck_assert_int_eq(run(&t, "#.....", &end), TRIAL_MISSED);
	/* It may be over once, as long as there is time. */
	t = trial_begin(0, 4 * second_ns);
	t.stays_ns = 3 * second_ns;
	ck_assert_int_eq(run(&t, "##..#", &end), TRIAL_HELD);
	ck_assert_int_eq(end, 7);
	t = trial_begin(0, 4 * second_ns);
	t.stays_ns = 3 * second_ns;
	ck_assert_int_eq(run(&t, "....##.#", &end), TRIAL_MISSED);
	ck_assert_int_eq(end, 6);
}
END_TEST

/* Letters are answers. */
START_TEST(settles)
{
	int64_t end;
	struct trial t = trial_begin(0, 5 * second_ns);

	t.stays_ns = second_ns;
	t.is_settling = true;
	ck_assert_int_eq(run(&t, "abcc", &end), TRIAL_HELD);
	ck_assert_int_eq(end, 3);
	ck_assert_int_eq(t.since_ns, 2 * second_ns);
	t = trial_begin(0, 5 * second_ns);
	t.stays_ns = second_ns;
	t.is_settling = true;
	ck_assert_int_eq(run(&t, "aa", &end), TRIAL_HELD);
	ck_assert_int_eq(t.since_ns, 0); /* it had settled before */
	t = trial_begin(0, 3 * second_ns);
	t.stays_ns = second_ns;
	t.is_settling = true;
	ck_assert_int_eq(run(&t, "abcdefg", &end), TRIAL_MISSED);
	ck_assert_int_eq(end, 4);
}
END_TEST

START_TEST(backs_off)
{
	struct trial t = trial_begin(0, 1000 * second_ns);
	int64_t next;

	t.pause_ns = second_ns / 4;
	t.backs_off = true;
	trial_end_try(&t, false, "", second_ns, second_ns, &next);
	ck_assert_int_eq(next, second_ns + second_ns / 4);
	trial_end_try(&t, false, "", 64 * second_ns, 64 * second_ns, &next);
	ck_assert_int_eq(next, 68 * second_ns);
	/* A try that took longer than the pause. */
	trial_end_try(&t, false, "", 64 * second_ns, 70 * second_ns, &next);
	ck_assert_int_eq(next, 70 * second_ns);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, once_and_within);
	tcase_add_test(tc, late);
	tcase_add_test(tc, stays);
	tcase_add_test(tc, settles);
	tcase_add_test(tc, backs_off);
}

int main(void)
{
	return suite_run_case("trial", add);
}
