/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each format refuses, and where it says the mistake is; what is hostile ends soon, and with a
 * reason. */
#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "vbet-server/import/format.h"
#include "vbet-server/import/script.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- a lab without other files ---- */

static char *read_none(void *ctx, const char *path, size_t *len, struct err *e)
{
	err_set(e, ERR_ENV, "no such file");
	return NULL;
}

static int list_none(void *ctx, const char *path, struct arena *a, struct strvec *names)
{
	return -1;
}

static bool none_is_executable(void *ctx, const char *path)
{
	return false;
}

static const struct import_source no_files = {read_none, list_none, none_is_executable, NULL};

/* The script, or the message: the caller frees it. */
static char *import_text(const char *file, const char *text, size_t len, bool *ok)
{
	struct import_model m;
	struct err e = {0};
	struct script_copies copies;
	char *out = NULL;
	size_t out_len;
	const struct import_format *f = format_find(file, text, len);

	ck_assert_msg(f != NULL, "%s is of no format", file);
	*ok = format_read(f, &m, file, &no_files, text, len, &e) == 0;
	if (*ok) {
		FILE *to = open_memstream(&out, &out_len);

		script_write(to, &m, false, &copies);
		fclose(to);
	}
	model_finish(&m);
	return *ok ? out : xstrdup(e.text);
}

static void expect_error(const char *file, const char *text, const char *want)
{
	bool ok;
	char *got = import_text(file, text, strlen(text), &ok);

	ck_assert_msg(!ok && strstr(got, want), "%s: expected \"%s\", got: %s", file, want, got);
	free(got);
}

/* ---- mistakes ---- */

#define NETLAB(LINKS) "nodes: [a, b]\nlinks:\n" LINKS
#define CLAB(LINKS)   "topology:\n  nodes:\n    a:\n    b:\n  links:\n" LINKS

static const struct {
	const char *file, *text, *error;
} mistakes[] = {
	{"x.clab.yml", "name: x\n", "x.clab.yml:1:1: there is no 'topology:'"},
	{"x.clab.yml", "topology:\n  nodes: [a, b]\n", "x.clab.yml:2:10: the topology has no map"},
	{"x.clab.yml", "topology: {nodes: {}}\n", "there are no nodes"},
	{"x.clab.yml", "topology:\n\tnodes:\n", "x.clab.yml:2:1:"},
	{"x.clab.yml", CLAB("  - endpoints: [a, b]\n"), "x.clab.yml:6:17: expected an endpoint"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth1, c:eth1]\n"), "there is no node 'c'"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth1]\n  - endpoints: [a:eth1, b:eth1]\n"),
	 "a:eth1 is in another link"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth99, b:eth1]\n"), "at most 64 interfaces"},
	{"x.clab.yml", CLAB("  - endpoints: [a:eth1, b:eth1]\n    mtu: -1\n"),
	 "x.clab.yml:7:10: an MTU"},
	{"lab.conf", "r1[0]=A\nr1[0]=B\n", "lab.conf:2:4: this interface is in a collision domain"},
	{"lab.conf", "r1[64]=A\n", "at most 64 interfaces"},
	{"lab.conf", "r1[99999999999999999999]=A\n", "at most 64 interfaces"},
	{"lab.conf", "r1[0]=\n", "lab.conf:1:4: a collision domain has a name"},
	{"lab.conf", "r1[0]=A/zz\n", "must be the MAC"},
	{"lab.conf", "../x[0]=A\n", "lab.conf:1:1: expected NAME[NUMBER]=DOMAIN"},
	{"lab.conf", "r1\n", "lab.conf:1:3: expected '[' or '='"},
	{"lab.conf", "r1[0\n", "lab.conf:1:4: expected NAME"},
	{"lab.conf", "# nothing\n", "there are no nodes"},
	{"x.yml", NETLAB("- a-c\n"), "x.yml:3:3: 'a-c' is not two nodes"},
	{"x.yml", NETLAB("- [a, c]\n"), "x.yml:3:7: there is no node 'c'"},
	{"x.yml", NETLAB("- a:\n  c:\n"), "'c' is no node, and no attribute"},
	{"x.yml", NETLAB("- pool: lan\n"), "x.yml:3:3: the link has no nodes"},
	{"x.yml", NETLAB("- {a: , b: , pool: x}\n"), "there is no pool 'x'"},
	{"x.yml", NETLAB("- {a: , b: , mtu: 1}\n"), "an MTU is a number"},
	{"x.yml", "nodes: {a: {id: 1}, b: {id: 1}}\nlinks:\n", "x.yml:1:29: an id is a number"},
	{"x.yml", "nodes: {a: {id: 0}}\nlinks:\n", "an id is a number"},
	{"x.yml", "nodes: 5\nlinks:\n", "x.yml:1:8: the topology has no list or map of nodes"},
	{"x.yml", "nodes: [a, a]\nlinks:\n", "there are two nodes 'a'"},
	{"x.yml", "nodes: [a, b]\nlinks: [a-b, a-b]\naddressing.p2p: {ipv4: 10.0.0.0/30}\n",
	 "the pool 'p2p' has no networks left"},
	{"x.yml", "nodes: [a, b]\nlinks: [a-b]\naddressing.p2p: {prefix: 8}\n",
	 "the prefixes of a pool are parts of it"},
	{"x.json", "{\"routers\": {\"r1\": {\"links\": {\"r2\": {}}},\n\"r2\": {\"links\": {}}}}",
	 "x.json:1:37: the other end has no link 'r1'"},
	{"x.json", "{\"routers\": [], \"links\": 0}", "x.json:1:13: there is no map of routers"},
	{"x.json", "{\"routers\": {}, \"links\": 0}", "there are no nodes"},
	{"x.json", "{\"routers\": {\"r1\": {\"links\": []}}}", "too many links, or no map of them"},
	{"x.json", "{\"routers\": {\"r1\": {\"links\": {}}}", "x.json:2:1: did not find"},
	{"x.json",
	 "{\"routers\": {\"r1\": {\"links\": {}}}, \"switches\": {\"s1\": {\"links\": {\"r9\": "
	 "{}}}}}",
	 "there is no router 'r9'"},
	{"x.graphml", "<graphml><graph>\n <node/></graph></graphml>",
	 "x.graphml:2:2: a node has an id"},
	{"x.graphml",
	 "<graphml><graph><node id='a'/>\n<edge source='a' target='b'/></graph></graphml>",
	 "x.graphml:2:1: the edge leads to 'b', which is no node"},
	{"x.graphml", "<graphml><graph/><graph/></graphml>", "more than one graph"},
	{"x.graphml", "<graphml><graph></node></graph>", "x.graphml:1:19: mismatched tag"},
	{"x.graphml", "<graphml/>", "there are no nodes"},
	{"x.graphml", "", "no element found"},
	{"x.graphml", "<!DOCTYPE g [<!ENTITY a SYSTEM 'file:///etc/passwd'>]><g>&a;</g>",
	 "entities are not taken"},
	{"x.gml", "graph [ node [ label \"a\" ] ]", "x.gml:1:27: the node has no id"},
	{"x.gml", "graph [ node [ id 1 label \"a ] ]", "the string has no end"},
	{"x.gml", "graph [\n node [ id 1 ]\n", "x.gml:3:1: expected ']'"},
	{"x.gml", "graph [ node [ id 1 ] ] ]", "x.gml:1:25: this ']' closes nothing"},
	{"x.gml", "graph [ node [ id ] ]", "x.gml:1:19: expected a value"},
	{"x.gml", "graph [ 1 ]", "x.gml:1:9: expected a key"},
	{"x.gml", "graph [ node [ id 1 ]\n edge [ source 1 ] ]", "x.gml:2:7: the edge leads to ''"},
};

START_TEST(mistakes_have_a_place)
{
	expect_error(mistakes[_i].file, mistakes[_i].text, mistakes[_i].error);
}
END_TEST

/* ---- hostile texts ---- */

/* '@' in the part becomes its number. */
static char *repeat(const char *before, const char *part, size_t n, const char *after)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	fputs(before, f);
	for (size_t i = 0; i < n; i++)
		for (const char *p = part; *p; p++)
			if (*p == '@')
				fprintf(f, "%zu", i);
			else
				fputc(*p, f);
	fputs(after, f);
	fclose(f);
	return out;
}

static const struct {
	const char *file, *before, *part;
	size_t n;
	const char *after, *error;
} hostile[] = {
	{"x.clab.yml", "topology: {nodes: ", "{a: ", 100000, "", "deep"},
	{"x.clab.yml", "topology: {nodes: ", "[", 100000, "", "deep"},
	{"x.clab.yml", "topology:\n  nodes:\n", "    n@:\n", 20000, "", "too large"},
	{"x.clab.yml", "topology:\n  nodes:\n    a:\n      exec: [", "x@, ", 250000, "]\n",
	 "more than 200000"},
	{"x.yml", "links:\nnodes:\n", "- n@\n", 20000, "", "too large"},
	{"x.yml", "nodes: [a, b]\nlinks:\n", "- a-b\n", 65, "", "at most 64 links"},
	{"x.yml", "nodes: [a, b]\nlinks:\n- x: 1\n", "  l@: 1\n", 1000, "", "more than 500 keys"},
	{"x.yml", "links:\nmodule: [bgp]\nbgp.as: 1\nnodes:\n", "- n@\n", 1000, "", "too large"},
	{"x.json", "{\"routers\": {\"r1\": {\"links\": {}, \"static_routes\": [",
	 "{\"network\": \"10.0.0.0/24\", \"no_of_ip\": 4000000000}, ", 2, "]}}}", "too large"},
	{"x.json", "{\"links\": 0, \"routers\": {", "\"r@\": {}, ", 20000, "}}", "too large"},
	{"x.json", "{\"links\": 0, \"routers\": {\"r\": {\"links\": {", "\"r@\": {}, ", 1000,
	 "}}}}", "too many links"},
	{"lab.conf", "", "r@[0]=A\n", 20000, "", "too large"},
	{"lab.conf", "", "r@[0]=A\n", 5000, "", "too large"},
	{"lab.conf", "", "r1[exec]=true\n", 100000, "", "too large"},
	{"x.graphml", "<graphml><graph>", "<a>", 100000, "", "nested too deeply"},
	{"x.graphml", "<graphml><graph>", "<node id='@'/>", 20000, "</graph></graphml>",
	 "too large"},
	{"x.graphml", "<graphml><graph><node id='a'/><node id='b'/>",
	 "<edge source='a' target='b'/>", 65, "</graph></graphml>", "more than 64 edges"},
	{"x.gml", "graph [", "a [ ", 100000, "", "nested too deeply"},
	{"x.gml", "graph [", "node [ id @ ] ", 20000, "]", "too large"},
	{"x.gml", "graph [ node [ id 1 ] ", "edge [ source 1 target 1 ] ", 300000, "]",
	 "too large"},
};

/* Ten names for the same list, ten times over. */
START_TEST(repeated_aliases_end_soon)
{
	expect_error("x.yml",
		     "nodes: [a]\n"
		     "a: &a [a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a,a]\n"
		     "b: &b {1: *a, 2: *a, 3: *a, 4: *a, 5: *a, 6: *a, 7: *a, 8: *a, 9: *a}\n"
		     "c: &c {1: *b, 2: *b, 3: *b, 4: *b, 5: *b, 6: *b, 7: *b, 8: *b, 9: *b}\n"
		     "links: {1: *c, 2: *c, 3: *c, 4: *c, 5: *c, 6: *c, 7: *c, 8: *c, 9: *c}\n",
		     "at most 64 links");
}
END_TEST

START_TEST(what_is_hostile_is_refused)
{
	char *text = repeat(hostile[_i].before, hostile[_i].part, hostile[_i].n, hostile[_i].after);

	expect_error(hostile[_i].file, text, hostile[_i].error);
	free(text);
}
END_TEST

/* ---- what numbers of graphs mean ---- */

static const struct {
	const char *a, *b, *edge, *link;
} graphs[] = {
	/* A quarter of the way around the Earth: 10007.56 km at 199861.6 km/s. */
	{"Longitude 0 Latitude 0", "Longitude 90 Latitude 0", "", "link(a, b, delay = 50070us)"},
	{"Longitude 7 Latitude 90", "Longitude -30 Latitude 0.0", "",
	 "link(a, b, delay = 50070us)"},
	{"Longitude 179.5 Latitude 0", "Longitude -179.5 Latitude 0", "",
	 "link(a, b, delay = 560us)"},
	{"Longitude 1 Latitude 2", "Longitude 1 Latitude 2", "", "link(a, b)"},
	{"Longitude 1", "Longitude 1 Latitude 2", "", "link(a, b)"},
	{"Longitude nan Latitude 1e999", "Longitude 1 Latitude 2", "", "link(a, b)"},
	{"", "", "LinkSpeedRaw 155520000.0", "link(a, b, rate = 155520kbit)"},
	{"", "", "LinkSpeed \"2.5\" LinkSpeedUnits \"G\"", "link(a, b, rate = 2500Mbit)"},
	{"", "", "LinkSpeed \"45\"", "link(a, b)"},
	{"", "", "LinkSpeedRaw -5", "link(a, b)"},
	{"", "", "LinkSpeedRaw 1e300", "link(a, b)"},
	{"", "", "LinkSpeedRaw \"fast\"", "link(a, b)"},
};

START_TEST(numbers_become_rates_and_delays)
{
	char *text = xasprintf("graph [ node [ id 1 label \"a\" %s ] node [ id 2 label \"b\" %s ] "
			       "edge [ source 1 target 2 %s ] ]",
			       graphs[_i].a, graphs[_i].b, graphs[_i].edge);
	bool ok;
	char *script = import_text("x.gml", text, strlen(text), &ok);
	char *want = xasprintf("\n%s\n", graphs[_i].link);

	ck_assert_msg(ok && strstr(script, want), "expected \"%s\" in:\n%s", graphs[_i].link,
		      script);
	free(want);
	free(script);
	free(text);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, mistakes_have_a_place, 0, (int)ARRAY_LEN(mistakes));
	tcase_add_loop_test(t, what_is_hostile_is_refused, 0, (int)ARRAY_LEN(hostile));
	tcase_add_test(t, repeated_aliases_end_soon);
	tcase_add_loop_test(t, numbers_become_rates_and_delays, 0, (int)ARRAY_LEN(graphs));
}

int main(void)
{
	return suite_run_case("import formats", add_tests);
}
