/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server is told of addresses, and for which NICs a sysctl holds. */
#include "vkernel/init/told.h"

#include "tests/support/suite.h"
#include "vkernel/init/sysctl.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static char said[8192];
static struct told told;

static void keep(const char *nic, const struct addr *addr, const char *what)
{
	char text[80];
	size_t len = strlen(said);

	snprintf(said + len, sizeof(said) - len, "%s %s %s;", nic,
		 addr_format(addr, true, text, sizeof(text)), what);
}

static void see(const char *nic, const char *text)
{
	struct addr a;

	ck_assert_int_eq(addr_parse(text, strlen(text), &a, NULL), 0);
	told_see(&told, nic, &a, keep);
}

static void set_up(void)
{
	said[0] = '\0';
}

static void tear_down(void)
{
	told_finish(&told);
}

START_TEST(only_changes_are_told)
{
	told_begin(&told);
	see("eth0", "10.0.0.2/24");
	see("eth0", "2001:db8::2/64");
	told_end(&told, keep);
	ck_assert_str_eq(said, "eth0 10.0.0.2/24 come;eth0 2001:db8::2/64 come;");
	said[0] = '\0';
	told_begin(&told);
	see("eth0", "2001:db8::2/64");
	see("eth0", "10.0.0.2/24");
	told_end(&told, keep);
	ck_assert_str_eq(said, "");
	/* Another length is another address, and so is the same one elsewhere. */
	told_begin(&told);
	see("eth0", "10.0.0.2/25");
	see("lo", "10.0.0.2/24");
	told_end(&told, keep);
	ck_assert_str_eq(said, "eth0 10.0.0.2/25 come;lo 10.0.0.2/24 come;"
			       "eth0 10.0.0.2/24 gone;eth0 2001:db8::2/64 gone;");
}
END_TEST

START_TEST(there_is_a_bound)
{
	told_begin(&told);
	for (int i = 0; i < TOLD_MAX + 10; i++) {
		char text[32];

		snprintf(text, sizeof(text), "10.0.%d.1/24", i);
		see("eth0", text);
	}
	told_end(&told, keep);
	ck_assert_uint_eq(told.at.n, TOLD_MAX);
	ck_assert_ptr_nonnull(strstr(said, "10.0.63.1"));
	ck_assert_ptr_null(strstr(said, "10.0.64.1"));
}
END_TEST

static const struct {
	const char *key, *nic, *want;
} keys[] = {
	{"net.ipv6.conf.all.accept_ra", "eth0", "net/ipv6/conf/eth0/accept_ra"},
	{"net.ipv4.conf.default.rp_filter", "eth1", "net/ipv4/conf/eth1/rp_filter"},
	{"net/ipv6/conf/all/accept_ra", "eth0.10", "net/ipv6/conf/eth0.10/accept_ra"},
	{"net.ipv6.conf.eth0.accept_ra", "eth0", NULL},
	{"net.ipv4.neigh.default.gc_thresh1", "eth0", NULL},
	{"net.ipv4.ip_forward", "eth0", NULL},
	{"net.ipv6.conf.all", "eth0", NULL},
	{"net.ipv6.conf.allmost.accept_ra", "eth0", NULL},
};

START_TEST(all_and_default_hold_for_every_nic)
{
	char buf[256];
	const char *got = sysctl_nic_key(keys[_i].key, keys[_i].nic, buf, sizeof(buf));

	ck_assert_msg(keys[_i].want ? got && !strcmp(got, keys[_i].want) : !got, "%s: %s",
		      keys[_i].key, got ? got : "none");
}
END_TEST

START_TEST(a_key_is_of_one_nic)
{
	ck_assert(sysctl_is_of_nic("net.ipv4.conf.eth0.rp_filter", "eth0"));
	ck_assert(sysctl_is_of_nic("net/ipv4/conf/eth0.10/rp_filter", "eth0.10"));
	ck_assert(!sysctl_is_of_nic("net.ipv4.conf.eth0.rp_filter", "eth1"));
	ck_assert(!sysctl_is_of_nic("net.ipv4.conf.eth01.rp_filter", "eth0"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("told");
	TCase *tc = tcase_create("told");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, only_changes_are_told);
	tcase_add_test(tc, there_is_a_bound);
	tcase_add_loop_test(tc, all_and_default_hold_for_every_nic, 0, ARRAY_LEN(keys));
	tcase_add_test(tc, a_key_is_of_one_nic);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
