/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tests/unit/plan_help.h"

/* The lines of a plan that begin with a word, malloc'ed. */
static char *lines_of(const struct plan *p, const char *word)
{
	char *all = print(p);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	for (char *line = strtok(all, "\n"); line; line = strtok(NULL, "\n"))
		if (!strncmp(line, word, strlen(word)))
			fprintf(f, "%s\n", line);
	fclose(f);
	free(all);
	return text;
}

static void assert_lines(const struct plan *p, const char *word, const char *want)
{
	char *got = lines_of(p, word);

	ck_assert_str_eq(got, want);
	free(got);
}

/* Guests that are joined by a cable, in two processes. */
START_TEST(a_cable_between_processes_has_an_end_in_each)
{
	const struct graph *g = graph_of(MACS);

	env.processes = 2;
	struct plan *p = plan_of_graph(g);

	assert_lines(p, "process ",
		     "process substrate: memory=2147483648\n"
		     "process substrate.2: memory=2147483648\n");
	assert_lines(p, "dir t", "dir t\n");
	assert_lines(p, "substrate trunk", "substrate trunk 1>2 path=/run/lab/t/1-2 listen=1\n");
	assert_lines(p, "substrate.2 trunk", "substrate.2 trunk 2>1 path=/run/lab/t/1-2\n");
	assert_lines(p, "substrate far", "substrate far b:eth0 1>2 key=c\n");
	assert_lines(p, "substrate.2 far", "substrate.2 far a:eth0 2>1 key=c\n");
	assert_lines(p, "substrate cable",
		     "substrate cable c a:eth0 b:eth0 ab.delay=5ms ba.delay=5ms up=0\n");
	assert_lines(p, "substrate.2 cable",
		     "substrate.2 cable c a:eth0 b:eth0 ab.delay=5ms ba.delay=5ms up=0\n");
	assert_lines(p, "substrate.2 start", "substrate.2 start\n");
	ck_assert_uint_eq(plan_process_of(p, "a:eth0"), 1);
	ck_assert_uint_eq(plan_process_of(p, "b:eth0"), 2);
	ck_assert_uint_eq(plan_process_of(p, "b:agent"), 2);
	ck_assert_uint_eq(plan_process_of(p, "x"), 0);
	plan_destroy(p);
}
END_TEST

/* A NIC shows what a hub in another process does to it; a switch does nothing. */
START_TEST(a_far_end_says_that_it_is_a_hub)
{
	const struct graph *g =
		graph_of("h = alloc(hub, medium = shared, rate = 5Mbit, name = \"h\")\n"
			 "p = alloc(hub, name = \"p\")\n"
			 "s = alloc(switch, name = \"s\")\n"
			 "for i in 1..9 { x[i] = alloc(host, name = \"x${i}\") }\n"
			 "link(h, x[1], x[2], x[3]) link(p, x[4], x[5], x[6])\n"
			 "link(s, x[7], x[8], x[9])\n"
			 "r = alloc(router, name = \"r\") link(r, h) link(r, p) link(r, s)\n");

	env.processes = 4;
	struct plan *p = plan_of_graph(g);
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	plan_print(f, p);
	fclose(f);
	bool told[3] = {0};

	for (const char *at = text; (at = strstr(at, "far ")); at++) {
		const char *end = strchr(at, '\n');
		int n = (int)(end - at);
		const char *shared = strstr(at, " shared=1");

		if (at[4] == 'h')
			told[0] = shared && shared < end && !strncmp(end - 11, " rate=5Mbit", 11);
		else if (at[4] == 'p')
			told[1] = shared && shared + 9 == end;
		else if (shared && shared < end)
			ck_abort_msg("%.*s", n, at);
		told[2] |= at[4] == 's';
	}
	ck_assert_msg(told[0] || plan_process_of(p, "h") == plan_process_of(p, "r"), "%s", text);
	ck_assert_msg(told[1] || plan_process_of(p, "p") == plan_process_of(p, "r"), "%s", text);
	ck_assert_msg(told[0] + told[1] + told[2] >= 2, "%s", text);
	free(text);
	plan_destroy(p);
}
END_TEST

START_TEST(a_switch_keeps_its_guests)
{
	const struct graph *g = graph_of("s = alloc(switch, name = \"s\")\n"
					 "t = alloc(switch, name = \"t\")\n"
					 "for i in 1..4 { h[i] = alloc(host, name = \"h${i}\") }\n"
					 "link(s, h[1], h[2]) link(t, h[3], h[4]) link(s, t)\n");

	env.processes = 2;
	struct plan *p = plan_of_graph(g);

	ck_assert_uint_eq(p->n_places, 6);
	for (size_t i = 0; i < p->n_places; i++) {
		const char *n = p->places[i].node;
		bool first = !strcmp(n, "s") || !strcmp(n, "h1") || !strcmp(n, "h2");

		ck_assert_msg(p->places[i].process == (first ? 1 : 2), "%s is in %u", n,
			      p->places[i].process);
	}
	plan_destroy(p);
}
END_TEST

START_TEST(a_substrate_node_has_a_process_of_its_own)
{
	const struct graph *g = graph_of("s1 = alloc(substrate, name = \"s1\")\n"
					 "s2 = alloc(substrate, name = \"s2\")\n"
					 "s3 = alloc(substrate, name = \"s3\")\n"
					 "slink(s1, s2) slink(s2, s3)\n"
					 "v = vnet()\n"
					 "a = alloc(host, vnet = v, on = s1, name = \"a\")\n"
					 "b = alloc(host, vnet = v, on = s3, name = \"b\")\n"
					 "vlink(a, b)\n");
	unsigned process[6] = {0};
	unsigned seen = 0;

	env.processes = 3;
	struct plan *p = plan_of_graph(g);

	for (size_t i = 0; i < 3; i++)
		seen |= 1u << p->places[i].process;
	ck_assert_uint_eq(seen, 2 | 4 | 8);
	for (size_t i = 0; i < p->n_places; i++)
		process[i] = p->places[i].process;
	/* What it holds is with it. */
	ck_assert_str_eq(p->places[3].node, "a");
	ck_assert_uint_eq(process[3], process[0]);
	ck_assert_uint_eq(process[4], process[2]);
	plan_destroy(p);
}
END_TEST

START_TEST(each_process_gets_a_share_of_a_ring)
{
	const struct graph *g = graph_of("for i in 1..12 { r[i] = alloc(router) }\n"
					 "for i in 1..11 { link(r[i], r[i + 1]) }\n"
					 "link(r[12], r[1])\n");
	unsigned load[5] = {0};
	unsigned between = 0;

	env.processes = 4;
	struct plan *p = plan_of_graph(g);

	for (size_t i = 0; i < p->n_places; i++)
		load[p->places[i].process]++;
	for (unsigned k = 1; k <= 4; k++)
		ck_assert_uint_eq(load[k], 3);
	for (size_t i = 0; i < p->n_steps; i++)
		between +=
			p->steps[i].op == PLAN_SUBSTRATE && !strncmp(p->steps[i].text, "far ", 4);
	/* A ring in four pieces: as few cables between them as there can be, told to both ends. */
	ck_assert_uint_le(between, 2 * 6);
	plan_destroy(p);
}
END_TEST

START_TEST(what_runs_stays_where_it_is)
{
	struct plan *from, *to;

	env.processes = 2;
	from = plan_of_graph(graph_of(TWO FIXED "link(a, b, name = \"c\")"));
	graph_destroy(graph);
	topo_destroy(script);
	env.running = from;
	/* Alone, b would be placed beside d. */
	to = plan_of_graph(
		graph_of("d = alloc(host)\n" TWO FIXED "link(a, b, name = \"c\") link(d, b)"));
	for (size_t i = 0; i < from->n_places; i++)
		for (size_t k = 0; k < to->n_places; k++)
			if (!strcmp(from->places[i].node, to->places[k].node))
				ck_assert_uint_eq(from->places[i].process, to->places[k].process);
	plan_destroy(from);
	plan_destroy(to);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("plan: several processes");
	TCase *tc = tcase_create("plan");

	tcase_add_checked_fixture(tc, NULL, teardown);
	tcase_add_test(tc, a_cable_between_processes_has_an_end_in_each);
	tcase_add_test(tc, a_far_end_says_that_it_is_a_hub);
	tcase_add_test(tc, a_switch_keeps_its_guests);
	tcase_add_test(tc, a_substrate_node_has_a_process_of_its_own);
	tcase_add_test(tc, each_process_gets_a_share_of_a_ring);
	tcase_add_test(tc, what_runs_stays_where_it_is);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
