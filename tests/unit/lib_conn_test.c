/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/conn.h"
#include "lib/container_of.h"
#include "lib/sock.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Two connections; the other ends are the test's. */
static struct loop *loop;
static struct side {
	struct conn conn;
	int other;
	unsigned n_lines, n_closed;
	bool closes;  /* at its first line */
	bool is_busy; /* takes none */
} sides[2];
static unsigned most_ahead; /* lines that one had heard when the other heard its first */

static size_t on_data(struct conn *c, const char *data, size_t len)
{
	struct side *s = container_of(c, struct side, conn);
	const char *end = memchr(data, '\n', len);

	if (!end || s->is_busy)
		return 0;
	if (!s->n_lines++ && s == &sides[1])
		most_ahead = sides[0].n_lines;
	if (s->closes) {
		conn_printf(c, "bye");
		conn_close_later(c);
	}
	return (size_t)(end - data) + 1;
}

static void on_close(struct conn *c)
{
	container_of(c, struct side, conn)->n_closed++;
}

static void setup(void)
{
	struct err e;
	int pair[2];

	loop = loop_create(&e);
	most_ahead = 0;
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
		sides[i] = (struct side){.conn = {.on_data = on_data, .on_close = on_close},
					 .other = pair[0]};
		ck_assert_int_eq(conn_open(&sides[i].conn, loop, pair[1], &e), 0);
	}
}

static void teardown(void)
{
	for (int i = 0; i < 2; i++) {
		conn_finish(&sides[i].conn);
		close(sides[i].other);
	}
	loop_destroy(loop);
}

static void send_lines(int side, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(sock_write_all(sides[side].other, "x\n", 2), 0);
}

static void turn(void)
{
	struct err e;

	ck_assert_int_eq(loop_turn(loop, clock_monotonic_ns() + 20000000, &e), 0);
}

START_TEST(who_says_much_does_not_keep_others_waiting)
{
	char lines[20000];

	memset(lines, '\n', sizeof(lines));
	ck_assert_int_eq(sock_write_all(sides[0].other, lines, sizeof(lines)), 0);
	send_lines(1, 1);
	for (int i = 0; i < 2000 && sides[0].n_lines < sizeof(lines); i++)
		turn();
	ck_assert_uint_eq(sides[0].n_lines, sizeof(lines));
	ck_assert_uint_eq(sides[1].n_lines, 1);
	ck_assert_uint_le(most_ahead, 256);
}
END_TEST

/* Also what comes when nothing of the earlier is left. */
START_TEST(who_has_said_much_is_heard_again)
{
	char lines[300];

	memset(lines, '\n', sizeof(lines));
	ck_assert_int_eq(sock_write_all(sides[0].other, lines, sizeof(lines)), 0);
	for (int i = 0; i < 10; i++)
		turn();
	ck_assert_uint_eq(sides[0].n_lines, 300);
	send_lines(0, 1);
	turn();
	ck_assert_uint_eq(sides[0].n_lines, 301);
}
END_TEST

/* All of it, also what an earlier turn has left. */
START_TEST(a_poll_hears_all)
{
	char lines[20000];

	memset(lines, '\n', sizeof(lines));
	ck_assert_int_eq(sock_write_all(sides[0].other, lines, sizeof(lines)), 0);
	turn();
	ck_assert_uint_lt(sides[0].n_lines, sizeof(lines));
	conn_poll(&sides[0].conn);
	ck_assert_uint_eq(sides[0].n_lines, sizeof(lines));
}
END_TEST

/* What had come before is heard. */
START_TEST(who_has_gone_is_heard_to_the_end)
{
	char lines[5000];

	memset(lines, '\n', sizeof(lines));
	ck_assert_int_eq(sock_write_all(sides[0].other, lines, sizeof(lines)), 0);
	shutdown(sides[0].other, SHUT_RDWR);
	for (int i = 0; i < 500 && !sides[0].n_closed; i++)
		turn();
	ck_assert_uint_eq(sides[0].n_lines, sizeof(lines));
	ck_assert_uint_eq(sides[0].n_closed, 1);
}
END_TEST

/* A handler that did not want it then may want it now. */
START_TEST(what_was_left_is_offered_when_asked)
{
	sides[0].is_busy = true;
	send_lines(0, 3);
	turn();
	turn();
	ck_assert_uint_eq(sides[0].n_lines, 0);
	sides[0].is_busy = false;
	conn_offer(&sides[0].conn);
	ck_assert_uint_eq(sides[0].n_lines, 0);
	turn();
	ck_assert_uint_eq(sides[0].n_lines, 3);
}
END_TEST

START_TEST(a_handler_may_close)
{
	char got[8] = "";

	sides[0].closes = true;
	send_lines(0, 3);
	for (int i = 0; i < 100 && !sides[0].n_closed; i++)
		turn();
	ck_assert_uint_eq(sides[0].n_lines, 1);
	ck_assert_uint_eq(sides[0].n_closed, 1);
	ck_assert_int_eq(recv(sides[0].other, got, sizeof(got), 0), 3);
	ck_assert_str_eq(got, "bye");
}
END_TEST

START_TEST(a_line_without_an_end_ends_the_connection)
{
	char text[2000];

	memset(text, 'x', sizeof(text));
	sides[0].conn.in_max = 1000;
	ck_assert_int_eq(sock_write_all(sides[0].other, text, 900), 0);
	turn();
	ck_assert_uint_eq(sides[0].n_closed, 0);
	ck_assert_int_eq(sock_write_all(sides[0].other, text, 200), 0);
	turn();
	ck_assert_uint_eq(sides[0].n_closed, 1);
	/* Many short ones do not, however much they are together. */
	sides[1].conn.in_max = 1000;
	memset(text, '\n', sizeof(text));
	for (int i = 0; i < 10; i++)
		ck_assert_int_eq(sock_write_all(sides[1].other, text, sizeof(text)), 0);
	for (int i = 0; i < 1000 && sides[1].n_lines < 20000; i++)
		turn();
	ck_assert_uint_eq(sides[1].n_lines, 20000);
	ck_assert_uint_eq(sides[1].n_closed, 0);
}
END_TEST

/* As in a process that was restored: other descriptors, the same bytes. */
START_TEST(what_waits_goes_on_elsewhere)
{
	int64_t then_ns = clock_monotonic_ns() - 1000000000000;
	char got[16] = "";
	struct err e;
	int pair[2];

	/* Half a line has come, and half an answer has gone. */
	ck_assert_int_eq(sock_write_all(sides[0].other, "ha", 2), 0);
	turn();
	close(sides[0].conn.watch.fd);
	close(sides[1].conn.watch.fd);
	close(sides[0].other);
	conn_hold(&sides[0].conn);
	conn_printf(&sides[0].conn, "an");
	ck_assert_int_eq(loop_thaw(loop, then_ns, &e), 0);
	ck_assert_int_lt(clock_monotonic_ns() - then_ns, 500000000000);
	conn_forget(&sides[1].conn);
	ck_assert(!conn_is_open(&sides[1].conn));
	conn_printf(&sides[0].conn, "swer");
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	sides[0].other = pair[0];
	ck_assert_int_eq(conn_thaw(&sides[0].conn, loop, pair[1], &e), 0);
	turn();
	ck_assert_int_eq(recv(sides[0].other, got, sizeof(got), MSG_DONTWAIT), 6);
	ck_assert_mem_eq(got, "answer", 6);
	ck_assert_int_eq(sock_write_all(sides[0].other, "lf\n", 3), 0);
	turn();
	ck_assert_uint_eq(sides[0].n_lines, 1);
	ck_assert_uint_eq(sides[0].conn.in_len, 0);
	ck_assert_uint_eq(sides[0].n_closed, 0);
}
END_TEST

START_TEST(what_is_corked_waits)
{
	char got[16];

	conn_printf(&sides[0].conn, "a");
	conn_cork(&sides[0].conn, true);
	conn_printf(&sides[0].conn, "b");
	ck_assert_int_eq(sock_write_all(sides[0].other, "line\n", 5), 0);
	turn();
	/* It hears all the same. */
	ck_assert_uint_eq(sides[0].n_lines, 1);
	ck_assert_int_eq(recv(sides[0].other, got, sizeof(got), MSG_DONTWAIT), 1);
	conn_close_later(&sides[0].conn);
	conn_cork(&sides[0].conn, false);
	turn();
	ck_assert_int_eq(recv(sides[0].other, got, sizeof(got), MSG_DONTWAIT), 1);
	ck_assert_int_eq(got[0], 'b');
	ck_assert_uint_eq(sides[0].n_closed, 1);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("conn");
	TCase *tc = tcase_create("conn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, who_says_much_does_not_keep_others_waiting);
	tcase_add_test(tc, who_has_said_much_is_heard_again);
	tcase_add_test(tc, a_poll_hears_all);
	tcase_add_test(tc, who_has_gone_is_heard_to_the_end);
	tcase_add_test(tc, what_was_left_is_offered_when_asked);
	tcase_add_test(tc, a_handler_may_close);
	tcase_add_test(tc, what_waits_goes_on_elsewhere);
	tcase_add_test(tc, what_is_corked_waits);
	tcase_add_test(tc, a_line_without_an_end_ends_the_connection);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
