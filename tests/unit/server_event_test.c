/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/plan/event.h"

#include "lib/words.h"
#include "tests/support/script.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char script[] = "r1 = attach(alloc(router), alloc(NIC, address = 10.0.0.1/24))\n"
			     "r2 = attach(alloc(router), alloc(NIC, address = 10.0.0.2/24))\n"
			     "c = link(r1, r2)\n"
			     "at 1s cut(r1, r2)\n"
			     "at 2s mend(c)\n"
			     "at 3s impair(r2, r1, loss = 5%, forward = {delay = 3ms})\n"
			     "at 4s exec(r1, \"echo 'x y'\")\n"
			     "at 5s kill(r2)\n"
			     "expect ping(r1, r2)\n"
			     "expect not ping(r1, 192.0.2.1)\n"
			     "expect exec(r2, \"true\")\n"
			     "expect route(r1, default)\n"
			     "expect route(r1, 10.9.0.0/16, 10.0.0.2)\n"
			     "expect route(r1, 2001:db8::/32, 2001:db8::1)\n"
			     "expect route(r1, 10.9.0.0/16, via = 10.0.0.2, dev = NIC(r1, 1), "
			     "proto = ospf, metric = 20)\n"
			     "expect neighbor(r1, r2, ospf, \"2-Way\", timeout = 5s)\n"
			     "expect ospf_full()\n"
			     "expect bgp_established(r1)\n";

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

START_TEST(test_words)
{
	static const char *const want[] = {
		"link r1:eth0 r2:eth0 down",
		"link r1:eth0 r2:eth0 up",
		"link r1:eth0 r2:eth0 set loss=5% ab.delay=3ms",
		"job r1 timeout_ms=60000 -- /bin/sh -c \"echo 'x y'\"",
		"kill r2",
	};

	ck_assert_uint_eq(graph->n_events, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char text[200] = "";
		struct arena a = {0};
		struct strvec v = {0};
		struct err e = {0};
		FILE *f = fmemopen(text, sizeof(text), "w");

		ck_assert_int_eq(event_words(graph, &graph->events[i], &a, &v, &e), 0);
		words_put_line(f, (char *const *)v.at, v.n);
		fclose(f);
		text[strcspn(text, "\n")] = '\0';
		ck_assert_str_eq(text, want[i]);
		vec_free(&v);
		arena_finish(&a);
	}
}
END_TEST

START_TEST(test_commands)
{
	static const char *const want[] = {
		"job r1 timeout_ms=60000 -- /bin/sh -c \"exec ping -n -q -c 1 -W 1 10.0.0.2\"",
		"job r1 timeout_ms=60000 -- /bin/sh -c \"exec ping -n -q -c 1 -W 1 192.0.2.1\"",
		"job r2 timeout_ms=60000 -- /bin/sh -c true",
		"look timeout_ms=60000 route r1 default",
		"look timeout_ms=60000 route r1 10.9.0.0/16 via=10.0.0.2",
		"look timeout_ms=60000 route r1 2001:db8::/32 via=2001:db8::1",
		("look timeout_ms=60000 route r1 10.9.0.0/16 via=10.0.0.2 dev=eth0 proto=ospf "
		 "metric=20"),
		"look timeout_ms=5000 neighbor ospf r1 r2 state=2-Way",
		"look timeout_ms=60000 neighbor ospf",
		"look timeout_ms=60000 neighbor bgp r1",
	};

	ck_assert_uint_eq(graph->n_expects, ARRAY_LEN(want));
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		char text[300] = "";
		struct arena a = {0};
		struct strvec v = {0};
		FILE *f = fmemopen(text, sizeof(text), "w");

		event_check_words(graph, &graph->expects[i], &a, &v);
		words_put_line(f, (char *const *)v.at, v.n);
		fclose(f);
		text[strcspn(text, "\n")] = '\0';
		ck_assert_str_eq(text, want[i]);
		vec_free(&v);
		arena_finish(&a);
	}
	ck_assert(graph->expects[1].negated);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_event");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_words);
	tcase_add_test(t, test_commands);
	suite_add_tcase(s, t);
	return suite_run(s);
}
