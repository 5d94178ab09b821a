/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which lines of their configurations FRR's daemons did not take, by their logs. */
#include "vkernel/init/frr.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
	const char *daemon;
	bool is_borrowed;
	const char *log, *refused; /* NULL: nothing */
} cases[] = {
	{"ospfd", false, "", NULL},
	{"ospfd", false, "2026/11/29 06:00:00 OSPF: [T1] starting\n", NULL},
	{"ospfd", false,
	 "2026/11/29 06:00:00 OSPF: [T1][EC 1] % Unknown command on config line 3: frobnicate "
	 "all\n",
	 "/etc/frr/ospfd.conf:3: ospfd does not take: frobnicate all"},
	{"zebra", false, "ZEBRA: [EC 1] Command returned Incomplete on config line 7: ip address",
	 "/etc/frr/zebra.conf:7: zebra does not take: ip address"},
	{"zebra", false, "ZEBRA: [EC 1] Command returned Warning on config line 7: ip address\n",
	 NULL},
	{"bgpd", false,
	 "BGP: Command returned Warning on config line 1: a\nBGP: x on config line 2: b\nBGP: y on "
	 "config line 3: c\n",
	 "/etc/frr/bgpd.conf:2: bgpd does not take: b"},
	/* Routes are staticd's, in whichever file they stand. */
	{"zebra", false, "ZEBRA: x on config line 2: ip route 10.0.0.0/8 10.1.1.1\n", NULL},
	{"staticd", true, "STATIC: x on config line 2: ip route 10.0.0.0/8 nowhere at all\n",
	 "/etc/frr/zebra.conf:2: staticd does not take: ip route 10.0.0.0/8 nowhere at all"},
	{"staticd", true, "STATIC: x on config line 2: router-id 10.0.0.1\n", NULL},
	{"staticd", false, "STATIC: x on config line 2: router-id 10.0.0.1\n",
	 "/etc/frr/staticd.conf:2: staticd does not take: router-id 10.0.0.1"},
	{"ospfd", false, "OSPF: ends in the midst on config line 4", NULL},
};

START_TEST(the_first_line_that_is_refused_is_named)
{
	char buf[256] = "";
	bool found = frr_scan_log(cases[_i].daemon, cases[_i].is_borrowed, cases[_i].log,
				  strlen(cases[_i].log), buf, sizeof(buf));

	ck_assert_str_eq(found ? buf : "nothing",
			 cases[_i].refused ? cases[_i].refused : "nothing");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("frr");
	TCase *tc = tcase_create("frr");

	tcase_add_loop_test(tc, the_first_line_that_is_refused_is_named, 0, ARRAY_LEN(cases));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
