/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Events and expectations of a script, against a lab that is a few lines here: a virtual clock, and
 * commands that take 30 ms each. "exec(a, "T5")" holds from 5 s on; b is down.
 */
#include "vbet-server/command/expect.h"

#include "lib/xalloc.h"
#include "tests/support/script.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 400 };
static const int64_t second_ns = 1000000000;
static int64_t takes_ns = 30000000;

struct fake_job {
	int64_t began_ns;
	bool held;
	bool asked; /* its result was told: it is forgotten */
};

static int64_t now_ns;
static struct fake_job jobs[JOBS_MAX];
static unsigned n_jobs;
static const char *refuses; /* the first word of what the lab does not do */
static bool breaks;         /* a process of the lab has ended */
static char done[4096];     /* what was done to it, with times */
static struct err e;

int __wrap_client_ask(const char *lab, char *const *words, size_t n, FILE *out, struct err *err);

static void note(char *const *words, size_t n)
{
	size_t len = strlen(done);

	len += (size_t)snprintf(done + len, sizeof(done) - len, "%.3f", (double)now_ns / 1e9);
	for (size_t i = 0; i < n; i++)
		len += (size_t)snprintf(done + len, sizeof(done) - len, " %s", words[i]);
	snprintf(done + len, sizeof(done) - len, "\n");
}

static int clock_words(char *const *words, size_t n, FILE *out)
{
	if (n == 3 && !strcmp(words[1], "until")) {
		int64_t to = strtoll(words[2], NULL, 10);

		ck_assert_int_ge(to, now_ns); /* time does not go back */
		now_ns = to;
	}
	fprintf(out, "%lld.%09lld\n", (long long)(now_ns / second_ns),
		(long long)(now_ns % second_ns));
	return 0;
}

static int job_words(char *const *words, size_t n, FILE *out, struct err *err)
{
	const char *command = words[n - 1];

	if (!strcmp(words[1], "b"))
		return err_set(err, ERR_ENV, "b is down");
	ck_assert_uint_lt(n_jobs, JOBS_MAX);
	if (*command != 'T')
		note(words, n);
	jobs[n_jobs++] = (struct fake_job){
		.began_ns = now_ns,
		.held = *command != 'T' || now_ns >= strtoll(command + 1, NULL, 10) * second_ns,
	};
	fprintf(out, "%u\n", n_jobs);
	return 0;
}

static int result_words(const char *number, FILE *out)
{
	struct fake_job *j = &jobs[atoi(number) - 1];

	ck_assert_uint_ge(n_jobs, (unsigned)atoi(number));
	ck_assert(!j->asked);
	if (now_ns < j->began_ns + takes_ns) {
		fputs("running\n", out);
		return 0;
	}
	j->asked = true;
	fputs(j->held ? "done 0 \"\"\n" : "done 1 \"first\\nnot yet\\n\"\n", out);
	return 0;
}

int __wrap_client_ask(const char *lab, char *const *words, size_t n, FILE *out, struct err *err)
{
	ck_assert_str_eq(lab, "t");
	if (refuses && !strcmp(words[0], refuses))
		return err_set(err, ERR_ENV, "the lab does not do that");
	if (!strcmp(words[0], "clock"))
		return clock_words(words, n, out);
	if (!strcmp(words[0], "job"))
		return job_words(words, n, out, err);
	if (!strcmp(words[0], "result"))
		return result_words(words[1], out);
	if (!strcmp(words[0], "check")) {
		fprintf(out, "is 0 250000000 0 holds job a -- %s\n", words[1]);
		return 0;
	}
	if (!strcmp(words[0], "whole"))
		return breaks ? err_set(err, ERR_ENV, "a process has ended") : 0;
	note(words, n);
	return 0;
}

static void setup(void)
{
	now_ns = second_ns / 2;
	n_jobs = 0;
	refuses = NULL;
	breaks = false;
	done[0] = '\0';
	e.kind = ERR_NONE;
}

static char printed[4096];

/* Runs a script; printed has what it printed. */
static int run_to(const char *lines, struct expect_result *r)
{
	char *script = xasprintf("clock = virtual\n"
				 "a = alloc(host) b = alloc(host) link(a, b)\n%s",
				 lines);
	struct topo_script *parsed;
	struct graph *g = script_graph("s", script, &parsed);
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	*r = (struct expect_result){0};
	int rc = expect_run("t", g, f, r, &e);

	fclose(f);
	snprintf(printed, sizeof(printed), "%s", out);
	free(out);
	graph_destroy(g);
	topo_destroy(parsed);
	free(script);
	return rc;
}

static const char *run(const char *lines, struct expect_result *r)
{
	ck_assert_int_eq(run_to(lines, r), 0);
	return printed;
}

START_TEST(events_happen_at_their_times)
{
	struct expect_result r;

	ck_assert_str_eq(run("at 3s kill(a)\n"
			     "at 2s cut(a, b)\n"
			     "at 2s mend(a, b)\n"
			     "at 2500ms exec(a, \"echo x\")\n",
			     &r),
			 "");
	ck_assert_str_eq(done, "2.000 link a:eth0 b:eth0 down\n"
			       "2.000 link a:eth0 b:eth0 up\n"
			       "2.500 job a timeout_ms=60000 -- /bin/sh -c echo x\n"
			       "3.000 kill a\n");
	ck_assert_int_eq(r.end_ns, 3 * second_ns);
	ck_assert_uint_eq(r.held + r.missed + r.refused, 0);
}
END_TEST

START_TEST(an_event_that_is_refused_is_told_and_others_happen)
{
	struct expect_result r;

	refuses = "kill";
	ck_assert_str_eq(run("at 2s kill(a)\nat 3s cut(a, b)\n", &r),
			 "FAIL s:3 at 2s kill(a): not done at 2.000 s: the lab does not do that\n");
	ck_assert_str_eq(done, "3.000 link a:eth0 b:eth0 down\n");
	ck_assert_uint_eq(r.refused, 1);
}
END_TEST

/* Every 250 ms at first; a sixteenth of what it has taken so far, later; at last when time is up.
 */
START_TEST(the_longer_it_takes_the_rarer_it_is_tried)
{
	struct expect_result r;

	run("expect within 60s of 2s exec(a, \"T50\")\n", &r);
	ck_assert_uint_eq(r.held, 1);
	ck_assert_uint_lt(n_jobs, 70);
	setup();
	run("expect within 7s of 2s exec(a, \"T50\", every = 3s)\n", &r);
	ck_assert_uint_eq(n_jobs, 4);
	ck_assert_int_eq(jobs[1].began_ns, 5 * second_ns);
	ck_assert_int_eq(jobs[2].began_ns, 8 * second_ns);
	ck_assert_int_eq(jobs[3].began_ns, 9 * second_ns);
}
END_TEST

/* What did not hold says nothing of the network if a process of the lab has ended. */
START_TEST(a_lab_that_is_not_whole_is_an_error)
{
	struct expect_result r;

	breaks = true;
	ck_assert_int_eq(run_to("expect at 2s exec(b, \"T0\")\n", &r), -1);
	ck_assert_int_eq(e.kind, ERR_ENV);
	ck_assert_str_eq(e.text, "a process has ended");
}
END_TEST

/* The fake's commands fail if they begin with T: that of an event is told, and is no expectation.
 */
START_TEST(a_command_of_an_event_that_fails_is_told)
{
	struct expect_result r;

	ck_assert_str_eq(run("at 2s exec(a, \"T9\")\nat 3s exec(a, \"x\")\nat 4s kill(a)\n", &r),
			 "NOTE s:3 at 2s exec(a, \"T9\"): it ended with exit status 1\n"
			 "    | first\n    | not yet\n");
	ck_assert_uint_eq(r.held + r.missed + r.refused, 0);
}
END_TEST

START_TEST(at_its_time_it_holds_or_not)
{
	struct expect_result r;

	ck_assert_str_eq(run("expect at 6s exec(a, \"T5\")\n"
			     "expect at 4s exec(a, \"T5\")\n"
			     "expect at 4s not exec(a, \"T5\")\n",
			     &r),
			 "FAIL s:4 expect at 4s exec(a, \"T5\"): did not hold, last tried at 4.000 "
			 "s: not yet\n"
			 "    expected: exit status 0; seen: exit status 1\n"
			 "    | first\n    | not yet\n"
			 "PASS s:5 expect at 4s not exec(a, \"T5\"): held at 4.000 s\n"
			 "PASS s:3 expect at 6s exec(a, \"T5\"): held at 6.000 s\n");
	ck_assert_uint_eq(n_jobs, 3); /* each was tried once */
	ck_assert_uint_eq(r.held, 2);
	ck_assert_uint_eq(r.missed, 1);
}
END_TEST

/* The last try begins at the deadline, and none after it. */
START_TEST(within_a_time_it_is_tried_again_and_again)
{
	struct expect_result r;

	ck_assert_str_eq(run("expect within 4s of 2s exec(a, \"T5\")\n", &r),
			 "PASS s:3 expect within 4s of 2s exec(a, \"T5\"): held at 5.000 s\n");
	ck_assert_uint_eq(n_jobs, 13); /* every 250 ms */
	setup();
	ck_assert_str_eq(
		run("expect within 1s of 2s exec(a, \"T5\")\n", &r),
		"FAIL s:3 expect within 1s of 2s exec(a, \"T5\"): did not hold, last tried "
		"at 3.000 s: not yet\n"
		"    expected: exit status 0; seen: exit status 1\n"
		"    | first\n    | not yet\n");
	ck_assert_uint_eq(n_jobs, 5);
}
END_TEST

/* What else is expected, and how often it is tried, does not show in when this one holds. */
START_TEST(expectations_do_not_depend_on_each_other)
{
	static const char line[] = "expect within 9s of 2s exec(a, \"T5\")\n";
	struct expect_result r;
	char alone[200];
	char *both = xasprintf("%sexpect within 9s of 2100ms exec(a, \"T99\")\n", line);

	takes_ns = second_ns / 10 * 11;
	snprintf(alone, sizeof(alone), "%s", run(line, &r));
	setup();
	ck_assert_ptr_nonnull(strstr(run(both, &r), alone));
	takes_ns = 30000000;
	free(both);
}
END_TEST

START_TEST(a_node_that_is_down_holds_nothing)
{
	struct expect_result r;

	ck_assert_str_eq(run("expect at 2s exec(b, \"T0\")\n", &r),
			 "FAIL s:3 expect at 2s exec(b, \"T0\"): did not hold, last tried at 2.000 "
			 "s: b is down\n"
			 "    expected: exit status 0; seen: it could not be tried\n");
}
END_TEST

START_TEST(a_lab_that_has_gone_ends_it)
{
	static const struct graph none = {.clock = CLOCK_VIRTUAL};
	struct expect_result r = {0};

	refuses = "clock";
	ck_assert_int_eq(expect_run("t", &none, stdout, &r, &e), -1);
	ck_assert_str_eq(e.text, "the lab does not do that");
}
END_TEST

static int wait_for(const char *check, int64_t limit_ns, char *said, size_t size)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);
	struct expect_wish wish = {.check = check, .limit_ns = limit_ns};
	int rc = expect_wait("t", true, &wish, f, &e);

	fclose(f);
	snprintf(said, size, "%s", out);
	free(out);
	return rc;
}

START_TEST(a_clock_goes_on_until_a_check_holds)
{
	char said[64];

	ck_assert_int_eq(wait_for("T5", 0, said, sizeof(said)), 0);
	ck_assert_str_eq(said, "held at 5.000000000 s\n");
	setup();
	ck_assert_int_eq(wait_for("T5", 2 * second_ns, said, sizeof(said)), -1);
	ck_assert_int_eq(e.kind, ERR_TIMEOUT);
	ck_assert_ptr_nonnull(strstr(e.text, "not yet"));
	ck_assert_str_eq(said, "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("server_expect");
	TCase *t = tcase_create("expect");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, events_happen_at_their_times);
	tcase_add_test(t, an_event_that_is_refused_is_told_and_others_happen);
	tcase_add_test(t, the_longer_it_takes_the_rarer_it_is_tried);
	tcase_add_test(t, a_lab_that_is_not_whole_is_an_error);
	tcase_add_test(t, a_command_of_an_event_that_fails_is_told);
	tcase_add_test(t, at_its_time_it_holds_or_not);
	tcase_add_test(t, within_a_time_it_is_tried_again_and_again);
	tcase_add_test(t, expectations_do_not_depend_on_each_other);
	tcase_add_test(t, a_node_that_is_down_holds_nothing);
	tcase_add_test(t, a_lab_that_has_gone_ends_it);
	tcase_add_test(t, a_clock_goes_on_until_a_check_holds);
	suite_add_tcase(s, t);
	return suite_run(s);
}
