/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `vbet test` and `vbet clock until CHECK`: a client that drives the lab. It keeps a list of
 * events by time and one of trials (expectations on their way), and repeats: do what is due,
 * find the time at which something is due next, let the lab go on to it. In virtual time the
 * lab stands whenever we speak ("clock until T"), so that everything happens at exact times
 * however slow we are; by the real clock we sleep.
 *
 * At one moment the results of tries are looked at first, then events are done, then new tries
 * begun: an expectation of the time of an event sees what came of it.
 *
 * A try is a job (lab/job.c): a command in the node, whose result is asked for every step of
 * the lab's own time. If it does not hold, it is tried again until the deadline; the last try
 * begins no later than that, and may end after it.
 */
#include "vbet-server/command/expect.h"

#include "lib/vec.h"
#include "lib/words.h"
#include "vbet-server/command/client.h"
#include "vbet-server/plan/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t virtual_step_ns = 250000000; /* how often a result is asked for */
static const int64_t real_step_ns = 20000000;
static const int64_t look_ns = 1000000000; /* real clock: how often the lab is looked after */
static const int64_t retry_ns = 250000000; /* at the least, from the begin of one try to the next */

enum trial_state { TRIAL_WAITS, TRIAL_RUNS, TRIAL_OVER };

/* An expectation on its way. */
struct trial {
	const struct graph_expect *expect;
	enum trial_state state;
	int64_t next_ns, began_ns; /* of the next try, of the last one */
	char *job;                 /* owned: the number of a try that runs */
	char *last;                /* owned: what the last try said */
	int status;                /* of the last try; -1: it could not begin */
};

/* A command of an event that is under way. */
struct errand {
	const struct graph_event *event;
	char *job; /* owned; NULL: it has ended */
};

struct driver {
	const char *lab;
	const struct graph *graph;
	FILE *out;
	struct expect_result *result;
	bool is_virtual;
	int64_t now_ns;
	int64_t zero_ns;   /* real clock: when the lab became ready */
	int64_t looked_ns; /* real clock: when it last was looked after */
	struct trial *trials;
	const struct graph_event **events; /* by time */
	size_t next_event;
	VEC(struct errand) errands;
};

/* ---- talking to the lab ---- */

/* Sends words. *text, if text is not NULL, gets the answer, malloc'ed, without its last newline. */
static int ask(const struct driver *d, struct strvec *words, char **text, struct err *e)
{
	char *got = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&got, &len);
	int rc = client_ask(d->lab, (char *const *)words->at, words->n, f, e);

	fclose(f);
	while (len && got[len - 1] == '\n')
		got[--len] = '\0';
	vec_free(words);
	if (text)
		*text = rc == 0 ? got : NULL;
	if (rc != 0 || !text)
		free(got);
	return rc == 0 ? 0 : -1;
}

static int64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int read_clock(struct driver *d, struct err *e)
{
	struct strvec v = {0};
	char *text = NULL;

	if (!d->is_virtual) {
		d->now_ns = monotonic_ns() - d->zero_ns;
		return 0;
	}
	vec_push(&v, "clock");
	if (ask(d, &v, &text, e) < 0)
		return -1;
	d->now_ns = (int64_t)(strtod(text, NULL) * 1e9 + 0.5);
	free(text);
	return 0;
}

/* A virtual clock stands from here on, and moves only in go_to(). */
static int stand(struct driver *d, struct err *e)
{
	struct strvec v = {0};

	vec_push(&v, "clock");
	vec_push(&v, "pause");
	if (d->is_virtual && ask(d, &v, NULL, e) < 0)
		return -1;
	return read_clock(d, e);
}

/*
 * Whether what did not hold is the network's doing: -1 if a process of the lab has ended by itself,
 * or its server has.
 */
static int check_whole(const struct driver *d, struct err *e)
{
	struct strvec v = {0};

	vec_push(&v, "whole");
	return ask(d, &v, NULL, e);
}

/* In pieces: what is slept for may not come any more. */
static int sleep_until(struct driver *d, int64_t ns, struct err *e)
{
	while (d->now_ns < ns) {
		int64_t left = ns - d->now_ns;
		int64_t at = d->zero_ns + d->now_ns + (left < look_ns ? left : look_ns);
		struct timespec t = {at / 1000000000, at % 1000000000};

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
			;
		if (read_clock(d, e) < 0)
			return -1;
		if (d->now_ns - d->looked_ns < look_ns)
			continue;
		d->looked_ns = d->now_ns;
		if (check_whole(d, e) < 0)
			return -1;
	}
	return 0;
}

/*
 * Lets the lab go on to a time. A virtual clock stands there; by the real one we sleep, and if
 * we wake up late, what is due is done late, at the time that it is then.
 */
static int go_to(struct driver *d, int64_t ns, struct err *e)
{
	struct strvec v = {0};
	char *time;

	if (ns <= d->now_ns)
		return 0;
	if (!d->is_virtual)
		return sleep_until(d, ns, e);
	time = xasprintf("%lldns", (long long)ns);
	vec_push(&v, "clock");
	vec_push(&v, "until");
	vec_push(&v, time);
	int rc = ask(d, &v, NULL, e);

	free(time);
	d->now_ns = ns;
	return rc;
}

/* Starts a command for /bin/sh in a node; *job gets its number. */
static int start_job(const struct driver *d, const char *node, int64_t timeout_ns,
		     const char *command, char **job, struct err *e)
{
	struct strvec v = {0};
	struct arena a = {0};

	vec_push(&v, "job");
	vec_push(&v, node);
	vec_push(&v, event_timeout(&a, timeout_ns));
	vec_push(&v, "--");
	vec_push(&v, "/bin/sh");
	vec_push(&v, "-c");
	vec_push(&v, command);
	int rc = ask(d, &v, job, e);

	arena_finish(&a);
	return rc;
}

/* The last line is what a command such as ping sums up with. */
static const char *last_line(const char *text)
{
	const char *line = strrchr(text, '\n');

	return line ? line + 1 : text;
}

/* 1 with *status and *text (malloc'ed) if the job is done, 0 if it runs, or -1. */
static int job_result(const struct driver *d, const char *job, int *status, char **text,
		      struct err *e)
{
	struct arena a = {0};
	struct words w = {0};
	struct strvec v = {0};
	char *line = NULL;

	vec_push(&v, "result");
	vec_push(&v, job);
	if (ask(d, &v, &line, e) < 0)
		return -1;
	int rc = words_split(line, strlen(line), &a, &w, e);

	if (rc == 0 && w.n == 3) {
		*status = atoi(w.at[1]);
		size_t len = strlen(w.at[2]);

		while (len && w.at[2][len - 1] == '\n')
			len--;
		*text = xstrndup(w.at[2], len);
		rc = 1;
	}
	arena_finish(&a);
	free(line);
	return rc;
}

/* ---- events ---- */

static int act(struct driver *d, const struct graph_event *ev, struct err *e)
{
	struct arena a = {0};
	struct strvec v = {0};
	int rc = event_words(d->graph, ev, &a, &v, e);

	char *text = NULL;

	if (rc == 0)
		rc = ask(d, &v, &text, e);
	else
		vec_free(&v);
	arena_finish(&a);
	if (rc == 0 && ev->kind == ACTION_EXEC)
		vec_push(&d->errands, ((struct errand){ev, text}));
	else
		free(text);
	return rc;
}

static void print_output(FILE *out, const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		fprintf(out, "    | %.*s\n", (int)n, text);
		text += n + (text[n] == '\n');
	}
}

/*
 * Commands of events that have failed are told: nobody else would hear of it. That is no
 * expectation of the user's, so it is only told; and the lab does not stand for it.
 */
static int look_at_errands(struct driver *d, struct err *e)
{
	for (size_t i = 0; i < d->errands.n; i++) {
		struct errand *r = &d->errands.at[i];
		char *text = NULL;
		int status = 0;
		int rc = r->job ? job_result(d, r->job, &status, &text, e) : 0;

		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		free(r->job);
		r->job = NULL;
		if (status) {
			fprintf(d->out, "NOTE %s:%d ", r->event->pos.file, r->event->pos.line);
			graph_print_event(d->out, d->graph, r->event);
			fprintf(d->out, ": it ended with exit status %d\n", status);
			print_output(d->out, text);
		}
		free(text);
	}
	return 0;
}

static void do_event(struct driver *d, const struct graph_event *ev)
{
	struct err e = {0};

	if (act(d, ev, &e) == 0)
		return;
	fprintf(d->out, "FAIL %s:%d ", ev->pos.file, ev->pos.line);
	graph_print_event(d->out, d->graph, ev);
	fprintf(d->out, ": not done at %.3f s: %s\n", (double)d->now_ns / 1e9, e.text);
	d->result->refused++;
}

/* ---- expectations ---- */

struct outcome {
	const char *held, *missed;
};

static const struct outcome outcomes[] = {
	[CHECK_PING] = {"an answer", "none"},
	[CHECK_EXEC] = {"exit status 0", NULL},
	[CHECK_ROUTE] = {"such a route", "none"},
};
_Static_assert(ARRAY_LEN(outcomes) == CHECKS, "outcomes out of step with enum graph_check");

/* What should have been, what was, and all that was said. */
static void explain(FILE *out, const struct trial *t)
{
	const struct graph_expect *x = t->expect;
	const struct outcome *o = &outcomes[x->kind];

	fprintf(out, "    expected: %s%s; seen: ", x->negated ? "not " : "", o->held);
	if (t->status < 0)
		fputs("it could not be tried\n", out);
	else if (t->status == 0 && o->missed)
		fprintf(out, "%s\n", o->held);
	else if (!o->missed)
		fprintf(out, "exit status %d\n", t->status);
	else
		fprintf(out, "%s (exit status %d)\n", o->missed, t->status);
	if (t->last && strchr(t->last, '\n')) /* else it stands in the line above */
		print_output(out, t->last);
}

static void decide(struct driver *d, struct trial *t, bool held)
{
	const struct graph_expect *x = t->expect;

	t->state = TRIAL_OVER;
	fprintf(d->out, "%s %s:%d ", held ? "PASS" : "FAIL", x->pos.file, x->pos.line);
	graph_print_expect(d->out, d->graph, x);
	fprintf(d->out, ": %s at %.3f s", held ? "held" : "did not hold, last tried",
		(double)t->began_ns / 1e9);
	fprintf(d->out, "%s%s\n", !held && t->last && *t->last ? ": " : "",
		!held && t->last ? last_line(t->last) : "");
	if (!held)
		explain(d->out, t);
	fflush(d->out);
	if (held)
		d->result->held++;
	else
		d->result->missed++;
}

/*
 * From the begin of one try to that of the next. What has not come for a minute need not be known
 * to a quarter of a second; and each try is work that others in the lab can notice.
 */
static int64_t pause_ns(const struct trial *t)
{
	int64_t waited_ns = t->began_ns - t->expect->start_ns;

	if (t->expect->every_ns)
		return t->expect->every_ns;
	return waited_ns / 16 > retry_ns ? waited_ns / 16 : retry_ns;
}

/*
 * A try has ended. One that began before the deadline counts, however long it took: the last
 * one begins no later than that.
 */
static void end_try(struct driver *d, struct trial *t, int status)
{
	bool held = (status == 0) != t->expect->negated;

	bool was_last = t->began_ns >= t->expect->deadline_ns;

	t->state = TRIAL_WAITS;
	t->next_ns = t->began_ns + pause_ns(t);
	/* Whatever the pace, it is tried once more when time is up. */
	if (t->next_ns > t->expect->deadline_ns && !was_last)
		t->next_ns = t->expect->deadline_ns;
	if (t->next_ns < d->now_ns)
		t->next_ns = d->now_ns;
	if (held || t->next_ns > t->expect->deadline_ns || was_last)
		decide(d, t, held);
}

static void begin_try(struct driver *d, struct trial *t)
{
	char *command = event_check_command(d->graph, t->expect);
	struct err e = {0};

	t->began_ns = d->now_ns;
	if (start_job(d, d->graph->nodes[t->expect->node].name, t->expect->timeout_ns, command,
		      &t->job, &e) == 0) {
		t->state = TRIAL_RUNS;
	} else {
		/* A node that is down, for one: it may come up before the deadline. */
		free(t->last);
		t->last = xstrdup(e.text);
		t->status = -1;
		end_try(d, t, 255);
	}
	free(command);
}

/* A command that says nothing is quoted by its exit status. */
static int look_at_try(struct driver *d, struct trial *t, struct err *e)
{
	int status = 0;
	char *text = NULL;
	int rc = job_result(d, t->job, &status, &text, e);

	if (rc <= 0 || !text)
		return rc;
	free(t->job);
	free(t->last);
	t->job = NULL;
	t->last = *text ? text : xasprintf("exit status %d", status);
	t->status = status;
	if (!*text)
		free(text);
	end_try(d, t, status);
	return 0;
}

/* ---- all of it ---- */

static int by_time(const void *pa, const void *pb)
{
	const struct graph_event *a = *(const struct graph_event *const *)pa;
	const struct graph_event *b = *(const struct graph_event *const *)pb;

	if (a->time_ns != b->time_ns)
		return a->time_ns < b->time_ns ? -1 : 1;
	return a < b ? -1 : a > b; /* as they stand in the script */
}

/* What is due now: results of tries, then events, then new tries. */
static int do_due(struct driver *d, struct err *e)
{
	size_t n = d->graph->n_expects;

	for (size_t i = 0; i < n; i++)
		if (d->trials[i].state == TRIAL_RUNS && look_at_try(d, &d->trials[i], e) < 0)
			return -1;
	if (look_at_errands(d, e) < 0)
		return -1;
	while (d->next_event < d->graph->n_events && d->events[d->next_event]->time_ns <= d->now_ns)
		do_event(d, d->events[d->next_event++]);
	for (size_t i = 0; i < n; i++)
		if (d->trials[i].state == TRIAL_WAITS && d->trials[i].next_ns <= d->now_ns)
			begin_try(d, &d->trials[i]);
	return 0;
}

/*
 * When something is due next; -1: never. A try that runs has no time of its own: it is looked
 * at after a step.
 */
static int64_t next_time(const struct driver *d)
{
	int64_t next = -1;

	if (d->next_event < d->graph->n_events)
		next = d->events[d->next_event]->time_ns;
	for (size_t i = 0; i < d->graph->n_expects; i++) {
		const struct trial *t = &d->trials[i];
		int64_t at = t->next_ns;

		if (t->state == TRIAL_RUNS)
			at = d->now_ns + (d->is_virtual ? virtual_step_ns : real_step_ns);
		if (t->state != TRIAL_OVER && (next < 0 || at < next))
			next = at;
	}
	return next;
}

static void prepare(struct driver *d)
{
	const struct graph *g = d->graph;

	d->trials = xcalloc(g->n_expects + 1, sizeof(*d->trials));
	d->events = xcalloc(g->n_events + 1, sizeof(struct graph_event *));
	for (size_t i = 0; i < g->n_events; i++)
		d->events[i] = &g->events[i];
	if (g->n_events)
		qsort(d->events, g->n_events, sizeof(struct graph_event *), by_time);
	for (size_t i = 0; i < g->n_expects; i++) {
		d->trials[i].expect = &g->expects[i];
		d->trials[i].next_ns = g->expects[i].start_ns;
	}
}

int expect_run(const char *lab, const struct graph *g, FILE *out, struct expect_result *r,
	       struct err *e)
{
	struct driver d = {
		.lab = lab,
		.graph = g,
		.out = out,
		.result = r,
		.is_virtual = g->clock == CLOCK_VIRTUAL,
		.zero_ns = monotonic_ns(),
	};
	int rc = read_clock(&d, e);

	prepare(&d);
	while (rc == 0) {
		rc = do_due(&d, e);
		int64_t next = rc == 0 ? next_time(&d) : -1;

		if (next < 0)
			break;
		rc = go_to(&d, next, e);
	}
	if (rc == 0)
		rc = look_at_errands(&d, e);
	if (rc == 0)
		rc = check_whole(&d, e);
	r->end_ns = d.now_ns;
	for (size_t i = 0; i < g->n_expects; i++) {
		free(d.trials[i].job);
		free(d.trials[i].last);
	}
	for (size_t i = 0; i < d.errands.n; i++)
		free(d.errands.at[i].job);
	vec_free(&d.errands);
	free(d.trials);
	free(d.events);
	return rc;
}

/* ---- one check, now ---- */

/* Lets the lab go on until a command has ended. */
static int await_job(struct driver *d, const char *job, int *status, char **text, struct err *e)
{
	int64_t step = d->is_virtual ? virtual_step_ns : real_step_ns;
	int rc;

	while ((rc = job_result(d, job, status, text, e)) == 0)
		if (go_to(d, d->now_ns + step, e) < 0)
			return -1;
	return rc < 0 ? -1 : 0;
}

/* Tries once: *held. */
static int try_check(struct driver *d, const struct words *check, bool *held, char **text,
		     struct err *e)
{
	struct err why = {0};
	char *job = NULL;
	int status = 255;
	int rc = 0;

	free(*text);
	*text = NULL;
	if (start_job(d, check->at[0], GRAPH_COMMAND_NS, check->at[2], &job, &why) == 0)
		rc = await_job(d, job, &status, text, e);
	else
		*text = xstrdup(why.text);
	free(job);
	*held = (status == 0) == !strcmp(check->at[1], "is");
	return rc;
}

static int try_until(struct driver *d, const struct words *check, int64_t limit_ns,
		     int64_t *began_ns, char **text, struct err *e)
{
	int64_t end = limit_ns ? d->now_ns + limit_ns : INT64_MAX;
	bool held = false;

	for (;;) {
		*began_ns = d->now_ns;
		if (try_check(d, check, &held, text, e) < 0)
			return -1;
		if (held)
			return 0;
		if (d->now_ns >= end)
			return err_set(e, ERR_TIMEOUT, "it did not hold until %.9f s%s%s",
				       (double)d->now_ns / 1e9, *text && **text ? ": " : "",
				       *text ? last_line(*text) : "");
		if (d->now_ns < *began_ns + retry_ns && go_to(d, *began_ns + retry_ns, e) < 0)
			return -1;
	}
}

int expect_wait(const char *lab, bool is_virtual, const char *check, int64_t limit_ns, FILE *out,
		struct err *e)
{
	struct driver d = {.lab = lab, .is_virtual = is_virtual, .zero_ns = monotonic_ns()};
	struct strvec v = {0};
	struct arena a = {0};
	struct words w = {0};
	char *line = NULL;
	char *text = NULL;
	int64_t began_ns = 0;

	vec_push(&v, "check");
	vec_push(&v, check);
	int rc = ask(&d, &v, &line, e);

	if (rc == 0)
		rc = words_split(line, strlen(line), &a, &w, e);
	if (rc == 0)
		rc = stand(&d, e);
	if (rc == 0)
		rc = try_until(&d, &w, limit_ns, &began_ns, &text, e);
	if (rc == 0)
		fprintf(out, "held at %.9f s\n", (double)began_ns / 1e9);
	free(text);
	free(line);
	arena_finish(&a);
	return rc;
}
