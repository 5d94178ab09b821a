/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The life of a change, in a lab of hubs without any process: a line for the substrate is refused
 * at once, as one for a process that has ended is.
 */
#include "vbet-server/lab/lab.h"

#include "tests/support/suite.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static const char script[] = "h = alloc(hub)\n";
static char dir[] = "/dev/null"; /* nothing is written there */
static struct lab lab;
static struct err e;

static char *no_file(void *ctx, const char *path, size_t *len, struct err *err)
{
	err_set(err, ERR_ENV, "%s: no such file", path);
	return NULL;
}

static void setup(void)
{
	static const struct topo_options opt = {.lab = "lab"};

	lab = (struct lab){
		.loop = loop_create(&e),
		.dir = dir,
		.record = {.dir = dir},
		.script = topo_parse("test.vbet", script, strlen(script), &opt),
		.env = {.lab_dir = "/run/lab",
			.kernel = "linux",
			.init = "init",
			.launcher = "launch",
			.substrate = "vsubstrate",
			.tree = "tree",
			.base_dir = "/script",
			.read_file = no_file},
	};
	lab.graph = topo_make_graph(lab.script);
	ck_assert_ptr_nonnull(lab.graph);
	lab.plan = plan_make(lab.graph, &lab.env, &e);
	ck_assert_ptr_nonnull(lab.plan);
	lab.guests = xcalloc(lab.graph->n_nodes, sizeof(*lab.guests));
	lab.n_guests = lab.graph->n_nodes;
	e.kind = ERR_NONE;
}

static void teardown(void)
{
	input_finish(&lab);
	link_finish(&lab);
	hotplug_finish(&lab);
	vlinks_finish(&lab.vlinks);
	for (size_t i = 0; i < lab.n_guests; i++)
		guest_destroy(lab.guests[i]);
	free(lab.guests);
	plan_destroy(lab.plan);
	graph_destroy(lab.graph);
	topo_destroy(lab.script);
	loop_destroy(lab.loop);
}

/* A client's change. */
static int say(const char *verb, const char *argument)
{
	char *words[] = {(char *)verb, (char *)argument};
	struct words w = {.at = words, .n = 2};

	return change_do(&lab, CHANGE_OF_CLIENT, &w, stdout, &e);
}

static bool has_node(const char *name)
{
	return graph_find_node(lab.graph, name) >= 0;
}

START_TEST(a_statement_that_changes_nothing_is_over_at_once)
{
	ck_assert_int_eq(say("statement", "x = 1"), 0);
	ck_assert(change_is_over(&lab));
	change_take_refusal(&lab, &e);
	ck_assert_int_eq(e.kind, ERR_NONE);
}
END_TEST

START_TEST(a_refused_statement_was_never_said)
{
	ck_assert_int_eq(say("statement", "second = alloc(hub, name = \"second\")"), 0);
	ck_assert(change_is_over(&lab));
	ck_assert(!has_node("second"));
	change_take_refusal(&lab, &e);
	ck_assert_ptr_nonnull(strstr(e.text, "(for 'device second hub')"));
	/* It is told once, and the name is free. */
	e.kind = ERR_NONE;
	change_take_refusal(&lab, &e);
	ck_assert_int_eq(e.kind, ERR_NONE);
	ck_assert_int_eq(say("statement", "second = 2"), 0);
}
END_TEST

/* What is wrong with one statement must not be wrong with all that follow. */
START_TEST(a_statement_that_cannot_be_planned_was_never_said)
{
	ck_assert_int_eq(say("statement", "f = alloc(firewall, name = \"f\") "
					  "config(f, nft, file(\"gone.nft\"))"),
			 -1);
	ck_assert_str_eq(e.text, "f: /script/gone.nft: no such file");
	ck_assert(change_is_over(&lab));
	ck_assert(!has_node("f"));
	e.kind = ERR_NONE;
	ck_assert_int_eq(say("statement", "x = 1"), 0);
	change_take_refusal(&lab, &e);
	ck_assert_int_eq(e.kind, ERR_NONE);
}
END_TEST

/* "It is 'at' a time" is known after the lab has been changed. */
START_TEST(a_statement_whose_time_cannot_be_was_never_said)
{
	ck_assert_int_eq(say("statement", "a = alloc(hub, name = \"a\") b = alloc(hub) link(a, b) "
					  "at 5s cut(a, b)"),
			 -1);
	ck_assert_msg(strstr(e.text, "virtual clock") != NULL, "%s", e.text);
	ck_assert(change_is_over(&lab));
	ck_assert(!has_node("a"));
	ck_assert_uint_eq(lab.graph->n_events, 0);
	ck_assert_uint_eq(lab.inputs.planned.n, 0);
}
END_TEST

static void note(struct lab *l, void *ctx)
{
	++*(unsigned *)ctx;
}

/* Also by the real clock: else a refusal could be that of another change. */
START_TEST(one_change_waits_for_the_answers_to_another)
{
	unsigned runs = 0;

	change_ask(&lab);
	input_add(&lab, note, &runs);
	ck_assert_uint_eq(runs, 0);
	change_answered(&lab, NULL);
	ck_assert_uint_eq(runs, 1);
}
END_TEST

static enum err_kind heard;

static void take(void *ctx)
{
	struct err told = {0};

	change_take_refusal(&lab, &told);
	if (told.kind)
		heard = told.kind;
}

static void say_next(struct lab *l, void *ctx)
{
	say("statement", "x = 1");
}

/* Whoever waits for a change hears that it was refused before the next one begins. */
START_TEST(a_refusal_is_told_before_the_next_change_begins)
{
	struct err no;

	heard = ERR_NONE;
	lab.listener.changed = take;
	change_ask(&lab);
	input_add(&lab, say_next, NULL);
	err_set(&no, ERR_ENV, "no");
	change_answered(&lab, &no);
	ck_assert_int_eq(heard, ERR_ENV);
}
END_TEST

/* While the lab is set up, a refusal is its end. */
START_TEST(a_refusal_fails_the_set_up)
{
	lab.progress.setting_up = true;
	change_ask(&lab);
	err_set(&e, ERR_ENV, "no");
	change_answered(&lab, &e);
	ck_assert(lab.progress.failed);
}
END_TEST

static void add(TCase *tc)
{
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_statement_that_changes_nothing_is_over_at_once);
	tcase_add_test(tc, a_refused_statement_was_never_said);
	tcase_add_test(tc, a_statement_that_cannot_be_planned_was_never_said);
	tcase_add_test(tc, a_statement_whose_time_cannot_be_was_never_said);
	tcase_add_test(tc, one_change_waits_for_the_answers_to_another);
	tcase_add_test(tc, a_refusal_is_told_before_the_next_change_begins);
	tcase_add_test(tc, a_refusal_fails_the_set_up);
}

int main(void)
{
	return suite_run_case("change", add);
}
