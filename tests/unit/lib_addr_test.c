/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/addr.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct addr parse(const char *text)
{
	struct addr a;
	struct err e = {0};

	ck_assert_msg(addr_parse(text, strlen(text), &a, &e) == 0, "%s: %s", text, e.text);
	return a;
}

static const char *format(const struct addr *a)
{
	static char buf[64];

	return addr_format(a, a->prefix != ADDR_NO_PREFIX, buf, sizeof(buf));
}

static const struct {
	const char *text, *printed;
} good[] = {
	{"10.0.0.1", "10.0.0.1"},
	{"10.0.0.1/24", "10.0.0.1/24"},
	{"0.0.0.0/0", "0.0.0.0/0"},
	{"255.255.255.255/32", "255.255.255.255/32"},
	{"fd00::1/64", "fd00::1/64"},
	{"FD00:0:0::1", "fd00::1"},
	{"::/0", "::/0"},
	{"::ffff:10.0.0.1", "::ffff:10.0.0.1"},
};

START_TEST(good_addresses)
{
	struct addr a = parse(good[_i].text);

	ck_assert_str_eq(format(&a), good[_i].printed);
}
END_TEST

static const struct {
	const char *text, *reason;
} bad[] = {
	{"", "not an IPv4"},
	{"10.0.0", "four numbers"},
	{"10.0.0.1.2", "four numbers"},
	{"10.0.0.256", "more than 255"},
	{"10.0.0.1/33", "only 32 bits"},
	{"10.0.0.1/", "not a prefix"},
	{"10.0.0.1/2x", "not a prefix"},
	{"10.0.0.1/024", "not a prefix"},
	{"10.0.0.1/+24", "not a prefix"},
	{"10.0.0.1/ 24", "not a prefix"},
	{"10.0.0.1/-1", "not a prefix"},
	{"10.0.0.1/24/24", "not a prefix"},
	{"10.0.0.01", "not an IPv4"},
	{" 10.0.0.1", "not an IPv4"},
	{"10.0.0.1 ", "not an IPv4"},
	{"fd00::1/64x", "not a prefix"},
	{"fd00::1%eth0", "not an IPv6"},
	{"/24", "not an IPv4"},
	{"fd00::/129", "only 128 bits"},
	{"fd00::1::2", "not an IPv6"},
	{"hello", "not an IPv4"},
	{"10.0.0.1/99999999999999999999", "prefix"},
	{"1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc:dddd:eeee:ffff", "address"},
};

START_TEST(bad_addresses)
{
	struct addr a;
	struct err e = {0};

	ck_assert_int_eq(addr_parse(bad[_i].text, strlen(bad[_i].text), &a, &e), -1);
	ck_assert_msg(strstr(e.text, bad[_i].reason) != NULL, "%s", e.text);
}
END_TEST

static const struct {
	const char *from;
	int64_t add;
	const char *to; /* NULL: refused */
} sums[] = {
	{"10.0.0.0/24", 1, "10.0.0.1/24"},
	{"10.0.0.0/24", 255, "10.0.0.255/24"},
	{"10.0.0.0/24", 256, NULL},
	{"10.0.0.5/24", -5, "10.0.0.0/24"},
	{"10.0.0.5/24", -6, NULL},
	{"10.0.0.255", 1, "10.0.1.0"},
	{"255.255.255.255", 1, NULL},
	{"0.0.0.0", -1, NULL},
	{"fd00::ffff:ffff:ffff:ffff/64", 1, NULL},
	{"fd00::/64", INT64_MAX, "fd00::7fff:ffff:ffff:ffff/64"},
	{"fd00::/64", INT64_MIN, NULL},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 1, NULL},
};

START_TEST(sums_stay_in_the_network)
{
	struct addr a = parse(sums[_i].from);
	int rc = addr_add(&a, sums[_i].add);

	ck_assert_int_eq(rc, sums[_i].to ? 0 : -1);
	if (sums[_i].to)
		ck_assert_str_eq(format(&a), sums[_i].to);
}
END_TEST

START_TEST(shifted_sums)
{
	struct addr a = parse("10.0.0.0/8");

	ck_assert_int_eq(addr_add_shifted(&a, 257, 8), 0);
	ck_assert_str_eq(format(&a), "10.1.1.0/8");
	ck_assert_int_eq(addr_add_shifted(&a, 1, 32), -1);
	ck_assert_int_eq(addr_add_shifted(&a, 0, 32), 0);
	ck_assert_int_eq(addr_add_shifted(&a, UINT64_MAX, 0), -1);
	a = parse("fd00::/48");
	ck_assert_int_eq(addr_add_shifted(&a, 3, 64), 0);
	ck_assert_str_eq(format(&a), "fd00:0:0:3::/48");
	ck_assert_int_eq(addr_add_shifted(&a, 1, 127), -1);
}
END_TEST

START_TEST(networks)
{
	struct addr a = parse("10.1.2.3/20");
	struct addr net = addr_network(&a);

	ck_assert_str_eq(format(&net), "10.1.0.0/20");
	ck_assert(addr_has_host_bits(&a) && !addr_has_host_bits(&net));
	struct addr in = parse("10.1.15.255");
	struct addr out = parse("10.1.16.0");
	struct addr six = parse("fd00::1");

	ck_assert(addr_in_net(&in, &a) && !addr_in_net(&out, &a) && !addr_in_net(&six, &a));
	struct addr all = parse("0.0.0.0/0");
	struct addr part = parse("10.1.8.0/24");
	struct addr apart = parse("10.2.0.0/16");

	ck_assert(addr_nets_overlap(&a, &part) && addr_nets_overlap(&part, &a));
	ck_assert(addr_nets_overlap(&all, &apart) && !addr_nets_overlap(&a, &apart));
	struct addr last = parse("10.1.15.255/20");

	ck_assert(addr_is_last(&last) && !addr_is_last(&a));
	struct addr host = parse("10.0.0.1/32");

	ck_assert(!addr_has_host_bits(&host) && addr_is_last(&host));
}
END_TEST

static const struct {
	const char *text;
	bool ok;
} for_nics[] = {
	{"10.0.0.1/24", true},  {"10.0.0.0/24", false},  {"10.0.0.255/24", false},
	{"10.0.0.0/31", true},  {"10.0.0.1/32", true},   {"10.0.0.1", false},
	{"127.0.0.1/8", false}, {"224.0.0.1/24", false}, {"255.255.255.255/32", false},
	{"fd00::1/64", true},   {"fd00::/64", false},    {"fd00::/128", true},
	{"ff02::1/64", false},  {"::/64", false},        {"fe80::1/64", true},
	{"10.0.0.1/0", false},
};

START_TEST(what_a_nic_can_have)
{
	struct addr a = parse(for_nics[_i].text);
	struct err e = {0};

	ck_assert_int_eq(addr_check_for_nic(&a, &e), for_nics[_i].ok ? 0 : -1);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
} macs[] = {
	{"02:00:00:00:00:01", true},     {"00:1a:2B:3c:4D:5e", true},
	{"01:00:00:00:00:01", false},    {"ff:ff:ff:ff:ff:ff", false},
	{"00:00:00:00:00:00", false},    {"02:00:00:00:00", false},
	{"02:00:00:00:00:01:", false},   {"02-00-00-00-00-01", false},
	{"02:00:00:00:00:01:02", false}, {"", false},
	{"2:0:0:0:0:1", false},          {"02:00:00:00:00:0g", false},
	{" 2: 0:00:00:00:01", false},    {"+2:00:00:00:00:01", false},
	{"-2:00:00:00:00:01", false},    {"0x:00:00:00:00:01", false},
	{"02:00:00:00:00:01 ", false},   {"02:00:00:00:00:010", false},
	{"02:00:00:00:00:+1", false},    {"020:0:00:00:00:01", false},
};

START_TEST(macs_are_unicast)
{
	uint8_t mac[6];
	char text[18];
	struct err e = {0};
	int rc = addr_parse_mac(macs[_i].text, strlen(macs[_i].text), mac, &e);

	ck_assert_int_eq(rc, macs[_i].ok ? 0 : -1);
	if (macs[_i].ok)
		ck_assert_int_eq(
			strcasecmp(addr_format_mac(mac, text, sizeof(text)), macs[_i].text), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("lib_addr");
	TCase *tc = tcase_create("addr");

	tcase_add_loop_test(tc, good_addresses, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tc, bad_addresses, 0, (int)ARRAY_LEN(bad));
	tcase_add_loop_test(tc, sums_stay_in_the_network, 0, (int)ARRAY_LEN(sums));
	tcase_add_test(tc, shifted_sums);
	tcase_add_test(tc, networks);
	tcase_add_loop_test(tc, what_a_nic_can_have, 0, (int)ARRAY_LEN(for_nics));
	tcase_add_loop_test(tc, macs_are_unicast, 0, (int)ARRAY_LEN(macs));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
