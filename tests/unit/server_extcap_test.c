/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/support/suite.h"
#include "vbet-server/command/extcap.h"

#include <check.h>
#include <stdlib.h>

START_TEST(test_names)
{
	struct extcap_nic n;
	struct err e = {0};

	ck_assert_int_eq(extcap_parse_nic("vbet.hello.host1.eth0", &n, &e), 0);
	ck_assert_str_eq(n.lab, "hello");
	ck_assert_str_eq(n.nic, "host1:eth0");
	ck_assert_int_eq(extcap_parse_nic("vbet.l-1.www.example.1", &n, &e), 0);
	ck_assert_str_eq(n.lab, "l-1");
	ck_assert_str_eq(n.nic, "www.example:1");
}
END_TEST

START_TEST(test_bad_names)
{
	static const char *const bad[] = {"",        "vbet",      "vbet.",     "vbet.a",
					  "vbet.a.", "vbet.a.b",  "vbet.a.b.", "vbet..b.c",
					  "eth0",    "vbet.a..c", "xbet.a.b.c"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct extcap_nic n;
		struct err e = {0};

		ck_assert_msg(extcap_parse_nic(bad[i], &n, &e) < 0, "'%s'", bad[i]);
	}
	ck_assert(extcap_is_meant("/usr/bin/vbet-extcap"));
	ck_assert(extcap_is_meant("vbet-extcap"));
	ck_assert(!extcap_is_meant("/usr/bin/vbet"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("extcap");
	TCase *t = tcase_create("all");

	tcase_add_test(t, test_names);
	tcase_add_test(t, test_bad_names);
	suite_add_tcase(s, t);
	return suite_run(s);
}
