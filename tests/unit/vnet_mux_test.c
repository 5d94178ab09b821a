/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The multiplexer as a process, with a control daemon for each of two vNets
 * (tests/support/vnet_daemon.c). The test is the lab: it listens where the NICs are.
 */
#include "tests/unit/mux_help.h"

START_TEST(frames_reach_their_endpoint_and_nobody_else)
{
	int a = app_of(0);
	int b = app_of(0);
	int other = app_of(1);
	int seven = bind_app(a, "bind 7");
	int eight = bind_app(b, "bind 8");
	int blue = bind_app(other, "bind 7");

	send(wire[0], frame(9, 7, 42), 60, 0);
	send(wire[0], frame(9, 8, 43), 60, 0);
	send(wire[0], frame(9, 99, 1), 60, 0);
	ck_assert_int_eq(next_from(seven), 42);
	ck_assert_int_eq(next_from(eight), 43);
	wait_status(0, "\"nobody\":1");
	/* The same number in another vNet is another's. */
	ck_assert(!readable(seven, 0) && !readable(eight, 0) && !readable(blue, 0));
	send(wire[1], frame(9, 7, 44), 60, 0);
	ck_assert_int_eq(next_from(blue), 44);
	ck_assert(!readable(seven, 50));
}
END_TEST

START_TEST(who_masquerades_is_not_heard)
{
	int app = app_of(0);
	int seven = bind_app(app, "bind 7");
	uint8_t got[100];

	ck_assert_int_eq(vnet_endpoint_send(seven, 0, frame(1, 8, 66), 60),
			 0); /* as another's endpoint */
	ck_assert_int_eq(vnet_endpoint_send(seven, 0, frame(5, 8, 7), 60),
			 0); /* as another's NIC */
	ck_assert_int_eq(vnet_endpoint_send(seven, 3, frame(1, 8, 7), 60),
			 0); /* by a NIC that is not there */
	ck_assert_int_eq(send(seven, "x", 1, 0), 1);
	ck_assert_int_eq(vnet_endpoint_send(seven, 0, frame(1, 8, 7), 60), 0);
	ck_assert_int_eq(recv(wire[0], got, sizeof(got), 0), 60);
	ck_assert_int_eq(got[15], 7);
	ck_assert_int_eq(got[11], 1);
	wait_status(0, "\"no-nic\":1");
	ck_assert_ptr_nonnull(strstr(said, "\"source\":1,\"filter\":1"));
	ck_assert(!readable(wire[0], 0) && !readable(wire[1], 0));
}
END_TEST

START_TEST(a_taken_name_is_refused_until_it_is_given_back)
{
	int a = app_of(1);
	int b = app_of(1);
	int seven = bind_app(a, "bind 7");

	ck_assert_int_eq(ask(b, "bind 7"), -1);
	ck_assert_str_eq(said, "taken");
	send(wire[1], frame(9, 7, 42), 60, 0);
	ck_assert_int_eq(next_from(seven), 42);
	close(seven);
	wait_status(1, "\"bindings\":[]");
	seven = bind_app(b, "bind 7");
	send(wire[1], frame(9, 7, 43), 60, 0);
	ck_assert_int_eq(next_from(seven), 43);
	ask(a, "unbind 7");
	char byte;

	ck_assert(readable(seven, 10000));
	ck_assert_int_eq(recv(seven, &byte, 1, 0), 0);
}
END_TEST

START_TEST(a_second_program_at_the_nic_gets_nothing)
{
	struct vnet_nic *spy;
	uint8_t f[100];
	int app = app_of(0);
	int seven = bind_app(app, "bind 7");

	/* The lab's NIC takes one client; this test's wire stopped listening altogether. */
	spy = vnet_nic_open(&conf[0], "eth0");
	ck_assert_ptr_null(spy);
	send(wire[0], frame(9, 7, 42), 60, 0);
	ck_assert_int_eq(next_from(seven), 42);
	ck_assert_int_eq(vnet_endpoint_receive(seven, &(unsigned){0}, f, sizeof(f)), -1);
	ck_assert_int_eq(errno, EAGAIN);
}
END_TEST

START_TEST(a_bad_filter_harms_nobody)
{
	int app = app_of(0);

	ask(app, "filter ether[");
	ck_assert_ptr_nonnull(strstr(said, "in: filter 'ether['"));
	ask(app, "filter ether[0] = 2");
	ck_assert_str_eq(said, "ok");
	bind_app(app, "bind 7");
}
END_TEST

START_TEST(one_that_does_not_read_harms_nobody)
{
	int app = app_of(0);
	int slow = bind_app(app, "bind 7");
	int eight = bind_app(app, "bind 8");

	for (int i = 0; i < 20000; i++)
		send(wire[0], frame(9, 7, 42), 60, 0);
	send(wire[0], frame(9, 8, 43), 60, 0);
	ck_assert_int_eq(next_from(eight), 43);
	ck_assert_ptr_null(strstr(status_of(0), "\"id\":7,\"priority\":5,\"in_frames\":20000"));
	ck_assert_ptr_nonnull(strstr(said, "\"full\":"));
	ck_assert_int_eq(next_from(slow), 42);
}
END_TEST

START_TEST(carrier_and_mtu_are_told)
{
	static const uint8_t down[] = {0, 1, 0, 0, 0x05, 0x78};
	static const uint8_t up[] = {0, 1, 1, 0, 0x23, 0x28};
	int app = app_of(0);
	int seven = bind_app(app, "bind 7");

	ask(app, "nics");
	ck_assert_str_eq(said, "eth0 1500 up;");
	send(wire[0], down, sizeof(down), 0);
	wait_status(0, "\"carrier\":false,\"mtu\":1400");
	ask(app, "nics");
	ck_assert_str_eq(said, "eth0 1400 down;");
	vnet_endpoint_send(seven, 0, frame(1, 8, 7), 60);
	wait_status(0, "\"link\":1");
	ck_assert(!readable(wire[0], 0));
	send(wire[0], up, sizeof(up), 0);
	wait_status(0, "\"carrier\":true,\"mtu\":9000");
}
END_TEST

START_TEST(tables_are_read_only)
{
	int app = app_of(0);
	int fd = ask(app, "table");
	struct vnet_table *t = vnet_table_open(dup(fd));
	char got[64];

	ck_assert_msg(t != NULL, "%s", vnet_error());
	ask(app, "publish");
	ask(app, "publish");
	ck_assert_int_eq(vnet_table_read(t, got, sizeof(got), NULL), 7);
	ck_assert_str_eq(got, "text 2");
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_test(tc, frames_reach_their_endpoint_and_nobody_else);
	tcase_add_test(tc, who_masquerades_is_not_heard);
	tcase_add_test(tc, a_taken_name_is_refused_until_it_is_given_back);
	tcase_add_test(tc, a_second_program_at_the_nic_gets_nothing);
	tcase_add_test(tc, a_bad_filter_harms_nobody);
	tcase_add_test(tc, one_that_does_not_read_harms_nobody);
	tcase_add_test(tc, carrier_and_mtu_are_told);
	tcase_add_test(tc, tables_are_read_only);
}

int main(void)
{
	return run_mux_suite("vnet mux", add_tests);
}
