/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a guest's kernel is told to stand still by; the kernel is the test. */
#include "lib/sock.h"
#include "tests/support/suite.h"
#include "vbet-server/lab/freezer.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ACK = 0, REQUEST = 2, WAIT = 3, RUN = 6, FREEZE = 10, RESUME = 11, FREEZE_SHARE = 12 };

struct message {
	uint32_t op, seq;
	uint64_t value;
};

static char dir[] = "/tmp/vbet-freezer-XXXXXX", path[64];
static struct loop *loop;
static struct freezer freezer;
static unsigned changes;
static int kernel;

static void changed(struct freezer *f)
{
	changes++;
}

static void turn(void)
{
	struct err e;

	ck_assert_int_eq(loop_turn(loop, loop_now_ns(loop) + 1000000000, &e), 0);
}

static void say(uint32_t op, uint32_t seq, int64_t value)
{
	struct message m = {op, seq, (uint64_t)value};

	ck_assert_int_eq(send(kernel, &m, sizeof(m), 0), sizeof(m));
	turn();
}

/* -1: nothing was said. */
static int heard(struct message *m, int *fd)
{
	size_t n;
	int fds[1] = {-1};
	ssize_t len = sock_recv_fds(kernel, m, sizeof(*m), fds, 1, &n, MSG_DONTWAIT);

	if (fd)
		*fd = fds[0];
	return len == sizeof(*m) ? (int)m->op : -1;
}

static void setup(void)
{
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/freeze", dir);
	loop = loop_create(&e);
	freezer = (struct freezer){0};
	changes = 0;
	freezer_init(&freezer, changed);
	ck_assert_int_eq(freezer_listen(&freezer, loop, path, &e), 0);
	ck_assert_int_eq(freezer.state, FREEZER_ABSENT);
	kernel = sock_connect(path, SOCK_STREAM, &e);
	turn();
	ck_assert_int_eq(freezer.state, FREEZER_RUNS);
}

static void teardown(void)
{
	freezer_close(&freezer);
	loop_destroy(loop);
	close(kernel);
	unlink(path);
	rmdir(dir);
}

static uint32_t freeze_how(bool shares)
{
	int file = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct message m;
	struct err e;
	int fd;

	ck_assert_int_eq(freezer_freeze(&freezer, file, shares, 12345, &e), 0);
	close(file);
	ck_assert_int_eq(heard(&m, &fd), shares ? FREEZE_SHARE : FREEZE);
	ck_assert_int_ge(fd, 0);
	ck_assert_uint_eq(m.value, 12345);
	close(fd);
	return m.seq;
}

static uint32_t freeze(void)
{
	return freeze_how(false);
}

START_TEST(it_says_for_how_long_it_is_idle)
{
	struct message m;
	uint32_t seq = freeze();

	say(REQUEST, seq + 1, 5000);
	ck_assert_int_eq(freezer.idle_ns, 0);
	say(REQUEST, seq, 7000);
	ck_assert_int_eq(freezer.idle_ns, 7000);
	say(ACK, seq, 4096);
	say(REQUEST, seq, 9000);
	ck_assert_int_eq(freezer.idle_ns, 7000);
	/* The next time it has to say so again; for ever is long enough, and can be added to. */
	freezer_run(&freezer, 0);
	ck_assert_int_eq(heard(&m, NULL), RUN);
	seq = freeze_how(true);
	ck_assert_int_eq(freezer.idle_ns, 0);
	say(REQUEST, seq, -1);
	ck_assert_int_eq(freezer.idle_ns, INT64_C(1) << 60);
}
END_TEST

START_TEST(it_stands_until_it_is_told_to_run)
{
	struct message m;
	uint32_t seq = freeze();

	ck_assert_int_eq(freezer.state, FREEZER_ASKED);
	say(ACK, seq, 4096);
	ck_assert_int_eq(freezer.state, FREEZER_STANDS);
	ck_assert_int_eq(freezer.error, 0);
	ck_assert_int_eq(heard(&m, NULL), -1);
	freezer_run(&freezer, 99);
	ck_assert_int_eq(heard(&m, NULL), RUN);
	ck_assert_uint_eq(m.value, 99);
	ck_assert_int_eq(freezer.state, FREEZER_RUNS);
	say(ACK, freeze(), -ENOSPC);
	ck_assert_int_eq(freezer.state, FREEZER_STANDS);
	ck_assert_int_eq(freezer.error, ENOSPC);
}
END_TEST

/* A kernel that has not come so far would not hear it. */
START_TEST(who_has_not_answered_runs_when_he_does)
{
	struct message m;
	uint32_t seq = freeze();

	freezer_run(&freezer, 1);
	ck_assert_int_eq(heard(&m, NULL), -1);
	say(ACK, seq, 4096);
	ck_assert_int_eq(heard(&m, NULL), RUN);
	ck_assert_int_eq(freezer.state, FREEZER_RUNS);
}
END_TEST

START_TEST(who_was_restored_waits)
{
	struct message m;

	say(RESUME, 7, 0);
	ck_assert_int_eq(heard(&m, NULL), ACK);
	ck_assert_uint_eq(m.seq, 7);
	say(WAIT, 0, -1);
	ck_assert_int_eq(freezer.state, FREEZER_WAITS);
	freezer_run(&freezer, 1);
	ck_assert_int_eq(heard(&m, NULL), RUN);
}
END_TEST

START_TEST(what_comes_at_the_wrong_time_is_not_heard)
{
	uint32_t seq;

	say(ACK, 0, 4096);
	say(77, 1, 1);
	ck_assert_int_eq(freezer.state, FREEZER_RUNS);
	seq = freeze();
	say(ACK, seq + 1, 4096);
	say(WAIT, 0, 0);
	ck_assert_int_eq(freezer.state, FREEZER_ASKED);
	/* Nobody else is the kernel, and one that has gone is. */
	ck_assert_int_lt(sock_connect(path, SOCK_STREAM, &(struct err){0}), 0);
	changes = 0;
	close(kernel);
	turn();
	ck_assert_int_eq(freezer.state, FREEZER_ABSENT);
	ck_assert_uint_eq(changes, 1);
	kernel = -1;
}
END_TEST

START_TEST(lies_are_errors)
{
	static const int64_t lies[] = {0, INT64_MIN, -(INT64_C(1) << 32), -4096};

	for (size_t i = 0; i < sizeof(lies) / sizeof(*lies); i++) {
		say(ACK, freeze(), lies[i]);
		ck_assert_int_eq(freezer.state, FREEZER_STANDS);
		ck_assert_int_eq(freezer.error, EPROTO);
		/* The second answer to the same question. */
		changes = 0;
		say(ACK, freezer.seq, 4096);
		ck_assert_uint_eq(changes, 0);
		struct message m;

		freezer_run(&freezer, 1);
		ck_assert_int_eq(heard(&m, NULL), RUN);
	}
}
END_TEST

/* Who does not read what he asks for is not answered without end. */
START_TEST(who_resumes_without_end_is_answered_once)
{
	struct message m;

	for (uint32_t i = 0; i < 20000; i++)
		say(RESUME, i, 0);
	ck_assert_uint_eq(conn_pending(&freezer.conn), 0);
	ck_assert_int_eq(heard(&m, NULL), ACK);
	ck_assert_int_eq(heard(&m, NULL), -1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("freezer");
	TCase *t = tcase_create("freezer");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, it_says_for_how_long_it_is_idle);
	tcase_add_test(t, it_stands_until_it_is_told_to_run);
	tcase_add_test(t, who_has_not_answered_runs_when_he_does);
	tcase_add_test(t, who_was_restored_waits);
	tcase_add_test(t, what_comes_at_the_wrong_time_is_not_heard);
	tcase_add_test(t, lies_are_errors);
	tcase_add_test(t, who_resumes_without_end_is_answered_once);
	suite_add_tcase(s, t);
	return suite_run(s);
}
