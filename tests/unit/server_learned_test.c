/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Addresses that guests say they have, and how nodes call each other by them. */
#include "vbet-server/lab/learned.h"

#include "tests/support/script.h"
#include "tests/support/suite.h"
#include "vbet-server/lab/lab.h"
#include "vbet-server/plan/address.h"
#include "vbet-server/plan/event.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char script[] =
	"auto_address = off\n"
	"a = attach(alloc(router), alloc(NIC, address = 10.0.0.1/24), alloc(NIC))\n"
	"b = alloc(router) sw = alloc(switch)\n"
	"link(NIC(a, 1), b) link(NIC(a, 2), sw) link(b, sw)\n"
	"expect ping(a, b)\n"
	"expect ping(b, a)\n";

static struct topo_script *parsed;
static struct guest guests[2];
static struct guest *by_node[4];
static struct lab lab;

static void setup(void)
{
	lab.graph = script_graph("test", script, &parsed);
	memset(guests, 0, sizeof(guests));
	memset(by_node, 0, sizeof(by_node));
	lab.guests = by_node;
	lab.n_guests = lab.graph->n_nodes;
	for (int i = 0; i < 2; i++) {
		guests[i].lab = &lab;
		by_node[graph_find_node(lab.graph, i ? "b" : "a")] = &guests[i];
	}
}

static void teardown(void)
{
	for (int i = 0; i < 2; i++)
		learned_forget(&guests[i]);
	graph_destroy(lab.graph);
	topo_destroy(parsed);
}

static void hear(struct guest *gu, const char *nic, const char *addr, const char *what)
{
	char *words[] = {(char *)(uintptr_t) "address", (char *)(uintptr_t)nic,
			 (char *)(uintptr_t)addr, (char *)(uintptr_t)what};
	struct words w = {.at = words, .n = 4};

	learned_hear(gu, &w);
}

static const char *call(const char *from, const char *to)
{
	static char text[80];
	struct addr a = learned_address_in(&lab, (size_t)graph_find_node(lab.graph, from),
					   (size_t)graph_find_node(lab.graph, to), ADDRESS_ANY);

	return a.family ? addr_format(&a, false, text, sizeof(text)) : "none";
}

START_TEST(what_comes_is_known_until_it_goes)
{
	ck_assert_str_eq(call("a", "b"), "none");
	hear(&guests[1], "lo", "192.0.2.2/32", "come");
	ck_assert_str_eq(call("a", "b"), "192.0.2.2");
	/* One in a network of the caller's goes before. */
	hear(&guests[1], "eth0", "10.0.0.2/24", "come");
	ck_assert_str_eq(call("a", "b"), "10.0.0.2");
	hear(&guests[1], "eth0", "10.0.0.2/24", "come");
	hear(&guests[1], "eth0", "10.0.0.2/24", "gone");
	ck_assert_str_eq(call("a", "b"), "192.0.2.2");
	learned_forget(&guests[1]);
	ck_assert_str_eq(call("a", "b"), "none");
	/* What the script says is not forgotten. */
	ck_assert_str_eq(call("b", "a"), "10.0.0.1");
}
END_TEST

START_TEST(networks_may_be_known_from_guests_alone)
{
	hear(&guests[0], "eth1", "2001:db8::1/64", "come");
	hear(&guests[1], "eth1", "2001:db8::2/64", "come");
	ck_assert_str_eq(call("a", "b"), "2001:db8::2");
	ck_assert_str_eq(call("b", "a"), "2001:db8::1");
}
END_TEST

START_TEST(a_guest_is_not_trusted)
{
	char text[64];

	hear(&guests[1], "eth0", "10.0.0.2", "come");
	hear(&guests[1], "eth0", "10.0.0.300/24", "come");
	hear(&guests[1], "an-interface-with-a-name-too-long", "10.0.0.2/24", "come");
	hear(&guests[1], "eth0", "10.0.0.2/24", "gone");
	ck_assert_str_eq(call("a", "b"), "none");
	for (int i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "10.1.%d.1/24", i);
		hear(&guests[1], "eth0", text, "come");
	}
	ck_assert_uint_eq(guests[1].learned.at.n, LEARNED_MAX);
}
END_TEST

START_TEST(the_graph_stays_as_it_is)
{
	size_t b = (size_t)graph_find_node(lab.graph, "b");
	struct arena a = {0};

	hear(&guests[1], "eth0", "10.0.0.2/24", "come");
	hear(&guests[1], "eth0", "10.0.0.3/24", "come");
	hear(&guests[1], "br0", "10.9.0.3/24", "come");
	const struct graph_node *n = learned_node(&lab, b, &a);

	ck_assert_uint_eq(n->n_nics, 3);
	ck_assert_uint_eq(n->nics[0].n_addrs, 2);
	ck_assert_str_eq(n->nics[2].name, "br0");
	ck_assert_uint_eq(lab.graph->nodes[b].n_nics, 2);
	ck_assert_uint_eq(lab.graph->nodes[b].nics[0].n_addrs, 0);
	arena_finish(&a);
}
END_TEST

START_TEST(an_expectation_asks_the_lab)
{
	struct arena a = {0};
	struct strvec asks = {0};
	struct strvec knows = {0};

	event_check_words(lab.graph, &lab.graph->expects[0], &a, &asks);
	event_check_words(lab.graph, &lab.graph->expects[1], &a, &knows);
	ck_assert_str_eq(asks.at[asks.n - 1], "exec ping -n -q -c 1 -W 1 \"$VBET_PEER\"");
	ck_assert(!strncmp(asks.at[3], "peer=", 5));
	ck_assert_str_eq(knows.at[knows.n - 1], "exec ping -n -q -c 1 -W 1 10.0.0.1");
	vec_free(&asks);
	vec_free(&knows);
	arena_finish(&a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("learned");
	TCase *tc = tcase_create("learned");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_comes_is_known_until_it_goes);
	tcase_add_test(tc, networks_may_be_known_from_guests_alone);
	tcase_add_test(tc, a_guest_is_not_trusted);
	tcase_add_test(tc, the_graph_stays_as_it_is);
	tcase_add_test(tc, an_expectation_asks_the_lab);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
