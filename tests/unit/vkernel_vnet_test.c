/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vkernel/init/vnet.h"

#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void note(void *ctx, const struct err *e)
{
	char *text = ctx;

	size_t len = strlen(text);

	snprintf(text + len, 1024 - len, "%s\n", e->text);
}

/* What is wrong of the lines, into `wrong` (1024 bytes). */
static struct conf read_conf(const char *text, char *wrong)
{
	struct conf c = {0};

	*wrong = '\0';
	conf_add_text(&c, text, strlen(text), note, wrong);
	return c;
}

static const char two[] = "vnet red\nvnet blue\n";

START_TEST(lines_say_in_which_vnet_something_is)
{
	char wrong[1024];
	struct conf c =
		read_conf("vnet red\nvnet blue\nnic eth0 vnet=blue\nnic eth1\n"
			  "route default via=10.0.0.1 vnet=red\nroute default via=10.0.0.1\n"
			  "run true vnet=blue may_fail=1\nrun vnet=red\n"
			  "service d vnet=red -- d vnet=blue\n",
			  wrong);

	ck_assert_str_eq(wrong, "");
	ck_assert_uint_eq(c.vnets.n, 2);
	ck_assert_uint_ne(c.vnets.at[0].table, c.vnets.at[1].table);
	ck_assert_str_eq(c.nics.at[0].vnet, "blue");
	ck_assert_ptr_null(c.nics.at[1].vnet);
	ck_assert_uint_eq(c.routes.at[0].table, c.vnets.at[0].table);
	ck_assert_uint_eq(c.routes.at[1].table, 0);
	ck_assert_str_eq(c.runs.at[0].vnet, "blue");
	ck_assert(c.runs.at[0].may_fail);
	ck_assert_str_eq(c.runs.at[1].command, "vnet=red");
	ck_assert_ptr_null(c.runs.at[1].vnet);
	ck_assert_str_eq(c.services.at[0].vnet, "red");
	conf_finish(&c);
}
END_TEST

START_TEST(a_vnet_that_is_not_there_is_told)
{
	char wrong[1024];
	struct conf c = read_conf("vnet red\nvnet red\nnic eth0 vnet=blue\nrun true vnet=blue\n"
				  "vnet longer-than-15-letters\nvnet a/b\n",
				  wrong);

	ck_assert_ptr_nonnull(strstr(wrong, "init.conf:2"));
	ck_assert_ptr_nonnull(strstr(wrong, "init.conf:3"));
	ck_assert_ptr_nonnull(strstr(wrong, "init.conf:4"));
	ck_assert_ptr_nonnull(strstr(wrong, "init.conf:5"));
	ck_assert_ptr_nonnull(strstr(wrong, "init.conf:6"));
	ck_assert_uint_eq(c.vnets.n, 1);
	ck_assert_uint_eq(c.nics.n + c.runs.n, 0);
	conf_finish(&c);
}
END_TEST

static void has_hosts(const char *text, const char *vnet, const char *wanted)
{
	char wrong[1024];
	struct conf c = read_conf(two, wrong);
	char *got = vnet_hosts(text, &c, vnet);

	ck_assert_str_eq(got, wanted);
	free(got);
	conf_finish(&c);
}

START_TEST(names_are_those_of_the_vnet)
{
	static const char text[] = "127.0.0.1 localhost\n"
				   "10.0.0.2 h2\n10.0.0.2 h2.red\n10.0.0.3 h2.blue\n"
				   "10.0.0.4 b\n10.0.0.4 b.blue\nfd00::4 b\nfd00::4 b.blue\n"
				   "10.0.0.5 plain\n";

	has_hosts(text, "red", "127.0.0.1 localhost\n10.0.0.2 h2.red h2\n10.0.0.5 plain\n");
	has_hosts(text, "blue",
		  "127.0.0.1 localhost\n10.0.0.3 h2.blue h2\n10.0.0.4 b.blue b\n"
		  "fd00::4 b.blue b\n10.0.0.5 plain\n");
}
END_TEST

START_TEST(lines_of_others_stay)
{
	has_hosts("", "red", "");
	has_hosts("\n# 10.0.0.2 x.red\n10.0.0.9 www.example.org www\n10.0.0.8 odd.\n.red\nmine",
		  "red",
		  "\n# 10.0.0.2 x.red\n10.0.0.9 www.example.org www\n10.0.0.8 odd.\n.red\n"
		  "mine\n");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vkernel_vnet");
	TCase *t = tcase_create("vnet");

	tcase_add_test(t, lines_say_in_which_vnet_something_is);
	tcase_add_test(t, a_vnet_that_is_not_there_is_told);
	tcase_add_test(t, names_are_those_of_the_vnet);
	tcase_add_test(t, lines_of_others_stay);
	suite_add_tcase(s, t);
	return suite_run(s);
}
