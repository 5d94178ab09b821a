/* SPDX-License-Identifier: GPL-3.0-or-later */
/* a - r1 - r2 - b, and r1 - r3 - r2 beside it; tables as process 1 tells them. */
#include "vbet-server/plan/forward.h"

#include "lib/xalloc.h"
#include "tests/support/script.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char text[] =
	"auto_address = off\n"
	"a = attach(alloc(host), alloc(NIC, address = 10.1.0.9/24))\n"
	"b = attach(alloc(host), alloc(NIC, address = 10.2.0.9/24))\n"
	"r1 = attach(alloc(router), alloc(NIC, address = 10.1.0.1/24), alloc(NIC, address = "
	"10.12.0.1/24), alloc(NIC, address = 10.13.0.1/24))\n"
	"r2 = attach(alloc(router), alloc(NIC, address = 10.2.0.1/24), alloc(NIC, address = "
	"10.12.0.2/24), alloc(NIC, address = 10.23.0.2/24))\n"
	"r3 = attach(alloc(router), alloc(NIC, address = 10.13.0.3/24), alloc(NIC, address = "
	"10.23.0.3/24))\n"
	"link(a, r1) link(b, r2) link(NIC(r1, 2), NIC(r2, 2)) link(NIC(r1, 3), NIC(r3, 1)) "
	"link(NIC(r2, 3), NIC(r3, 2))\n";

static struct topo_script *script;
static struct graph *g;
static struct forward *f;
static char *said;
static size_t said_len;

#define FORWARDS "forwards 4 1\nforwards 6 0\n"

static void add(const char *node, const char *table)
{
	int i = graph_find_node(g, node);

	ck_assert_int_ge(i, 0);
	forward_add_table(f, (size_t)i, table);
}

static void set_up(void)
{
	g = script_graph("t.vbet", text, &script);
	f = forward_create(g);
	for (size_t i = 0; i < g->n_nodes; i++)
		for (size_t k = 0; k < g->nodes[i].n_nics; k++)
			forward_add_address(f, i, g->nodes[i].nics[k].name,
					    &g->nodes[i].nics[k].addrs[0]);
	add("a", "forwards 4 0\n0.0.0.0/0 via=10.1.0.1 dev=eth0 type=1\n10.1.0.0/24 dev=eth0 "
		 "type=1\n");
	add("b", "0.0.0.0/0 via=10.2.0.1 dev=eth0 type=1\n10.2.0.0/24 dev=eth0 type=1\n");
}

static void tear_down(void)
{
	forward_destroy(f);
	graph_destroy(g);
	topo_destroy(script);
	free(said);
	said = NULL;
}

static bool ways(const char *from, const char *to)
{
	struct addr addr;
	bool all = false;

	ck_assert_int_eq(addr_parse(to, strlen(to), &addr, NULL), 0);
	free(said);
	FILE *out = xmemstream(&said, &said_len);

	forward_find_ways(f, (size_t)graph_find_node(g, from), &addr, out, &all);
	fclose(out);
	return all;
}

static bool all_tables(bool (*fn)(const struct forward *f, FILE *out))
{
	free(said);
	FILE *out = xmemstream(&said, &said_len);
	bool found = fn(f, out);

	fclose(out);
	return found;
}

static void add_good(void)
{
	add("r1",
	    FORWARDS "10.1.0.0/24 dev=eth0 type=1\n10.12.0.0/24 dev=eth1 type=1\n10.13.0.0/24 "
		     "dev=eth2 type=1\n10.0.0.0/8 via=10.12.0.2 dev=eth1 metric=20 type=1\n");
	add("r2",
	    FORWARDS "10.2.0.0/24 dev=eth0 type=1\n10.12.0.0/24 dev=eth1 type=1\n10.23.0.0/24 "
		     "dev=eth2 type=1\n10.0.0.0/8 via=10.12.0.1 dev=eth1 metric=20 type=1\n");
	add("r3",
	    FORWARDS "10.13.0.0/24 dev=eth0 type=1\n10.23.0.0/24 dev=eth1 type=1\n10.2.0.0/24 "
		     "via=10.23.0.2 dev=eth1 type=1\n10.0.0.0/8 via=10.13.0.1 dev=eth0 "
		     "type=1\n");
}

START_TEST(one_way)
{
	add_good();
	ck_assert(ways("a", "10.2.0.9"));
	ck_assert_str_eq(said, "r1 r2\n");
	ck_assert(ways("a", "10.1.0.1"));
	ck_assert_str_eq(said, "\n");
	ck_assert(!ways("a", "10.2.0.7"));
	ck_assert_str_eq(said, "r1 r2: r2 finds nobody with 10.2.0.7 at eth0\n");
	ck_assert(!ways("r1", "192.0.2.1"));
	ck_assert_str_eq(said, "r1 has no route\n");
	ck_assert(!all_tables(forward_has_loop));
	ck_assert(!all_tables(forward_has_hole));
}
END_TEST

START_TEST(prefixes_and_metrics)
{
	add_good();
	/* The longer prefix, whatever its metric; of equal ones the least metric. */
	add("r1", "10.2.0.0/24 via=10.13.0.3 dev=eth2 metric=99 type=1\n");
	ck_assert(ways("a", "10.2.0.9"));
	ck_assert_str_eq(said, "r1 r3 r2\n");
	add("r1", "10.2.0.0/24 via=10.12.0.2 dev=eth1 metric=98 type=1\n");
	ck_assert(ways("a", "10.2.0.9"));
	ck_assert_str_eq(said, "r1 r2\n");
	/* Equal ones are several ways. */
	add("r1", "10.2.0.0/24 via=10.13.0.3 dev=eth2 metric=98 type=1\n");
	ck_assert(ways("a", "10.2.0.9"));
	ck_assert_str_eq(said, "r1 r2\nr1 r3 r2\n");
}
END_TEST

START_TEST(circles)
{
	add_good();
	add("r2", "10.2.0.9/32 via=10.12.0.1 dev=eth1 type=1\n");
	ck_assert(!ways("a", "10.2.0.9"));
	ck_assert_str_eq(said, "r1 r2 r1: in a circle, back at r1\n");
	ck_assert(all_tables(forward_has_loop));
	ck_assert_ptr_nonnull(strstr(said, "10.2.0.9 go in a circle through r1 and r2"));
}
END_TEST

START_TEST(holes)
{
	add_good();
	add("r2", "10.2.0.0/25 type=6\n");
	ck_assert(all_tables(forward_has_hole));
	ck_assert_ptr_nonnull(strstr(said, "10.2.0.9 get lost: r2"));
	ck_assert(!ways("a", "10.2.0.9"));
	ck_assert_str_eq(said, "r1 r2: r2 has a route that refuses it\n");
	tear_down();
	set_up();
	add_good();
	add("r2", "forwards 4 0\n");
	ck_assert(all_tables(forward_has_hole));
	ck_assert_ptr_nonnull(strstr(said, "r2 forwards nothing"));
	tear_down();
	set_up();
	add_good();
	/* A gateway that is not there. */
	add("r1", "10.2.0.0/24 via=10.12.0.7 dev=eth1 type=1\n");
	ck_assert(all_tables(forward_has_hole));
	ck_assert_ptr_nonnull(strstr(said, "r1 finds nobody with 10.12.0.7 at eth1"));
}
END_TEST

/* A cable that is cut leads nowhere, and what is at it is no destination. */
START_TEST(cut_cables)
{
	forward_destroy(f);
	g->cables[2].cut.all = true;
	f = forward_create(g);
	for (size_t i = 0; i < g->n_nodes; i++)
		for (size_t k = 0; k < g->nodes[i].n_nics; k++)
			forward_add_address(f, i, g->nodes[i].nics[k].name,
					    &g->nodes[i].nics[k].addrs[0]);
	add("r1", FORWARDS "10.12.0.0/24 dev=eth1 type=1\n10.13.0.0/24 dev=eth2 type=1\n");
	add("r2", FORWARDS "10.12.0.0/24 dev=eth1 type=1\n10.23.0.0/24 dev=eth2 type=1\n");
	ck_assert(!all_tables(forward_has_hole));
	ck_assert(!ways("r1", "10.12.0.2"));
	add("r1", "10.2.0.0/24 via=10.12.0.2 dev=eth1 type=1\n");
	ck_assert(all_tables(forward_has_hole));
}
END_TEST

/* Link-local gateways, as routing daemons give them for IPv6. */
START_TEST(link_local)
{
	struct addr there;
	char table[200];
	const uint8_t *m = g->nodes[graph_find_node(g, "r2")].nics[1].mac;

	ck_assert_int_eq(addr_parse("fd00::2/64", 10, &there, NULL), 0);
	forward_add_address(f, (size_t)graph_find_node(g, "r2"), "lo", &there);
	snprintf(table, sizeof(table),
		 "forwards 6 1\nfd00::/64 via=fe80::%x:%xff:fe%02x:%x dev=eth1 type=1\n",
		 (unsigned)(m[0] ^ 2) << 8 | m[1], m[2], m[3], (unsigned)m[4] << 8 | m[5]);
	add("r1", table);
	ck_assert(ways("r1", "fd00::2"));
	ck_assert_str_eq(said, "\n");
}
END_TEST

static void print_unreached(void)
{
	free(said);
	FILE *out = xmemstream(&said, &said_len);

	forward_print_unreached(f, out);
	fclose(out);
}

START_TEST(who_reaches_whom)
{
	add_good();
	print_unreached();
	ck_assert_str_eq(said, "");
	/* One of two ways leads nowhere. r2 has another address. */
	add("r3", "10.2.0.0/24 via=10.13.0.9 dev=eth0 type=1\n");
	print_unreached();
	ck_assert_str_eq(said, "r3 b\n");
}
END_TEST

START_TEST(a_guest_may_say_anything)
{
	add("r1", "forwards\nforwards 9 9\n\nx\n10.0.0.0 dev=eth0\n10.0.0.0/99 dev=eth0\n\"\n"
		  "10.0.0.0/8 via=x dev=eth0 type=1\n0.0.0.0/0 via=10.12.0.2 dev=ethx type=1\n");
	ck_assert(!ways("r1", "10.2.0.9"));
	ck_assert_str_eq(said, "r1 sends it by no NIC of the lab\n");
	all_tables(forward_has_loop);
	all_tables(forward_has_hole);
}
END_TEST

static void add_tests(TCase *tc)
{
	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_test(tc, one_way);
	tcase_add_test(tc, prefixes_and_metrics);
	tcase_add_test(tc, circles);
	tcase_add_test(tc, holes);
	tcase_add_test(tc, cut_cables);
	tcase_add_test(tc, link_local);
	tcase_add_test(tc, who_reaches_whom);
	tcase_add_test(tc, a_guest_may_say_anything);
}

int main(void)
{
	return suite_run_case("forward", add_tests);
}
