/* SPDX-License-Identifier: GPL-3.0-or-later */
/* libvnet at the NICs of a running vsubstrate. */
#include "tests/support/suite.h"
#include "tests/support/vlab.h"
#include "vnet/vnet.h"

#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct vnet_nic *a, *b;
static uint8_t f[4000], got[4000];

static struct vnet_nic *open_nic(const char *name, uint8_t number)
{
	uint8_t mac[6] = {2, 0, 0, 0, 0, number};
	char path[100];

	snprintf(path, sizeof(path), "%s/%s", vlab_dir(), name);
	struct vnet_nic *n = vnet_nic_open_path(path, mac, 1500);

	ck_assert_msg(n != NULL, "%s", vnet_error());
	return n;
}

static void setup(void)
{
	vlab_start();
	vlab_say("nic a:eth0 seqpacket path=%s/a mac=02:00:00:00:00:01 mtu=1500", vlab_dir());
	vlab_say("nic b:eth0 seqpacket path=%s/b mac=02:00:00:00:00:02 mtu=1400", vlab_dir());
	vlab_say("cable ab a:eth0 b:eth0");
	vlab_say("start");
	a = open_nic("a", 1);
	b = open_nic("b", 2);
}

static void teardown(void)
{
	vnet_nic_close(a);
	vnet_nic_close(b);
}

/* The next message: its length; 0: carrier or MTU have changed. */
static ssize_t next(struct vnet_nic *n)
{
	struct pollfd p = {.fd = vnet_nic_fd(n), .events = POLLIN};

	ck_assert_int_eq(poll(&p, 1, 10000), 1);
	return vnet_nic_receive(n, got, sizeof(got));
}

static void skip_greeting(void)
{
	ck_assert_int_eq(next(a), 0);
	ck_assert_int_eq(next(b), 0);
}

START_TEST(frames_pass_both_ways)
{
	skip_greeting();
	for (size_t i = 0; i < 1414; i++)
		f[i] = (uint8_t)i;
	ck_assert_int_eq(vnet_nic_send(a, f, 1414), 0);
	ck_assert_int_eq(next(b), 1414);
	ck_assert_int_eq(memcmp(f, got, 1414), 0);
	ck_assert_int_eq(vnet_nic_send(b, f, 14), 0);
	ck_assert_int_eq(next(a), 14);
	ck_assert_int_eq(vnet_nic_receive(a, got, sizeof(got)), -1);
	ck_assert_int_eq(errno, EAGAIN);
	vlab_stop();
}
END_TEST

START_TEST(the_nic_says_what_it_carries)
{
	skip_greeting();
	ck_assert_uint_eq(vnet_nic_mtu(a), 1500);
	ck_assert_uint_eq(vnet_nic_mtu(b), 1400);
	ck_assert_int_eq(vnet_nic_send(b, f, 1415), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	ck_assert_int_eq(vnet_nic_send(b, f, 13), -1);
	f[12] = 0x81;
	ck_assert_int_eq(vnet_nic_send(b, f, 1418), 0);
	ck_assert_int_eq(next(a), 1418);
	f[12] = 0;
	vlab_stop();
}
END_TEST

START_TEST(the_carrier_comes_and_goes)
{
	skip_greeting();
	ck_assert(vnet_nic_carrier(a));
	vlab_say("carrier ab down");
	ck_assert_int_eq(next(a), 0);
	ck_assert(!vnet_nic_carrier(a));
	ck_assert_int_eq(vnet_nic_send(a, f, 60), -1);
	ck_assert_int_eq(errno, ENETDOWN);
	vlab_say("carrier ab up");
	ck_assert_int_eq(next(a), 0);
	ck_assert(vnet_nic_carrier(a));
	ck_assert_int_eq(next(b), 0);
	ck_assert_int_eq(next(b), 0);
	ck_assert_int_eq(vnet_nic_send(a, f, 60), 0);
	ck_assert_int_eq(next(b), 60);
	vlab_stop();
}
END_TEST

START_TEST(a_nic_without_a_cable_has_no_carrier)
{
	vlab_say("nic c:eth0 seqpacket path=%s/c mac=02:00:00:00:00:03 mtu=1500", vlab_dir());
	struct vnet_nic *c = open_nic("c", 3);

	ck_assert_int_eq(next(c), 0);
	ck_assert(!vnet_nic_carrier(c));
	vnet_nic_close(c);
	vlab_stop();
}
END_TEST

START_TEST(a_second_program_waits_until_the_first_has_gone)
{
	skip_greeting();
	struct vnet_nic *spy = open_nic("b", 2);

	ck_assert_int_eq(vnet_nic_send(a, f, 60), 0);
	ck_assert_int_eq(next(b), 60);
	ck_assert_int_eq(vnet_nic_receive(spy, got, sizeof(got)), -1);
	ck_assert_int_eq(errno, EAGAIN);
	vnet_nic_close(b);
	b = spy;
	ck_assert_int_eq(next(b), 0);
	ck_assert_int_eq(vnet_nic_send(a, f, 60), 0);
	ck_assert_int_eq(next(b), 60);
	vlab_stop();
}
END_TEST

START_TEST(the_end_of_the_lab_is_told)
{
	skip_greeting();
	ssize_t n;

	vlab_stop();
	do {
		n = next(a); /* the cable goes first, and its carrier with it */
	} while (n == 0);
	ck_assert_int_eq(n, -1);
	ck_assert_int_eq(errno, EPIPE);
	ck_assert_int_eq(vnet_nic_send(b, f, 60), -1);
	ck_assert_int_eq(errno, EPIPE);
}
END_TEST

/* The path of its virtual link may carry less than it was made for, for a time. */
START_TEST(the_mtu_changes)
{
	skip_greeting();
	vlab_say("set a:eth0 mtu=1300");
	ck_assert_int_eq(next(a), 0);
	ck_assert_uint_eq(vnet_nic_mtu(a), 1300);
	ck_assert_int_eq(vnet_nic_send(a, f, 1315), -1);
	ck_assert_int_eq(errno, EMSGSIZE);
	vlab_say("set a:eth0 mtu=1500");
	ck_assert_int_eq(next(a), 0);
	ck_assert_uint_eq(vnet_nic_mtu(a), 1500);
	ck_assert(vnet_nic_carrier(a));
	vlab_stop();
}
END_TEST

START_TEST(a_program_outside_of_a_lab_is_told_so)
{
	struct vnet_conf conf;

	vlab_stop();
	unsetenv("VNET_CONF");
	ck_assert_int_eq(vnet_conf_find(NULL, &conf), -1);
	ck_assert_ptr_nonnull(strstr(vnet_error(), "vbet exec"));
	setenv("VNET_CONF", "/nonexistent/vnet.conf", 1);
	ck_assert_int_eq(vnet_conf_find(NULL, &conf), -1);
	ck_assert_ptr_nonnull(strstr(vnet_error(), "/nonexistent/vnet.conf: No such file"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vnet NIC");
	TCase *tc = tcase_create("nic");

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, frames_pass_both_ways);
	tcase_add_test(tc, the_nic_says_what_it_carries);
	tcase_add_test(tc, the_carrier_comes_and_goes);
	tcase_add_test(tc, a_nic_without_a_cable_has_no_carrier);
	tcase_add_test(tc, a_second_program_waits_until_the_first_has_gone);
	tcase_add_test(tc, the_mtu_changes);
	tcase_add_test(tc, the_end_of_the_lab_is_told);
	tcase_add_test(tc, a_program_outside_of_a_lab_is_told_so);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
