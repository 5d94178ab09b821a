/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/console_log.h"
#include "tests/support/suite.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 64 };

static char path[64];
static int log_fd; /* as the guest and its launcher have it */
static int read_fd;
static unsigned printed; /* lines */

static void setup(void)
{
	strcpy(path, "/tmp/console-log.XXXXXX");
	close(mkstemp(path));
	log_fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	read_fd = open(path, O_RDONLY | O_CLOEXEC);
	printed = 0;
}

static void teardown(void)
{
	close(log_fd);
	close(read_fd);
	unlink(path);
}

static void print_lines(unsigned n)
{
	static char buf[LINE * 16384 + 1];

	while (n) {
		unsigned now = n < 16384 ? n : 16384;

		for (unsigned i = 0; i < now; i++)
			snprintf(buf + (size_t)i * LINE, LINE + 1, "%*u\n", LINE - 1, printed++);
		ck_assert_int_eq(write(log_fd, buf, (size_t)now * LINE), (ssize_t)now * LINE);
		n -= now;
	}
}

/* Reads on: the first line, and how many. */
static unsigned read_lines(int64_t *at, int64_t *lost, unsigned *first)
{
	static char buf[65536];
	unsigned n = 0;
	long got;

	while ((got = console_log_read(read_fd, at, buf, sizeof(buf), lost)) > 0) {
		ck_assert_int_eq(got % LINE, 0);
		if (!n)
			*first = (unsigned)strtoul(buf, NULL, 10);
		n += (unsigned)(got / LINE);
	}
	return n;
}

START_TEST(a_short_log_is_whole)
{
	int64_t at = 0;
	int64_t lost = 0;
	unsigned first;

	print_lines(1000);
	console_log_trim(log_fd);
	ck_assert_uint_eq(read_lines(&at, &lost, &first), 1000);
	ck_assert_uint_eq(first, 0);
	print_lines(10);
	ck_assert_uint_eq(read_lines(&at, &lost, &first), 10);
	ck_assert_uint_eq(first, 1000);
	ck_assert_int_eq(lost, 0);
}
END_TEST

/* What is read depends on what was printed, not on when it was trimmed; and is counted. */
START_TEST(a_long_log_keeps_its_end)
{
	const unsigned all = 5 * CONSOLE_LOG_KEPT / LINE + 7;
	const unsigned kept = CONSOLE_LOG_KEPT / LINE;
	int64_t at = 0;
	int64_t lost = 0;
	unsigned first = 0;
	struct stat st;

	for (unsigned i = 0; i < 5; i++) {
		print_lines(all / 5);
		if (_i)
			console_log_trim(log_fd);
	}
	print_lines(all - printed);
	ck_assert_uint_eq(read_lines(&at, &lost, &first), kept);
	ck_assert_uint_eq(first, all - kept);
	ck_assert_int_eq(lost, (int64_t)(all - kept) * LINE);
	console_log_trim(log_fd);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_le(st.st_blocks * 512, CONSOLE_LOG_KEPT + (2 << 20));
	print_lines(3);
	ck_assert_uint_eq(read_lines(&at, &lost, &first), 3);
	ck_assert_uint_eq(first, all);
}
END_TEST

START_TEST(a_tail_is_of_whole_lines)
{
	char *tail = console_log_tail("/nonexistent", 100, 9);

	ck_assert_str_eq(tail, "");
	free(tail);
	print_lines(3);
	tail = console_log_tail(path, 10 * LINE, 99);
	ck_assert_uint_eq(strlen(tail), 3 * LINE - 1);
	free(tail);
	print_lines(500);
	tail = console_log_tail(path, 10 * LINE, 99);
	ck_assert_uint_eq(strlen(tail), 9 * LINE - 1);
	ck_assert_uint_eq(strtoul(tail, NULL, 10), 494);
	free(tail);
	tail = console_log_tail(path, 10 * LINE, 2);
	ck_assert_uint_eq(strlen(tail), 2 * LINE - 1);
	ck_assert_uint_eq(strtoul(tail, NULL, 10), 501);
	free(tail);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("console log");
	TCase *tc = tcase_create("console log");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_short_log_is_whole);
	tcase_add_loop_test(tc, a_long_log_keeps_its_end, 0, 2);
	tcase_add_test(tc, a_tail_is_of_whole_lines);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
