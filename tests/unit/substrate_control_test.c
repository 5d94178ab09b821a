/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lines of the control: what is not what a command is for is refused by its kind. */
#include "substrate/control/control.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct device_kind *const kinds[] = {NULL};
static struct loop *loop;
static struct substrate *sub;
static struct err e;

static int run(const char *line)
{
	char *answer = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&answer, &len);

	e = (struct err){0};
	int rc = control_run_line(sub, line, strlen(line), f, &e);

	fclose(f);
	free(answer);
	return rc;
}

static void setup(void)
{
	loop = loop_create(&e);
	sub = substrate_create(loop, kinds);
	ck_assert_int_eq(run("snode n"), 0);
	ck_assert_int_eq(run("vif v n vnet=red"), 0);
}

static void teardown(void)
{
	substrate_destroy(sub);
	loop_destroy(loop);
}

static const struct {
	const char *line, *says;
} wrong[] = {
	{"reset n", "'n' is a snode, not a cable"},
	{"reset v", "'v' is a vif, not a cable"},
	{"carrier n down", "'n' is a snode, not a cable"},
	{"cable c n v", "'n' is a snode"},
	{"far f n key=x", "'n' is a snode"},
	{"port p n 1", "'n' is a snode"},
	{"capture c n file=x", "'n' is a snode"},
	{"set n mtu=5",
	 "only measure=, idle=, raise_above= and lower_below= can be set on a snode"},
	{"set n raise_above=79%", "raise_above=79% is out of range"},
	{"set n idle=5", "idle"},
	{"snode m measure=0s", "measure=0s is out of range"},
	{"set v mtu=5", "nothing can be set on a vif"},
	{"vif w v vnet=red", "'v'"},
	{"reset", "usage: reset"},
	{"reset x", "there is no 'x'"},
};

START_TEST(the_kind_of_an_object_is_looked_at)
{
	ck_assert_int_eq(run(wrong[_i].line), -1);
	ck_assert_int_eq(e.kind, ERR_USAGE);
	ck_assert_msg(strstr(e.text, wrong[_i].says) != NULL, "%s", e.text);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("substrate control");
	TCase *tc = tcase_create("control");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, the_kind_of_an_object_is_looked_at, 0, (int)ARRAY_LEN(wrong));
	suite_add_tcase(s, tc);
	return suite_run(s);
}
