/* SPDX-License-Identifier: GPL-3.0-or-later */
/* By which address nodes call each other, where the same addresses are in several networks. */
#include "vbet-server/plan/address.h"

#include "tests/support/script.h"
#include "tests/support/suite.h"
#include "vbet-server/plan/event.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* Red, blue and the ordinary network have the same subnet; gate is in red and the ordinary one. */
static const char script[] =
	"s = line(2, substrate)\n"
	"red = vnet() blue = vnet()\n"
	"gate = attach(alloc(router, vnet = red, on = s[1]), alloc(NIC, address = 10.0.0.1/24),\n"
	"              alloc(NIC, address = 10.0.0.9/24), alloc(NIC, address = 192.168.0.1/24))\n"
	"r2 = attach(alloc(host, vnet = red, on = s[2]), alloc(NIC, address = 10.0.0.2/24))\n"
	"b1 = attach(alloc(host, vnet = blue, on = s[1]), alloc(NIC, address = 10.0.0.1/24))\n"
	"b2 = attach(alloc(host, vnet = blue, on = s[2]), alloc(NIC, address = 10.0.0.3/24))\n"
	"plain = attach(alloc(host), alloc(NIC, address = 10.0.0.2/24))\n"
	"far = attach(alloc(host), alloc(NIC, address = 192.168.7.2/24))\n"
	"vlink(NIC(gate, 1), NIC(r2, 1)) vlink(b1, b2)\n"
	"link(NIC(gate, 2), plain) link(NIC(gate, 3), far)\n"
	"expect ping(r2, gate)\n"
	"expect not ping(r2, b1)\n";

static struct topo_script *parsed;
static struct graph *graph;

static void setup(void)
{
	graph = script_graph("test", script, &parsed);
}

static void teardown(void)
{
	graph_destroy(graph);
	topo_destroy(parsed);
}

/* The address by which one calls the other, or "none". */
static const char *call(const char *from, const char *to)
{
	static char text[80];
	const struct addr *a = address_for(&graph->nodes[graph_find_node(graph, from)],
					   &graph->nodes[graph_find_node(graph, to)], 0);

	return a ? addr_format(a, false, text, sizeof(text)) : "none";
}

START_TEST(each_network_is_its_own)
{
	ck_assert_str_eq(call("r2", "gate"), "10.0.0.1");
	ck_assert_str_eq(call("gate", "r2"), "10.0.0.2");
	ck_assert_str_eq(call("plain", "gate"), "10.0.0.9");
	ck_assert_str_eq(call("gate", "plain"), "10.0.0.2");
	ck_assert_str_eq(call("b2", "b1"), "10.0.0.1");
	ck_assert_str_eq(call("far", "plain"), "10.0.0.2");
	/* Not by the first address of all, which is red's. */
	ck_assert_str_eq(call("far", "gate"), "10.0.0.9");
}
END_TEST

START_TEST(nobody_is_called_in_another_network)
{
	ck_assert_str_eq(call("r2", "b1"), "none");
	ck_assert_str_eq(call("b1", "gate"), "none");
	ck_assert_str_eq(call("plain", "r2"), "none");
	ck_assert_str_eq(call("b1", "plain"), "none");
}
END_TEST

/* "expect not ping" of another vNet must not find somebody with the same address, or oneself. */
START_TEST(an_expectation_pings_nobody_else)
{
	struct arena a = {0};
	struct strvec ping = {0};
	struct strvec none = {0};

	event_check_words(graph, &graph->expects[0], &a, &ping);
	event_check_words(graph, &graph->expects[1], &a, &none);
	ck_assert_str_eq(ping.at[ping.n - 1], "exec ping -n -q -c 1 -W 1 10.0.0.1");
	ck_assert_str_eq(none.at[none.n - 1],
			 "echo 'b1 has no address in a network of r2' >&2; exit 2");
	vec_free(&ping);
	vec_free(&none);
	arena_finish(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("addresses");
	TCase *tc = tcase_create("address");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, each_network_is_its_own);
	tcase_add_test(tc, nobody_is_called_in_another_network);
	tcase_add_test(tc, an_expectation_pings_nobody_else);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
