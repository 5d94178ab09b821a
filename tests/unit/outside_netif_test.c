/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an interface of the host is asked to be is read before anything is made: these need no
 * rights. */
#include "lib/xalloc.h"
#include "outside/netif.h"
#include "tests/support/suite.h"

#include <check.h>
#include <net/if.h>
#include <string.h>

static struct arena arena;
static struct err err;

static struct words split(const char *line)
{
	struct words w;

	ck_assert_int_eq(words_split(line, strlen(line), &arena, &w, &err), 0);
	return w;
}

static void teardown(void)
{
	arena_finish(&arena);
}

static const char *const bad_interfaces[] = {
	"tap lab0 mac=+2:00:00:00:00:01",  "tap lab0 mac=2:0:0:0:0:1",
	"tap lab0 mac=02:00:00:00:00:01x", "tap lab0 mac=02:00:00:00:00:01 mtu=many",
	"tap lab0 addr=10.0.0.1/24x",      "tap lab0 addr=10.0.0.1/",
	"tap lab0 addr=10.0.0.1/+24",      "tap lab0 addr=10.0.0",
	"tap lab0 auto=fd00::1/129",
};

START_TEST(a_bad_interface_is_not_made)
{
	struct words w = split(bad_interfaces[_i]);
	struct netif n;

	ck_assert_int_eq(netif_make(&n, "vbet-no-such", &w, NETIF_OWN, -1, &err), -1);
	ck_assert_int_eq(err.kind, ERR_USAGE);
	ck_assert_ptr_eq(strstr(err.text, "vbet-no-such: "), err.text);
	ck_assert_int_eq(n.fd, -1);
	ck_assert_uint_eq(if_nametoindex("vbet-no-such"), 0);
}
END_TEST

static const char *const bad_routes[] = {
	"route 10.0.0.0/24x dev=lo",   "route 10.0.0.0/ dev=lo",         "route 10.0.0.0/33 dev=lo",
	"route fd00::/64 via=fd00::g", "route default via=10.0.0.1/+24",
};

START_TEST(a_bad_route_is_not_laid)
{
	struct words w = split(bad_routes[_i]);

	ck_assert_int_eq(netif_set_route(&w, true, -1, &err), -1);
	ck_assert_int_eq(err.kind, ERR_USAGE);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("outside_netif");
	TCase *t = tcase_create("netif");

	tcase_add_checked_fixture(t, NULL, teardown);
	tcase_add_loop_test(t, a_bad_interface_is_not_made, 0, (int)ARRAY_LEN(bad_interfaces));
	tcase_add_loop_test(t, a_bad_route_is_not_laid, 0, (int)ARRAY_LEN(bad_routes));
	suite_add_tcase(s, t);
	return suite_run(s);
}
