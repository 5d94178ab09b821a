/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The control daemon's side of a multiplexer, which is the test itself. */
#include "tests/support/suite.h"
#include "vnet/vnet_priv.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int mux;
static struct vnet_control *control;

static void say(const char *text)
{
	ck_assert_int_eq(send(mux, text, strlen(text), 0), strlen(text));
}

static bool ready(void)
{
	struct pollfd p = {.fd = vnet_control_fd(control), .events = POLLIN};

	return poll(&p, 1, 0) == 1;
}

static void setup(void)
{
	say("vnet red");
	control = vnet_control_open();
	ck_assert_ptr_nonnull(control);
}

static void teardown(void)
{
	vnet_control_close(control);
}

START_TEST(what_comes_is_seen_at_the_descriptor)
{
	struct vnet_event ev;

	ck_assert(!ready());
	say("closed 7");
	ck_assert(ready());
	ck_assert_int_eq(vnet_control_next(control, &ev), 1);
	ck_assert_int_eq(ev.kind, VNET_EVENT_CLOSED);
	ck_assert_uint_eq(ev.id, 7);
	ck_assert_int_eq(vnet_control_next(control, &ev), 0);
	ck_assert(!ready());
}
END_TEST

/* The answer to a binding is behind two events: a loop that waits for the descriptor must not
 * sleep. */
START_TEST(what_came_before_an_answer_is_seen_at_the_descriptor)
{
	struct vnet_binding b = {.id = 9, .in = "ether[0] = 1", .out = ""};
	struct vnet_event ev;

	say("nic 1 eth1 mac=02:00:00:00:00:01 mtu=1500 carrier=0");
	say("closed 7");
	say("bound 9");
	int fd = vnet_control_bind(control, &b);

	ck_assert_int_ge(fd, 0);
	ck_assert(ready());
	ck_assert_int_eq(vnet_control_next(control, &ev), 1);
	ck_assert_int_eq(ev.kind, VNET_EVENT_NIC);
	ck_assert_uint_eq(ev.nic.index, 1);
	ck_assert(!ev.nic.carrier);
	ck_assert(ready());
	ck_assert_int_eq(vnet_control_next(control, &ev), 1);
	ck_assert_uint_eq(ev.id, 7);
	ck_assert(!ready());
	close(fd);
}
END_TEST

START_TEST(a_refusal_says_why_and_keeps_what_came_before_it)
{
	struct vnet_binding b = {.id = 9, .in = "nonsense", .out = ""};
	struct vnet_event ev;

	say("closed 7");
	say("refused 9 \"syntax error\"");
	ck_assert_int_eq(vnet_control_bind(control, &b), -1);
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_nonnull(strstr(vnet_error(), "syntax error"));
	ck_assert(ready());
	ck_assert_int_eq(vnet_control_next(control, &ev), 1);
	ck_assert(!ready());
}
END_TEST

START_TEST(an_end_that_belongs_to_what_was_unbound_wakes_nobody)
{
	struct vnet_binding b = {.id = 9, .in = "", .out = ""};
	struct vnet_event ev;

	say("closed 7");
	say("bound 9");
	int fd = vnet_control_bind(control, &b);

	vnet_control_unbind(control, 7);
	ck_assert(!ready());
	ck_assert_int_eq(vnet_control_next(control, &ev), 0);
	close(fd);
}
END_TEST

START_TEST(the_multiplexers_end_is_seen)
{
	struct vnet_event ev;

	shutdown(mux, SHUT_RDWR);
	ck_assert(ready());
	ck_assert_int_eq(vnet_control_next(control, &ev), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_comes_is_seen_at_the_descriptor);
	tcase_add_test(tc, what_came_before_an_answer_is_seen_at_the_descriptor);
	tcase_add_test(tc, a_refusal_says_why_and_keeps_what_came_before_it);
	tcase_add_test(tc, an_end_that_belongs_to_what_was_unbound_wakes_nobody);
	tcase_add_test(tc, the_multiplexers_end_is_seen);
}

/* One pair for a test's process: its descriptors have fixed numbers, and libcheck opens its own
 * after this. */
int main(void)
{
	int pair[2];
	int listener = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	if (listener < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) < 0 ||
	    (mux = fcntl(pair[1], F_DUPFD, 10)) < 0)
		return 1;
	int daemon = fcntl(pair[0], F_DUPFD, 10);

	listener = fcntl(listener, F_DUPFD, 10);
	if (dup2(daemon, VNET_FD_MUX) < 0 || dup2(listener, VNET_FD_LISTENER) < 0)
		return 1;
	close(daemon);
	setenv("VNET_INSTANCE", "1", 1);
	return suite_run_case("vnet_control", add);
}
