/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What process 1 reads of daemons and of the kernel: where an answer ends, and what a route is. */
#include "lib/netlink.h"
#include "lib/vec.h"
#include "tests/support/suite.h"
#include "vkernel/init/vty.h"

#include <arpa/inet.h>
#include <check.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

START_TEST(an_answer_ends_with_four_octets)
{
	int status = 7;

	ck_assert_uint_eq(vty_find_end("", 0, &status), 0);
	ck_assert_uint_eq(vty_find_end("abc", 3, &status), 0);
	ck_assert_uint_eq(vty_find_end("abc\0\0\0", 6, &status), 0);
	ck_assert_int_eq(status, 7);
	ck_assert_uint_eq(vty_find_end("abc\0\0\0\0", 7, &status), 7);
	ck_assert_int_eq(status, 0);
	ck_assert_uint_eq(vty_find_end("\0\0\0\x02rest", 8, &status), 4);
	ck_assert_int_eq(status, 2);
}
END_TEST

static char seen[400];

static void note(void *ctx, const struct netlink_hop *h)
{
	char dest[80];
	char via[80] = "-";
	size_t at = strlen(seen);

	if (h->via.family)
		addr_format(&h->via, false, via, sizeof(via));
	snprintf(seen + at, sizeof(seen) - at, "%s %s %d %u %u %u\n",
		 addr_format(&h->dest, true, dest, sizeof(dest)), via, h->dev, h->protocol,
		 h->metric, h->type);
}

static struct rtmsg *begin(struct netlink_msg *m, int family, unsigned prefix)
{
	struct rtmsg *r = netlink_begin(m, RTM_NEWROUTE, 0, sizeof(*r));

	seen[0] = '\0';
	r->rtm_family = (uint8_t)family;
	r->rtm_dst_len = (uint8_t)prefix;
	r->rtm_table = RT_TABLE_MAIN;
	r->rtm_protocol = 188;
	r->rtm_type = RTN_UNICAST;
	return r;
}

static void put_addr(struct netlink_msg *m, int attr, const char *text)
{
	uint8_t bytes[16];
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;

	ck_assert_int_eq(inet_pton(family, text, bytes), 1);
	netlink_put(m, attr, bytes, family == AF_INET ? 4 : 16);
}

static void read_it(const struct netlink_msg *m)
{
	netlink_read_route((const struct nlmsghdr *)m->buf, 0, note, NULL);
}

START_TEST(a_route)
{
	struct netlink_msg m;
	struct rtmsg *r;

	begin(&m, AF_INET, 24);
	put_addr(&m, RTA_DST, "10.1.0.0");
	put_addr(&m, RTA_GATEWAY, "10.0.0.2");
	netlink_put_u32(&m, RTA_OIF, 3);
	netlink_put_u32(&m, RTA_PRIORITY, 20);
	read_it(&m);
	ck_assert_str_eq(seen, "10.1.0.0/24 10.0.0.2 3 188 20 1\n");
	/* A table of another number is not ours, nor is a clone. */
	netlink_put_u32(&m, RTA_TABLE, 10);
	seen[0] = '\0';
	read_it(&m);
	ck_assert_str_eq(seen, "");
	begin(&m, AF_INET6, 0)->rtm_flags = RTM_F_CLONED;
	read_it(&m);
	ck_assert_str_eq(seen, "");
	begin(&m, AF_INET6, 0);
	put_addr(&m, RTA_GATEWAY, "fe80::1");
	read_it(&m);
	ck_assert_str_eq(seen, "::/0 fe80::1 0 188 0 1\n");
	r = begin(&m, AF_BRIDGE, 0);
	r->rtm_protocol = 2;
	read_it(&m);
	ck_assert_str_eq(seen, "");
}
END_TEST

/* A gateway of the other family (RFC 5549). */
START_TEST(an_ipv6_gateway_of_ipv4)
{
	struct netlink_msg m;
	uint8_t via[18] = {AF_INET6, 0, 0xfe, 0x80};

	begin(&m, AF_INET, 24);
	via[17] = 9;
	put_addr(&m, RTA_DST, "10.1.0.0");
	netlink_put(&m, RTA_VIA, via, sizeof(via));
	read_it(&m);
	ck_assert_str_eq(seen, "10.1.0.0/24 fe80::9 0 188 0 1\n");
}
END_TEST

START_TEST(several_hops)
{
	struct netlink_msg m;
	struct {
		struct rtnexthop n;
		struct rtattr a;
		uint8_t via[4];
	} hops[2] = {
		{{.rtnh_len = sizeof(hops[0]), .rtnh_ifindex = 2}, {8, RTA_GATEWAY}, {10, 0, 0, 2}},
		{{.rtnh_len = sizeof(hops[0]), .rtnh_ifindex = 3}, {8, RTA_GATEWAY}, {10, 0, 3, 2}},
	};

	begin(&m, AF_INET, 24);
	put_addr(&m, RTA_DST, "10.1.0.0");
	netlink_put(&m, RTA_MULTIPATH, hops, sizeof(hops));
	read_it(&m);
	ck_assert_str_eq(seen, "10.1.0.0/24 10.0.0.2 2 188 0 1\n10.1.0.0/24 10.0.3.2 3 188 0 1\n");
	/* One that says it is longer than the rest. */
	hops[1].n.rtnh_len = 200;
	begin(&m, AF_INET, 24);
	put_addr(&m, RTA_DST, "10.1.0.0");
	netlink_put(&m, RTA_MULTIPATH, hops, sizeof(hops));
	read_it(&m);
	ck_assert_str_eq(seen, "10.1.0.0/24 10.0.0.2 2 188 0 1\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("look");
	TCase *tc = tcase_create("look");

	tcase_add_test(tc, an_answer_ends_with_four_octets);
	tcase_add_test(tc, a_route);
	tcase_add_test(tc, an_ipv6_gateway_of_ipv4);
	tcase_add_test(tc, several_hops);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
