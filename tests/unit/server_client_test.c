/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a command hears from a server that ends: the same words, whenever that was. */
#include "vbet-server/command/client.h"

#include "tests/support/suite.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static char *const words[] = {"status"};

static struct session connect_pair(int *server)
{
	int fds[2];

	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*server = fds[1];
	return (struct session){.fd = fds[0]};
}

static void ck_assert_ended(const struct err *e)
{
	ck_assert_int_eq(e->kind, ERR_ENV);
	ck_assert_str_eq(e->text, "the server has ended");
}

START_TEST(before_the_request)
{
	struct err e;
	int server;
	struct session s = connect_pair(&server);

	close(server);
	ck_assert_int_lt(client_send(&s, words, 1, &e), 0);
	ck_assert_ended(&e);
	client_close(&s);
}
END_TEST

START_TEST(before_the_answer)
{
	struct err e;
	int server;
	struct session s = connect_pair(&server);

	ck_assert_int_eq(client_send(&s, words, 1, &e), 0);
	ck_assert_int_eq(send(server, "out half\n", 9, 0), 9);
	close(server);
	ck_assert_int_lt(client_answer(&s, NULL, NULL, NULL, &e), 0);
	ck_assert_ended(&e);
	client_close(&s);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_test(tc, before_the_request);
	tcase_add_test(tc, before_the_answer);
}

int main(void)
{
	return suite_run_case("client", add);
}
