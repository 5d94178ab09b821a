/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Scripts to plans to text, for the tests of plans. */
#ifndef TESTS_UNIT_PLAN_HELP_H
#define TESTS_UNIT_PLAN_HELP_H

#include "vbet-server/plan/plan.h"

#include "lib/xalloc.h"
#include "tests/support/suite.h"
#include "topo/topo.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static inline char *files(void *ctx, const char *path, size_t *len, struct err *e)
{
	if (strcmp(path, "/script/rules.nft") != 0) {
		err_set(e, ERR_ENV, "%s: no such file", path);
		return NULL;
	}
	char *text = xstrdup("flush ruleset\n");

	*len = strlen(text);
	return text;
}

static struct plan_env env = {
	.lab_dir = "/run/lab",
	.kernel = "/lib/linux",
	.init = "/lib/vbet-init",
	.launcher = "/lib/vbet-launch",
	.tree = "/lib/tree",
	.base_dir = "/script",
	.cpus = 2,
	.read_file = files,
};

static struct topo_script *script;
static struct graph *graph;

/* The graph of a script; freed by teardown(). */
static const struct graph *graph_of(const char *text)
{
	static const struct topo_options opt = {.lab = "lab"};

	script = topo_parse("test.vbet", text, strlen(text), &opt);
	graph = topo_make_graph(script);
	if (!graph)
		topo_print_errors(stderr, script);
	ck_assert_ptr_nonnull(graph);
	return graph;
}

static inline void teardown(void)
{
	env.processes = 0;
	env.running = NULL;
	graph_destroy(graph);
	topo_destroy(script);
	graph = NULL;
	script = NULL;
}

static inline struct plan *plan_of_graph(const struct graph *g)
{
	struct err e = {0};
	struct plan *p = plan_make(g, &env, &e);

	ck_assert_msg(p != NULL, "%s", e.text);
	return p;
}

static inline struct plan *plan_of(const char *text)
{
	struct plan *p = plan_of_graph(graph_of(text));

	teardown();
	return p;
}

/* The plan as text, malloc'ed. */
static inline char *print(const struct plan *p)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	plan_print(f, p);
	fclose(f);
	return text;
}

/* The difference as text: "+", "-" or "~", and what it is about. */
static inline char *print_diff(const struct plan *from, const struct plan *to)
{
	static const char signs[] = {[PLAN_ADD] = '+', [PLAN_REMOVE] = '-', [PLAN_SET] = '~'};
	static const char *const ops[] = {"process", "dir",   "file",    "substrate",
					  "outside", "guest", "program", "bound"};
	struct plan_diff_item *items;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);
	size_t n = plan_diff(from, to, &items);

	for (size_t i = 0; i < n; i++)
		fprintf(f, "%c %s %s\n", signs[items[i].change], ops[items[i].step->op],
			items[i].step->name);
	fclose(f);
	free(items);
	return text;
}

static inline void assert_diff(const char *before, const char *after, const char *want)
{
	struct plan *from = plan_of(before);
	struct plan *to = plan_of(after);
	char *got = print_diff(from, to);

	ck_assert_str_eq(got, want);
	free(got);
	plan_destroy(from);
	plan_destroy(to);
}

#define TWO "a = alloc(host) b = alloc(host)\n"
#define MACS                                                                            \
	"link(attach(alloc(host, name = \"a\"), alloc(NIC, mac = 02:00:00:00:00:01)), " \
	"attach(alloc(host, name = \"b\"), alloc(NIC, mac = 02:00:00:00:00:02)), "      \
	"delay = 5ms, up = off, name = \"c\")"

#define FIXED "address(a, 10.0.0.1/24) address(b, 10.0.0.2/24)\n"

#endif
