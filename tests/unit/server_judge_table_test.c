/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables as daemons of FRR 8.4 print them. */
#include "vbet-server/plan/judge_table.h"

#include "lib/vec.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static char *said;
static size_t said_len;

static bool judge(const char *table, const char *want, const char *text)
{
	struct arena a = {0};
	struct words w;
	char line[256];

	snprintf(line, sizeof(line), "look route r1 %s", want);
	free(said);
	FILE *f = open_memstream(&said, &said_len);

	ck_assert_int_eq(words_split(line, strlen(line), &a, &w, NULL), 0);
	bool holds = judge_table_routes(judge_find_table(table), &w, text, f);

	fclose(f);
	arena_finish(&a);
	return holds;
}

static const char *command(const char *table, const char *want)
{
	struct arena a = {0};
	struct words w;

	ck_assert_int_eq(words_split(want, strlen(want), &a, &w, NULL), 0);
	const char *c = judge_table_command(judge_find_table(table), &w);

	arena_finish(&a);
	return c;
}

START_TEST(the_family_is_that_of_the_destination)
{
	ck_assert_str_eq(command("rib", "look route r1 10.0.0.0/8"), "show ip route json");
	ck_assert_str_eq(command("rib", "look route r1 fd00::/8"), "show ipv6 route json");
	ck_assert_str_eq(command("bgp", "look route r1 default"), "show bgp ipv4 unicast json");
	ck_assert_str_eq(command("bgp", "look route r1 default via=fe80::1"),
			 "show bgp ipv6 unicast json");
	ck_assert_str_eq(command("ospf6", "look route r1 default"),
			 "show ipv6 ospf6 route detail json");
	ck_assert_ptr_null(command("ospf", "look route r1 fd00::/8"));
	ck_assert_ptr_null(command("ospf6", "look route r1 10.0.0.0/8"));
	ck_assert_ptr_null(judge_find_table("isis"));
}
END_TEST

/* Two protocols have a route; one of BGP is recursive. */
START_TEST(the_rib)
{
	static const char text[] =
		"{\"10.1.0.0/24\":[{\"prefix\":\"10.1.0.0/24\",\"protocol\":\"ospf\",\"selected\":"
		"true,\"distance\":110,\"metric\":20,\"nexthops\":[{\"ip\":\"10.0.0.2\","
		"\"interfaceName\":\"eth0\",\"active\":true,\"fib\":true},{\"ip\":\"10.0.3.2\","
		"\"interfaceName\":\"eth1\",\"active\":true},{\"ip\":\"10.0.4.2\","
		"\"interfaceName\":\"eth2\"}]},{\"protocol\":\"bgp\",\"distance\":200,\"metric\":0,"
		"\"nexthops\":[{\"ip\":\"10.7.0.1\",\"active\":true,\"recursive\":true},{\"ip\":"
		"\"10.0.0.2\",\"interfaceName\":\"eth0\",\"active\":true,\"resolver\":true}]}],"
		"\"10.9.0.0/16\":[{\"protocol\":\"static\",\"selected\":true,\"metric\":0,"
		"\"nexthops\":[{\"unreachable\":true,\"active\":true}]}]}";

	ck_assert(judge("rib", "10.1.0.0/24", text));
	ck_assert(judge("rib", "10.1.0.7/24 proto=ospf metric=20 via=10.0.3.2 dev=eth1", text));
	ck_assert(judge("rib", "10.1.0.0/24 proto=bgp via=10.7.0.1 dev=eth0", text));
	ck_assert_str_eq(
		said, "r1: rib: 10.1.0.0/24 via 10.0.0.2 dev eth0 proto ospf metric 20 (selected)\n"
		      "r1: rib: 10.1.0.0/24 via 10.0.3.2 dev eth1 proto ospf metric 20 (selected)\n"
		      "r1: rib: 10.1.0.0/24 via 10.0.4.2 dev eth2 proto ospf metric 20 (selected, "
		      "inactive)\n"
		      "r1: rib: 10.1.0.0/24 via 10.7.0.1 dev eth0 proto bgp metric 0 (not "
		      "selected)\n"
		      "r1: rib: 10.1.0.0/24 via 10.0.0.2 dev eth0 proto bgp metric 0 (not "
		      "selected)\n");
	ck_assert(!judge("rib", "10.1.0.0/24 proto=rip", text));
	ck_assert(!judge("rib", "10.1.0.0/24 proto=bgp metric=20", text));
	/* A next hop that is not used is none. */
	ck_assert(!judge("rib", "10.1.0.0/24 via=10.0.4.2", text));
	/* A set is that of one protocol, and of what it says itself. */
	ck_assert(judge("rib", "10.1.0.0/24 via=10.0.3.2,10.0.0.2", text));
	ck_assert(!judge("rib", "10.1.0.0/24 via=10.0.3.2,10.0.0.2 proto=bgp", text));
	ck_assert(!judge("rib", "10.1.0.0/24 via=10.0.3.2,10.0.0.2,10.7.0.1", text));
	ck_assert(!judge("rib", "10.1.0.0/24 via=10.0.3.2,10.0.0.2,10.0.4.2", text));
	ck_assert(!judge("rib", "10.1.0.0/24 via=10.7.0.1,10.0.0.2", text));
	ck_assert(!judge("rib", "10.1.0.0/25", text));
	ck_assert_str_eq(said, "r1: rib has no route to 10.1.0.0/25\n");
	ck_assert(judge("rib", "10.9.0.0/16 proto=static", text));
	ck_assert(judge("rib", "fd00::/64 via=fe80::2 proto=ospf",
			"{\"fd00::/64\":[{\"protocol\":\"ospf6\",\"metric\":20,\"nexthops\":"
			"[{\"ip\":\"fe80::2\",\"active\":true}]}]}"));
}
END_TEST

START_TEST(ospf)
{
	static const char text[] =
		"{\"10.0.0.0/24\":{\"routeType\":\"N\",\"cost\":10,\"area\":\"0.0.0.0\","
		"\"nexthops\":[{\"ip\":\" \",\"directly attached to\":\"eth0\"}]},"
		"\"10.1.0.0/24\":{\"routeType\":\"N IA\",\"cost\":20,\"area\":\"0.0.0.0\","
		"\"nexthops\":[{\"ip\":\"10.0.0.2\",\"via\":\"eth0\"},{\"ip\":\"10.0.1.2\","
		"\"via\":\"eth1\"}]},\"192.0.2.2\":{\"routeType\":\"R \",\"cost\":10,"
		"\"nexthops\":[{\"ip\":\"10.0.0.2\",\"via\":\"eth0\"}]},"
		"\"0.0.0.0/0\":{\"routeType\":\"N E2\",\"cost\":10,\"type2cost\":20,"
		"\"nexthops\":[{\"ip\":\"10.0.0.2\",\"via\":\"eth0\"}]}}";

	ck_assert(judge("ospf", "10.0.0.0/24 dev=eth0 metric=10", text));
	ck_assert(!judge("ospf", "10.0.0.0/24 via=10.0.0.2", text));
	ck_assert_str_eq(said, "r1: ospf: 10.0.0.0/24 dev eth0 metric 10 (N)\n");
	ck_assert(judge("ospf", "10.1.0.0/24 via=10.0.1.2,10.0.0.2 metric=20", text));
	ck_assert(!judge("ospf", "10.1.0.0/24 via=10.0.1.2,10.0.0.3", text));
	ck_assert(judge("ospf", "10.1.0.0/24 via=10.0.1.2 dev=eth1", text));
	ck_assert(!judge("ospf", "10.1.0.0/24 via=10.0.1.2 dev=eth0", text));
	/* That is a router. */
	ck_assert(!judge("ospf", "192.0.2.2", text));
	ck_assert(judge("ospf", "default metric=20", text));
	ck_assert(!judge("ospf", "default metric=10", text));
}
END_TEST

START_TEST(ospf6)
{
	static const char text[] =
		"{\"routes\":{\"fd00:1::/64\":{\"isBestRoute\":false,\"destinationType\":\"N\","
		"\"pathType\":\"IA\",\"metricType\":1,\"metricCost\":20,\"metricCostE2\":0,"
		"\"nextHops\":[{\"nextHop\":\"fe80::2\",\"interfaceName\":\"eth0\"},{\"nextHop\":"
		"\"fe80::3\",\"interfaceName\":\"eth1\"}]},\"fd00:2::/64\":[{\"metricType\":2,"
		"\"metricCost\":10,\"metricCostE2\":7,\"nextHops\":[{\"nextHop\":\"::\","
		"\"interfaceName\":\"eth0\"}]}]}}";

	ck_assert(judge("ospf6", "fd00:1::/64 via=fe80::3 dev=eth1 metric=20", text));
	ck_assert(judge("ospf6", "fd00:1:0::/64 via=fe80::3,fe80::2", text));
	ck_assert(!judge("ospf6", "fd00:1::/64 metric=0", text));
	ck_assert(judge("ospf6", "fd00:2::/64 metric=7 dev=eth0", text));
	ck_assert_str_eq(said, "r1: ospf6: fd00:2::/64 dev eth0 metric 7 ()\n");
	ck_assert(!judge("ospf6", "default", text));
	ck_assert_str_eq(said, "r1: ospf6 has no route to default\n");
}
END_TEST

START_TEST(bgp)
{
	static const char text[] =
		"{\"vrfId\":0,\"routes\":{\"10.1.0.0/24\":[{\"valid\":true,\"multipath\":true,"
		"\"metric\":0,\"path\":\"65003\",\"nexthops\":[{\"ip\":\"10.0.1.3\",\"used\":true}"
		"]},{\"valid\":true,\"bestpath\":true,\"metric\":0,\"path\":\"65002\","
		"\"nexthops\":[{\"ip\":\"10.0.0.2\",\"used\":true}]},{\"valid\":true,\"path\":"
		"\"65004 "
		"65002\",\"nexthops\":[{\"ip\":\"10.0.2.4\",\"used\":true}]},{\"path\":\"65005\","
		"\"nexthops\":[{\"ip\":\"10.0.5.5\",\"used\":true}]}],\"fd00::/"
		"64\":[{\"valid\":true,"
		"\"bestpath\":true,\"metric\":5,\"nexthops\":[{\"ip\":\"fd01::2\"},{\"ip\":\"fe80::"
		"2\","
		"\"used\":true}]}]}}";

	ck_assert(judge("bgp", "10.1.0.0/24 via=10.0.0.2 metric=0", text));
	/* A path in reserve is one, too; one that is not valid is not. */
	ck_assert(judge("bgp", "10.1.0.0/24 via=10.0.2.4", text));
	ck_assert(!judge("bgp", "10.1.0.0/24 via=10.0.5.5", text));
	ck_assert_str_eq(said,
			 "r1: bgp: 10.1.0.0/24 via 10.0.1.3 metric 0 (path 65003, multipath)\n"
			 "r1: bgp: 10.1.0.0/24 via 10.0.0.2 metric 0 (path 65002, best)\n"
			 "r1: bgp: 10.1.0.0/24 via 10.0.2.4 (path 65004 65002, valid)\n"
			 "r1: bgp: 10.1.0.0/24 via 10.0.5.5 (path 65005, not valid)\n");
	/* The set is what packets are sent to. */
	ck_assert(judge("bgp", "10.1.0.0/24 via=10.0.0.2,10.0.1.3", text));
	ck_assert(!judge("bgp", "10.1.0.0/24 via=10.0.0.2,10.0.1.3,10.0.2.4", text));
	ck_assert(!judge("bgp", "10.1.0.0/24 via=10.0.0.2,10.0.2.4", text));
	ck_assert(judge("bgp", "fd00::/64 via=fd01::2", text));
	ck_assert(judge("bgp", "fd00::/64 via=fe80::2 metric=5", text));
}
END_TEST

START_TEST(a_guest_may_say_anything)
{
	static const char *const tables[] = {"rib", "ospf", "ospf6", "bgp"};
	static const char *const bad[] = {
		"",
		"{",
		"null",
		"7",
		"[]",
		"% Unknown command",
		"{\"fd00::/64\":7}",
		"{\"fd00::/64\":null}",
		"{\"routes\":7}",
		"{\"routes\":null}",
		"{\"routes\":{\"fd00::/64\":7}}",
		"{\"routes\":{\"fd00::/64\":{}}}",
		"{\"routes\":{\"fd00::/64\":[7,null,{},{\"nexthops\":7},{\"nexthops\":[7,null]}]}}",
		"{\"routes\":{\"fd00::/64\":[{\"nextHops\":[7,null,{}]}]}}",
		"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	};

	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		for (size_t k = 0; k < ARRAY_LEN(bad); k++) {
			bool is_answer = bad[k][0] == '{' && bad[k][1];

			/* Silence is no absence. */
			ck_assert(judge(tables[i], "fd00::/64 via=fd00::7 absent=1", bad[k]) !=
				  is_answer);
			ck_assert(!judge(tables[i], "fd00::/64 via=fd00::7", bad[k]));
			ck_assert(!judge(tables[i], "fd00::/64 via=fd00::7,fd00::8", bad[k]));
		}
	judge("rib", "10.0.0.0/8", "{\"10.0.0.0/8\":[{\"protocol\":\"\\u001b[2J\"}]}");
	ck_assert_ptr_null(strchr(said, '\033'));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_table");
	TCase *tc = tcase_create("judge_table");

	tcase_add_test(tc, the_family_is_that_of_the_destination);
	tcase_add_test(tc, the_rib);
	tcase_add_test(tc, ospf);
	tcase_add_test(tc, ospf6);
	tcase_add_test(tc, bgp);
	tcase_add_test(tc, a_guest_may_say_anything);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
