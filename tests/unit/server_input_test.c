/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "vbet-server/lab/lab.h"

#include "tests/support/suite.h"
#include "vbet-server/lab/message.h"
#include "vbet-server/store/paths.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A lab without guests: what is recorded and planned does not need any. */
static char dir[] = "/tmp/vbet-unit-XXXXXX";
static struct lab lab;
static struct graph graph;

static void setup(void)
{
	struct err e;

	strcpy(dir + strlen(dir) - 6, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	lab = (struct lab){
		.loop = loop_create(&e),
		.record.dir = dir,
		.graph = &graph,
		.clock = {.is_virtual = true, .stopped = true, .now_ns = 1000000000},
	};
	lab.clock.goal_ns = lab.clock.now_ns;
}

static void teardown(void)
{
	input_finish(&lab);
	loop_destroy(lab.loop);
	paths_remove_tree(dir);
}

static char *read_record(void)
{
	char *path = xasprintf("%s/inputs", dir);
	size_t len;
	char *text = paths_read_file(path, &len, NULL);

	free(path);
	ck_assert_ptr_nonnull(text);
	return text;
}

START_TEST(test_record)
{
	char *words[] = {"statement", "x = alloc(host)\n"};

	input_begin(&lab);
	lab.clock.now_ns = 61300000001;
	input_record(&lab, words, 2);
	message_record(&lab, "r1", 7, WIRE_DATA, "ls -l\n", 6);
	message_record(&lab, "r1", 7, WIRE_DATA, "a\0b", 3);
	message_record(&lab, "r1", 7, WIRE_EOF, NULL, 0);
	char *text = read_record();

	ck_assert_str_eq(text, "1.000000000 ready\n"
			       "61.300000001 statement \"x = alloc(host)\\n\"\n"
			       "61.300000001 agent r1 7 data \"text=ls -l\\n\"\n"
			       "61.300000001 agent r1 7 data hex=610062\n"
			       "61.300000001 agent r1 7 eof\n");
	free(text);
}
END_TEST

static unsigned order[4], n_order;

static void note(struct lab *l, void *ctx)
{
	order[n_order++] = *(unsigned *)ctx;
}

/* What waits is done in its order, at once if the clock stands. */
START_TEST(test_gate)
{
	unsigned one = 1;
	unsigned two = 2;

	n_order = 0;
	input_add(&lab, note, &one);
	ck_assert_uint_eq(n_order, 1);
	lab.change.outstanding = 1; /* the substrate has not answered yet */
	input_add(&lab, note, &two);
	ck_assert_uint_eq(n_order, 1);
	ck_assert(!input_is_settled(&lab));
	lab.change.outstanding = 0;
	input_pump(&lab);
	ck_assert_uint_eq(n_order, 2);
	ck_assert_uint_eq(order[1], 2);
}
END_TEST

static void stand(int64_t now_ns)
{
	struct arena a = {0};
	char *line = arena_printf(&a, "time %lld reached", (long long)now_ns);
	struct words w;

	ck_assert_int_eq(words_split(line, strlen(line), &a, &w, NULL), 0);
	clock_hear_time(&lab, &w);
	input_pump(&lab);
	arena_finish(&a);
}

/* Lent again before it stands again: it goes on, and stands when the last has ended. */
START_TEST(test_lent_in_a_row)
{
	input_begin(&lab);
	ck_assert(clock_lend(&lab));
	ck_assert(!lab.clock.stopped);
	ck_assert(!clock_will_stand(&lab));
	clock_take_back(&lab);
	ck_assert(!lab.clock.stopped);
	ck_assert(clock_will_stand(&lab));
	ck_assert(clock_lend(&lab));
	ck_assert(!clock_will_stand(&lab));
	stand(2000000000);
	ck_assert(!lab.clock.stopped);
	clock_take_back(&lab);
	stand(3000000000);
	ck_assert(clock_is_at_goal(&lab));
	char *text = read_record();

	ck_assert_str_eq(text, "1.000000000 ready\n"
			       "1.000000000 clock run\n"
			       "3.000000000 clock pause\n");
	free(text);
}
END_TEST

/* Somebody else has let it run meanwhile: it is not on loan any more, and goes on. */
START_TEST(test_lent_and_run)
{
	static char clock[] = "clock", run[] = "run";
	char *argv[] = {clock, run};
	struct words w = {.at = argv, .n = 2};

	ck_assert(clock_lend(&lab));
	ck_assert_int_eq(clock_command(&lab, &w, NULL), 0);
	ck_assert(!clock_lend(&lab));
	clock_take_back(&lab);
	ck_assert(!clock_will_stand(&lab));
	stand(2000000000);
	ck_assert(!lab.clock.stopped);
}
END_TEST

/* What cannot be done is told: the first of it, by time, whatever the order of the lines. */
START_TEST(test_replay)
{
	struct err e = {0};

	ck_assert_int_eq(input_load(&lab,
				    "1.000000000 ready\n"
				    "1.000000000 spun r9\n"
				    "1.000000000 start r1\n"
				    "1.000000000 start r2\n",
				    &e),
			 0);
	ck_assert(input_is_replaying(&lab));
	ck_assert(input_was_spun(&lab, "r9"));
	ck_assert(!input_was_spun(&lab, "r1"));
	lab.inputs.replay_ns = 2000000000;
	lab.clock.goal_ns = 2000000000;
	input_begin(&lab);
	ck_assert_int_eq(lab.inputs.refused.kind, ERR_NONE);
	/* Only what is planned for now is done, and the clock does not go on before. */
	lab.change.outstanding = 1;
	input_pump(&lab);
	ck_assert_int_eq(lab.inputs.refused.kind, ERR_NONE);
}
END_TEST

START_TEST(test_other_run)
{
	struct err e = {0};

	ck_assert_int_eq(input_load(&lab, "1.100000000 ready\n", &e), 0);
	input_begin(&lab);
	ck_assert(strstr(lab.inputs.refused.text, "another run"));
}
END_TEST

START_TEST(test_nonsense)
{
	static const char *const texts[] = {"ready\n", "1.0\n", "1.0 \"a\n", "x.y ready\n"};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = {0};

		ck_assert_msg(input_load(&lab, texts[i], &e) == -1, "%s", texts[i]);
		ck_assert(!input_is_replaying(&lab));
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_input");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_record);
	tcase_add_test(t, test_gate);
	tcase_add_test(t, test_lent_in_a_row);
	tcase_add_test(t, test_lent_and_run);
	tcase_add_test(t, test_replay);
	tcase_add_test(t, test_other_run);
	tcase_add_test(t, test_nonsense);
	suite_add_tcase(s, t);
	return suite_run(s);
}
