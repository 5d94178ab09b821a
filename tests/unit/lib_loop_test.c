/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/container_of.h"
#include "lib/loop.h"
#include "lib/sock.h"
#include "tests/support/suite.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct loop *loop;

static void setup(void)
{
	loop = loop_create(NULL);
	ck_assert_ptr_nonnull(loop);
}

static void teardown(void)
{
	loop_destroy(loop);
}

static void run_for_ms(int64_t ms)
{
	int64_t end = clock_monotonic_ns() + ms * 1000000;

	do
		ck_assert_int_eq(loop_turn(loop, end, NULL), 0);
	while (clock_monotonic_ns() < end);
}

struct door {
	struct loop_watch watch;
	int accepted, error;
	unsigned n_calls;
};

static void on_visitor(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct door *d = container_of(w, struct door, watch);

	d->n_calls++;
	d->accepted = loop_accept(loop, w);
	d->error = errno;
}

static int fill_descriptors(int *fds, int max)
{
	int n = 0;

	while (n < max && (fds[n] = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0)
		n++;
	return n;
}

/* It is asked ten times a second instead of as often as the processor can. */
START_TEST(a_full_process_lets_visitors_wait)
{
	char path[64];
	int fds[64] = {0}, pair = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct door d = {.watch.ready = on_visitor, .accepted = -1};

	snprintf(path, sizeof(path), "/tmp/loop-test.%d", (int)getpid());
	d.watch.fd = sock_listen(path, SOCK_STREAM, NULL);
	ck_assert_int_ge(d.watch.fd, 0);
	ck_assert_int_eq(loop_add(loop, &d.watch, EPOLLIN, NULL), 0);
	int client = sock_connect(path, SOCK_STREAM, NULL);

	ck_assert_int_ge(client, 0);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){40, 40}), 0);
	int n = fill_descriptors(fds, 64);

	ck_assert_int_lt(n, 64);
	run_for_ms(350);
	ck_assert_int_eq(d.error, EMFILE);
	ck_assert_uint_le(d.n_calls, 4);

	close(fds[--n]);
	while (d.accepted < 0)
		run_for_ms(10);
	close(d.accepted);
	while (n)
		close(fds[--n]);
	loop_remove(loop, &d.watch);
	close(d.watch.fd);
	close(client);
	close(pair);
	unlink(path);
}
END_TEST

static void no_visitor(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	ck_abort_msg("a watch that was removed is told");
}

static void forget_the_other(struct loop_watch *w, uint32_t events, int64_t now_ns)
{
	struct loop_watch *pair = w;

	/* Whichever comes first: the other's event is in the same batch. */
	loop_remove(loop, &pair[0]);
	loop_remove(loop, &pair[1]);
}

START_TEST(what_is_removed_is_not_told)
{
	int ends[2];
	struct loop_watch watches[2] = {{.ready = forget_the_other}, {.ready = no_visitor}};

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(sock_write_all(ends[1], "x", 1), 0);
	watches[0].fd = ends[0];
	watches[1].fd = dup(ends[0]);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(loop_add(loop, &watches[i], EPOLLIN, NULL), 0);
	run_for_ms(1);
	ck_assert_uint_eq(watches[0].slot, 0);
	close(watches[1].fd);
	close(ends[0]);
	close(ends[1]);
}
END_TEST

static struct order {
	struct loop_timer timer;
	int at;
} timers[20];
static int n_fired;

static void on_time(struct loop_timer *t, int64_t now_ns)
{
	container_of(t, struct order, timer)->at = n_fired++;
}

START_TEST(timers_fire_in_the_order_of_their_times)
{
	int64_t now = clock_monotonic_ns();

	for (int i = 0; i < 20; i++) {
		timers[i] = (struct order){.timer.fire = on_time, .at = -1};
		loop_set_timer(loop, &timers[i].timer, now + i * 7 % 20 * 1000000);
	}
	loop_cancel_timer(loop, &timers[10].timer);
	while (n_fired < 19)
		run_for_ms(1);
	run_for_ms(20);
	ck_assert_int_eq(n_fired, 19);
	ck_assert_int_eq(timers[10].at, -1);
	for (int i = 0; i < 20; i++)
		for (int j = 0; j < 20 && i != 10; j++)
			if (j != 10 && i * 7 % 20 < j * 7 % 20)
				ck_assert_int_lt(timers[i].at, timers[j].at);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("loop");
	TCase *tc = tcase_create("loop");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_full_process_lets_visitors_wait);
	tcase_add_test(tc, what_is_removed_is_not_told);
	tcase_add_test(tc, timers_fire_in_the_order_of_their_times);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
