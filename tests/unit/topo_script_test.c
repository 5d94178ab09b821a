/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "topo/topo.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct topo_script *parse(const char *text, const struct topo_options *opt)
{
	return topo_parse("dir/My Lab.vbet", text, strlen(text), opt);
}

static char *errors(const struct topo_script *s)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	topo_print_errors(f, s);
	fclose(f);
	return text;
}

static void expect_error(const struct topo_script *s, const char *part)
{
	char *text = errors(s);

	ck_assert_msg(strstr(text, part) != NULL, "'%s' is not in:\n%s", part, text);
	free(text);
}

static struct graph *make(struct topo_script *s)
{
	struct graph *g = topo_make_graph(s);

	if (!g) {
		char *text = errors(s);

		ck_abort_msg("%s", text);
	}
	return g;
}

static struct graph *add(struct topo_script *s, const char *text)
{
	return topo_add_statement(s, NULL, text, strlen(text));
}

/* What stands in front of a statement is not shown, and does not count. */
START_TEST(messages_have_the_place_of_the_author)
{
	struct topo_script *s = parse("a = alloc(host)\n", NULL);
	struct topo_place place = {.name = "some file", .line = 7, .before = "at 5s "};
	struct graph *g = make(s);

	ck_assert_ptr_null(topo_add_statement(s, &place, "cut(a,\n nosuch)", 15));
	char *text = errors(s);

	ck_assert_str_eq(text, "some file:8:2: unknown name 'nosuch'\n     nosuch)\n     ^~~~~~\n");
	free(text);
	ck_assert_ptr_null(topo_add_statement(s, &place, "cut(nosuch, a)", 14));
	text = errors(s);
	ck_assert_str_eq(
		text, "some file:7:5: unknown name 'nosuch'\n    cut(nosuch, a)\n        ^~~~~~\n");
	free(text);
	/* A mistake of what stands in front is shown at the beginning. */
	place.before = "at 5 ";
	ck_assert_ptr_null(topo_add_statement(s, &place, "stop(a)", 7));
	text = errors(s);
	ck_assert_msg(!strncmp(text, "some file:7:1: ", 15), "%s", text);
	free(text);
	graph_destroy(g);
	topo_destroy(s);
}
END_TEST

START_TEST(a_graph_has_everything_filled_in)
{
	struct topo_script *s = parse("r1 = attach(alloc(router), alloc(NIC), alloc(NIC))\n"
				      "h = alloc(host, memory = 32M)\n"
				      "c = link(h, NIC(r1, 2), delay = 5ms)\n",
				      NULL);
	struct graph *g = make(s);

	ck_assert_str_eq(g->lab, "my-lab");
	ck_assert_int_eq(g->clock, CLOCK_REAL);
	ck_assert_uint_eq(g->n_nodes, 2);
	ck_assert_uint_eq(g->n_cables, 1);
	ck_assert_int_eq(graph_find_node(g, "h"), 1);
	ck_assert_int_eq(graph_find_node(g, "nobody"), -1);
	const struct graph_node *r1 = &g->nodes[0];

	ck_assert_int_eq(r1->kind, NODE_ROUTER);
	ck_assert_str_eq(r1->hostname, "r1");
	ck_assert_int_eq(r1->memory_bytes, 96 << 20);
	ck_assert_uint_eq(r1->n_nics, 2);
	ck_assert_int_eq(graph_find_nic(r1, "eth1"), 1);
	ck_assert_int_eq(graph_find_nic(r1, "eth2"), -1);
	ck_assert_int_eq(r1->nics[0].cable, -1);
	ck_assert_int_eq(r1->nics[1].cable, 0);
	ck_assert_uint_eq(r1->nics[1].cable_end, 1);
	ck_assert_uint_eq(r1->nics[1].mtu, 1500);
	ck_assert_uint_eq(r1->nics[0].mac[0], 0x02);
	ck_assert_int_eq(memcmp(r1->nics[0].mac, r1->nics[1].mac, 6) != 0, 1);
	ck_assert_uint_eq(r1->nics[1].n_addrs, 1);
	ck_assert(r1->nics[1].addrs_are_auto);
	ck_assert_str_eq(g->cables[0].name, "c");
	ck_assert_int_eq(g->cables[0].end[0].node, 1);
	ck_assert_int_eq(g->cables[0].end[1].nic, 1);
	ck_assert_int_eq(g->cables[0].dir[1].delay_ns, 5000000);
	ck_assert_int_eq(g->nodes[1].pos.line, 2);
	ck_assert_str_eq(g->nodes[1].pos.file, "dir/My Lab.vbet");
	topo_destroy(s);
	/* The graph stands on its own. */
	ck_assert_str_eq(g->nodes[1].name, "h");
	graph_destroy(g);
}
END_TEST

START_TEST(the_same_script_gives_the_same_macs_and_another_lab_others)
{
	const char *text = "h = attach(alloc(host), alloc(NIC))\n";
	struct topo_options other = {.lab = "other"};
	struct topo_script *a = parse(text, NULL);
	struct topo_script *b = parse(text, NULL);
	struct topo_script *c = parse(text, &other);
	struct graph *ga = make(a);
	struct graph *gb = make(b);
	struct graph *gc = make(c);

	ck_assert_str_eq(gc->lab, "other");
	ck_assert_mem_eq(ga->nodes[0].nics[0].mac, gb->nodes[0].nics[0].mac, 6);
	ck_assert_mem_ne(ga->nodes[0].nics[0].mac, gc->nodes[0].nics[0].mac, 6);
	graph_destroy(ga);
	graph_destroy(gb);
	graph_destroy(gc);
	topo_destroy(a);
	topo_destroy(b);
	topo_destroy(c);
}
END_TEST

START_TEST(errors_are_counted_and_in_order)
{
	struct topo_script *s = parse("x = b\ny = a\nlink(z)\n", NULL);

	ck_assert_uint_eq(topo_n_errors(s), 0);
	ck_assert_ptr_null(topo_make_graph(s));
	ck_assert_uint_eq(topo_n_errors(s), 3);
	char *text = errors(s);

	ck_assert_ptr_eq(strstr(text, "dir/My Lab.vbet:1:5: unknown name 'b'"), text);
	ck_assert_ptr_nonnull(strstr(text, "    x = b\n        ^\n"));
	ck_assert(strstr(text, ":2:5:") < strstr(text, ":3:6:"));
	free(text);
	topo_destroy(s);
	s = parse("x = (\ny = 5 5\n", NULL);
	ck_assert_uint_ge(topo_n_errors(s), 1);
	ck_assert_ptr_null(topo_make_graph(s));
	ck_assert_ptr_null(add(s, "z = 1\n"));
	topo_destroy(s);
}
END_TEST

START_TEST(options_limit_memory_and_names)
{
	struct topo_options opt = {.memory_limit = 100 << 20, .socket_room = 12};
	struct topo_script *s = parse("a = alloc(host) b = alloc(host)\n", &opt);
	struct graph *g = make(s);

	graph_destroy(g);
	topo_destroy(s);
	s = parse("a = alloc(host) b = alloc(host) c = alloc(host)\n", &opt);
	ck_assert_ptr_null(topo_make_graph(s));
	expect_error(s, "144M together, the machine has 100M");
	topo_destroy(s);
	s = parse("abcdefgh = attach(alloc(host), alloc(NIC))\n", &opt);
	ck_assert_ptr_null(topo_make_graph(s));
	expect_error(s, "too long");
	topo_destroy(s);
}
END_TEST

static char *give_file(void *ctx, const char *from, const char *path, size_t *len, struct err *e)
{
	int *calls = ctx;
	const char *text = "h = alloc(host)\n";

	(*calls)++;
	if (!strcmp(path, "sub/a.inc")) {
		ck_assert_str_eq(from, "dir/My Lab.vbet");
		text = "include \"b.inc\"\nwrite(h, \"/x\", file(\"text\"))\n";
	} else if (!strcmp(path, "b.inc")) {
		ck_assert_str_eq(from, "dir/sub/a.inc");
	} else if (!strcmp(path, "self.inc")) {
		text = "include \"self.inc\"\n";
	} else {
		err_set(e, ERR_USAGE, "no luck");
		return NULL;
	}
	*len = strlen(text);
	return xstrdup(text);
}

START_TEST(included_files_are_asked_for_and_their_paths_are_theirs)
{
	int calls = 0;
	struct topo_options opt = {.read_file = give_file, .ctx = &calls};
	struct topo_script *s = parse("include \"sub/a.inc\"\ninclude \"sub/a.inc\"\n"
				      "include \"self.inc\"\n",
				      &opt);
	struct graph *g = make(s);

	ck_assert_int_eq(calls, 3);
	ck_assert_str_eq(g->nodes[0].files[0].source, "sub/text");
	ck_assert_str_eq(g->nodes[0].pos.file, "dir/sub/b.inc");
	graph_destroy(g);
	topo_destroy(s);
	s = parse("include \"nowhere\"\n", &opt);
	expect_error(s, "cannot include 'nowhere': no luck");
	topo_destroy(s);
	s = parse("include \"nowhere\"\n", NULL);
	expect_error(s, "no files can be included here");
	topo_destroy(s);
}
END_TEST

START_TEST(statements_change_a_copy)
{
	struct topo_script *s = parse("s = alloc(switch) h1 = alloc(host) link(s, h1)\n", NULL);
	struct graph *before = make(s);
	struct graph *after = add(s, "h2 = alloc(host) link(s, h2)\n");

	ck_assert_ptr_nonnull(after);
	ck_assert_uint_eq(before->n_nodes, 2);
	ck_assert_uint_eq(after->n_nodes, 3);
	ck_assert_mem_eq(before->nodes[1].nics[0].mac, after->nodes[1].nics[0].mac, 6);
	ck_assert_uint_eq(after->nodes[2].nics[0].addrs[0].bytes[3], 2);
	graph_destroy(before);
	graph_destroy(after);
	topo_destroy(s);
}
END_TEST

START_TEST(a_wrong_statement_leaves_no_trace)
{
	struct topo_script *s = parse("s = alloc(switch)\n", NULL);
	struct graph *g = make(s);

	ck_assert_ptr_null(add(s, "h1 = alloc(host) x = nothing\n"));
	expect_error(s, "console:1:22: unknown name 'nothing'");
	ck_assert_ptr_null(add(s, "h1 = = 5"));
	ck_assert_ptr_null(add(s, "h1 = alloc(host) link(s, h1) link(s, s)"));
	struct graph *next = add(s, "h1 = alloc(router) link(s, h1)");

	ck_assert_ptr_nonnull(next);
	ck_assert_uint_eq(topo_n_errors(s), 0);
	ck_assert_uint_eq(next->n_nodes, 2);
	ck_assert_int_eq(next->nodes[1].kind, NODE_ROUTER);
	graph_destroy(g);
	graph_destroy(next);
	topo_destroy(s);
}
END_TEST

START_TEST(a_cable_may_wait_for_its_other_end)
{
	static const char *const lines[] = {"h2 = attach(alloc(host), alloc(NIC))",
					    "c = alloc(cable)",
					    "plug(c, s)",
					    "plug(c, h2)",
					    "unplug(NIC(h2, 1))",
					    "plug(c, h2)"};
	static const size_t cables[] = {0, 0, 0, 1, 0, 1};
	struct topo_script *s = parse("s = alloc(switch)\n", NULL);
	struct graph *g = make(s);

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct graph *next = add(s, lines[i]);

		ck_assert_ptr_nonnull(next);
		ck_assert_uint_eq(next->n_cables, cables[i]);
		graph_destroy(g);
		g = next;
	}
	graph_destroy(g);
	topo_destroy(s);
}
END_TEST

START_TEST(names_given_once_stay)
{
	struct topo_script *s =
		parse("h = [alloc(host), alloc(host)]\nlink(alloc(switch), h)\n", NULL);
	struct graph *g = make(s);

	ck_assert_int_eq(graph_find_node(g, "switch1"), 2);
	ck_assert_ptr_null(add(s, "switch1 = alloc(host)"));
	expect_error(s, "is taken by the switch");
	struct graph *next = add(s, "h3 = alloc(host) link(switch1, h3) link(h1, alloc(switch))");

	ck_assert_ptr_nonnull(next);
	ck_assert_int_eq(graph_find_node(next, "switch1"), 2);
	ck_assert_int_ge(graph_find_node(next, "switch2"), 0);
	graph_destroy(g);
	g = next;
	next = add(s, "free(switch1) switch3 = alloc(switch)");
	ck_assert_ptr_nonnull(next);
	ck_assert_int_eq(graph_find_node(next, "switch1"), -1);
	ck_assert_int_ge(graph_find_node(next, "switch2"), 0);
	graph_destroy(g);
	graph_destroy(next);
	topo_destroy(s);
}
END_TEST

START_TEST(automatic_addresses_given_once_stay)
{
	struct topo_script *s = parse("a = alloc(host) b = alloc(host) c = alloc(host)\n"
				      "k = link(a, b)\n",
				      NULL);
	struct graph *g = make(s);
	/* A new segment earlier in the order of the nodes must not take the old one's network. */
	struct graph *next = add(s, "z = alloc(switch) link(z, c) unplug(k) link(z, NIC(a, 2))");

	ck_assert_ptr_nonnull(next);
	graph_destroy(g);
	g = add(s, "plug(k, NIC(b, 1), NIC(a, 1))");
	ck_assert_ptr_nonnull(g);
	char text[64];

	ck_assert_str_eq(addr_format(&g->nodes[2].nics[0].addrs[0], true, text, sizeof(text)),
			 addr_format(&next->nodes[2].nics[0].addrs[0], true, text, sizeof(text)));
	graph_destroy(g);
	graph_destroy(next);
	topo_destroy(s);
}
END_TEST

START_TEST(an_empty_script_is_a_lab)
{
	struct topo_script *s = topo_parse(".vbet", "", 0, NULL);
	struct graph *g = make(s);

	ck_assert_uint_eq(g->n_nodes, 0);
	ck_assert_str_eq(g->lab, "vbet");
	graph_destroy(g);
	topo_destroy(s);
	topo_destroy(NULL);
	graph_destroy(NULL);
}
END_TEST

/* Texts that are large or deep must end quickly, and in words. */
START_TEST(monsters_are_refused)
{
	static const struct {
		const char *piece, *message;
	} monsters[] = {
		{"(", "nested more than"},
		{"[", "nested more than"},
		{"-", NULL},
		{"x = 1 + ", NULL},
		{"if true {", "nested more than"},
		{"\"${", "nested too deeply"},
		{"x[1]", NULL},
		{"{a = ", "nested more than"},
		{"def f() {", NULL},
		{"f(", "nested more than"},
		{"if a { } else ", NULL},
		{"x = a[b", "nested more than"},
		{"\xff\xfe", "unexpected"},
		{"<<A ", NULL},
	};

	for (size_t i = 0; i < ARRAY_LEN(monsters); i++) {
		size_t n = strlen(monsters[i].piece);
		size_t len = 200000 / n * n;
		char *text = xmalloc(len);

		for (size_t k = 0; k < len; k++)
			text[k] = monsters[i].piece[k % n];
		struct topo_script *s = topo_parse("monster", text, len, NULL);

		ck_assert_uint_ge(topo_n_errors(s), 1);
		ck_assert_ptr_null(topo_make_graph(s));
		if (monsters[i].message)
			expect_error(s, monsters[i].message);
		topo_destroy(s);
		free(text);
	}
}
END_TEST

START_TEST(a_thousand_nodes_are_no_effort)
{
	struct topo_script *s = parse("s = alloc(switch)\n"
				      "for i in 1..1000 { h[i] = alloc(host) link(s, h[i]) }\n",
				      NULL);
	struct graph *g = make(s);

	ck_assert_uint_eq(g->n_nodes, 1001);
	ck_assert_uint_eq(g->nodes[0].n_nics, 1000);
	ck_assert_uint_eq(g->nodes[1].nics[0].addrs[0].prefix, 16);
	graph_destroy(g);
	topo_destroy(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("topo_script");
	TCase *tc = tcase_create("topo_script");

	tcase_add_test(tc, a_graph_has_everything_filled_in);
	tcase_add_test(tc, the_same_script_gives_the_same_macs_and_another_lab_others);
	tcase_add_test(tc, errors_are_counted_and_in_order);
	tcase_add_test(tc, options_limit_memory_and_names);
	tcase_add_test(tc, included_files_are_asked_for_and_their_paths_are_theirs);
	tcase_add_test(tc, statements_change_a_copy);
	tcase_add_test(tc, a_wrong_statement_leaves_no_trace);
	tcase_add_test(tc, a_cable_may_wait_for_its_other_end);
	tcase_add_test(tc, names_given_once_stay);
	tcase_add_test(tc, automatic_addresses_given_once_stay);
	tcase_add_test(tc, an_empty_script_is_a_lab);
	tcase_add_test(tc, messages_have_the_place_of_the_author);
	tcase_add_test(tc, monsters_are_refused);
	tcase_add_test(tc, a_thousand_nodes_are_no_effort);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
