/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vkernel/init/conf.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct conf conf;
static struct err last;
static int n_bad;

static void on_bad(void *ctx, const struct err *e)
{
	last = *e;
	n_bad++;
}

static void load(const char *text)
{
	n_bad = 0;
	conf_add_text(&conf, text, strlen(text), on_bad, NULL);
}

static void teardown(void)
{
	conf_finish(&conf);
}

START_TEST(a_whole_file_is_read)
{
	load("hostname r1\n"
	     "# a comment\n\n"
	     "root image\n"
	     "nic eth0 mac=02:00:00:00:00:0a mtu=1400\n"
	     "nic eth1 mac=02:00:00:00:00:0b mtu=1500 up=0\n"
	     "addr eth0 10.0.0.1/24\n"
	     "addr eth0 fd00::1/64\n"
	     "host h2 10.0.0.2\n"
	     "sysctl net.ipv4.ping_group_range \"0 2147483647\"\n"
	     "file /etc/frr/zebra.conf mode=0640 owner=110:111 \"a\\nb\\n\"\n"
	     "file /root/x mode=0644 owner=0:0 base64=1 AGEA\n"
	     "file /root/y mode=0644 base64=1\n"
	     "dir /run/frr mode=0755 owner=110:110\n"
	     "route default via=10.0.0.254 metric=7\n"
	     "service zebra ready=/run/z after=a,b env.X=y restart=1 -- /usr/lib/frr/zebra -d\n"
	     "service httpd may_fail=1 -- /bin/httpd\n"
	     "run \"echo hello\"\n"
	     "run \"echo may_fail=1\"\n"
	     "run false may_fail=1\n"
	     "shell /bin/zsh");
	ck_assert_int_eq(n_bad, 0);
	ck_assert_str_eq(conf.hostname, "r1");
	ck_assert(conf.root == CONF_ROOT_IMAGE);
	ck_assert_uint_eq(conf.nics.n, 2);
	ck_assert_uint_eq(conf.nics.at[0].mtu, 1400);
	ck_assert_uint_eq(conf.nics.at[0].mac[5], 10);
	ck_assert_uint_eq(conf.nics.at[0].addrs.n, 2);
	ck_assert(!conf.nics.at[0].down);
	ck_assert(conf.nics.at[1].down);
	ck_assert_str_eq(conf.sysctls.at[0].value, "0 2147483647");
	ck_assert_str_eq(conf.files.at[0].text, "a\nb\n");
	ck_assert_uint_eq(conf.files.at[1].len, 3);
	ck_assert_int_eq(memcmp(conf.files.at[1].text, "\0a\0", 3), 0);
	ck_assert_str_eq(conf.files.at[2].text, "base64=1");
	ck_assert_uint_eq(conf.files.at[0].mode, 0640);
	ck_assert_uint_eq(conf.files.at[0].gid, 111);
	ck_assert_uint_eq(conf.dirs.at[0].uid, 110);
	ck_assert_int_eq(conf.routes.at[0].dest.family, AF_INET);
	ck_assert_uint_eq(conf.routes.at[0].metric, 7);
	ck_assert_str_eq(conf.services.at[0].argv[1], "-d");
	ck_assert_ptr_null(conf.services.at[0].argv[2]);
	ck_assert_str_eq(conf.services.at[0].env[0], "X=y");
	ck_assert_str_eq(conf.services.at[0].after, "a,b");
	ck_assert(conf.services.at[0].restart);
	ck_assert(!conf.services.at[0].may_fail && conf.services.at[1].may_fail);
	ck_assert_str_eq(conf.runs.at[0].command, "echo hello");
	ck_assert_str_eq(conf.runs.at[1].command, "echo may_fail=1");
	ck_assert(!conf.runs.at[1].may_fail && conf.runs.at[2].may_fail);
	ck_assert_str_eq(conf.shell, "/bin/zsh");
}
END_TEST

START_TEST(a_bad_line_is_told_and_the_rest_is_read)
{
	static const char *const bad[] = {
		"nonsense 1",
		"nic",
		"nic aVeryLongNameOfANic mac=02:00:00:00:00:01",
		"nic a/b",
		"nic e mac=02:00:00:00:00",
		"nic e mac=02:00:00:00:00:gg",
		"nic e mac=+2:00:00:00:00:01",
		"nic e mac=2:0:0:0:0:1",
		"nic e \"mac= 2:00:00:00:00:01\"",
		"nic e mtu=many",
		"addr nobody 10.0.0.1/24",
		"file relative mode=0644 owner=0:0 x",
		"file /x mode=9 owner=0:0 x",
		"file /x owner=me x",
		"file /x mode=0644 base64=1 A",
		"route 10.0.0.0/33 dev=e",
		"route 10.0.0.0/+8 dev=e",
		"route 10.0.0.0/08 dev=e",
		"route 10.0.0.0/8 via=fd00::1",
		"route fd00::/64x",
		"service s ready=/x",
		"service s --",
		"root elsewhere",
		"run \"unclosed",
	};
	char text[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(text, sizeof(text), "hostname a\n%s\nhostname b\n", bad[i]);
		load(text);
		ck_assert_msg(n_bad == 1, "%s: %d", bad[i], n_bad);
		ck_assert_ptr_eq(strstr(last.text, "init.conf:2: "), last.text);
		ck_assert_str_eq(conf.hostname, "b");
		teardown();
	}
}
END_TEST

START_TEST(addresses_and_prefixes)
{
	load("nic e addr=10.1.2.3/8 addr=fd00::1\n"
	     "route 10.1.2.3 via=10.0.0.1\n"
	     "nic f addr=10.1.2.3/\n"
	     "nic g addr=10.1.2/8\n"
	     "nic h addr=\n");
	ck_assert_int_eq(n_bad, 3);
	ck_assert_uint_eq(conf.nics.n, 1);
	const struct addr *ip = conf.nics.at[0].addrs.at;

	ck_assert_uint_eq(ip[0].prefix, 8);
	ck_assert_uint_eq(ip[0].bytes[3], 3);
	ck_assert_uint_eq(ip[1].prefix, 128);
	ck_assert_int_eq(ip[1].family, AF_INET6);
	ck_assert_uint_eq(conf.routes.at[0].dest.prefix, 32);
}
END_TEST

START_TEST(a_nic_of_the_same_name_replaces_the_first)
{
	load("nic eth0 mac=02:00:00:00:00:01 mtu=1500\naddr eth0 10.0.0.1/24\n"
	     "nic eth0 mac=02:00:00:00:00:02 addr=10.0.0.2/24 addr=fd00::2/64\n");
	ck_assert_uint_eq(conf.nics.n, 1);
	ck_assert_uint_eq(conf.nics.at[0].mac[5], 2);
	ck_assert_uint_eq(conf.nics.at[0].addrs.n, 2);
	ck_assert_uint_eq(conf.nics.at[0].addrs.at[0].bytes[3], 2);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vkernel_conf");
	TCase *t = tcase_create("conf");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_test(t, a_whole_file_is_read);
	tcase_add_test(t, a_bad_line_is_told_and_the_rest_is_read);
	tcase_add_test(t, addresses_and_prefixes);
	tcase_add_test(t, a_nic_of_the_same_name_replaces_the_first);
	suite_add_tcase(s, t);
	return suite_run(s);
}
