/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `vbet test`: a client that drives the lab (drive.h). It keeps a list of
 * events by time and one of attempts (expectations on their way), and repeats: do what is due,
 * find the time at which something is due next, let the lab go on to it. In virtual time the
 * lab stands whenever we speak ("clock until T"), so that everything happens at exact times
 * however slow we are; by the real clock we sleep.
 *
 * At one moment the results of tries are looked at first, then events are done, then new tries
 * begun: an expectation of the time of an event sees what came of it.
 *
 * A try is a job (lab/job.c): a command in the node, or a look at what process 1 can tell. Its
 * result is asked for every step of the lab's own time, counted from its begin: when it is known
 * depends on no other expectation. If it does not hold, it is tried again until the deadline; the
 * last try begins no later than that, and may end after it.
 */
#include "vbet-server/command/expect.h"

#include "lib/units.h"
#include "lib/vec.h"
#include "lib/visible.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/command/trial.h"
#include "vbet-server/command/watch.h"
#include "vbet-server/plan/event.h"

#include <stdlib.h>
#include <string.h>

enum attempt_state { ATTEMPT_WAITS, ATTEMPT_RUNS, ATTEMPT_OVER };

/* An expectation on its way. */
struct attempt {
	const struct graph_expect *expect;
	struct trial trial;
	enum attempt_state state;
	int64_t next_ns;     /* of the next try; of one that runs: when its result is asked for */
	int64_t began_ns;    /* of the last try */
	struct watch *watch; /* owned; of what looks at frames */
	char *job;           /* owned: the number of a try that runs */
	char *last;          /* owned: what the last try said */
	int status;          /* of the last try; -1: it could not begin */
};

/* A command of an event that is under way. */
struct errand {
	const struct graph_event *event;
	char *job; /* owned; NULL: it has ended */
};

struct driver {
	struct drive lab;
	const struct graph *graph;
	FILE *out;
	struct expect_result *result;
	struct attempt *attempts;
	const struct graph_event **events; /* by time */
	size_t next_event;
	VEC(struct errand) errands;
};

/* ---- events ---- */

static int act(struct driver *d, const struct graph_event *ev, struct err *e)
{
	struct arena a = {0};
	struct strvec v = {0};
	int rc = event_words(d->graph, ev, &a, &v, e);

	char *text = NULL;

	if (rc == 0)
		rc = drive_ask(&d->lab, &v, &text, e);
	else
		vec_free(&v);
	arena_finish(&a);
	if (rc == 0 && ev->kind == ACTION_EXEC)
		vec_push(&d->errands, ((struct errand){ev, text}));
	else
		free(text);
	return rc;
}

/* ---- what is told ---- */

static char *event_text(const struct driver *d, const struct graph_event *ev)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	graph_print_event(f, d->graph, ev);
	fclose(f);
	return text;
}

static char *expect_text(const struct driver *d, const struct graph_expect *x)
{
	char *text = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&text, &len);

	fputs("expect ", f);
	graph_print_check(f, d->graph, x);
	fclose(f);
	return text;
}

void expect_put_name(FILE *out, const char *name, enum graph_level level, int64_t points)
{
	if (!name)
		return;
	fputs(name, out);
	if (level || points)
		fprintf(out, " (%s%s", level ? graph_level_name(level) : "",
			level && points ? ", " : "");
	if (points)
		fprintf(out, "%lld point%s", (long long)points, points == 1 ? "" : "s");
	fputs(level || points ? "): " : ": ", out);
}

static const char *word_of(const struct expect_report *r)
{
	static const char *const missed[LEVELS] = {
		[LEVEL_REQUIRED] = "FAIL", [LEVEL_WARNING] = "WARN", [LEVEL_BONUS] = "MISS"};

	return r->kind == EXPECT_NOTE ? "NOTE" : r->held ? "PASS" : missed[r->level];
}

/* One line, what belongs to it below, and the same as values for who wants them. */
static void tell(struct driver *d, const struct expect_report *r)
{
	fprintf(d->out, "%s %s:%d ", word_of(r), r->pos.file, r->pos.line);
	expect_put_name(d->out, r->name, r->level, r->points);
	fprintf(d->out, "%s: %s\n", r->text, r->message);
	if (!r->held && r->hint)
		fprintf(d->out, "    hint: %s\n", r->hint);
	fputs(r->detail, d->out);
	fflush(d->out);
	if (d->result->report)
		d->result->report(d->result->ctx, r);
}

/*
 * Commands of events that have failed are told: nobody else would hear of it. That is no
 * expectation of the user's, so it is only told; and the lab does not stand for it.
 */
static void note_errand(struct driver *d, const struct graph_event *ev, int status,
			const char *output)
{
	struct expect_report r = {.kind = EXPECT_NOTE,
				  .pos = ev->pos,
				  .number = (size_t)(ev - d->graph->events) + 1,
				  .time_ns = d->lab.now_ns};
	char *text = event_text(d, ev);
	char *message = xasprintf("it ended with exit status %d", status);
	char *detail = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&detail, &len);

	visible_put_lines(f, "    | ", output);
	fclose(f);
	r.text = text;
	r.message = message;
	r.detail = detail;
	tell(d, &r);
	free(text);
	free(message);
	free(detail);
}

static int look_at_errands(struct driver *d, struct err *e)
{
	for (size_t i = 0; i < d->errands.n; i++) {
		struct errand *r = &d->errands.at[i];
		char *text = NULL;
		int status = 0;
		int rc = r->job ? drive_job_result(&d->lab, r->job, &status, &text, e) : 0;

		if (rc < 0)
			return -1;
		if (rc == 0)
			continue;
		free(r->job);
		r->job = NULL;
		if (status)
			note_errand(d, r->event, status, text);
		free(text);
	}
	return 0;
}

static void do_event(struct driver *d, const struct graph_event *ev)
{
	struct err e = {0};

	if (act(d, ev, &e) == 0)
		return;
	char *text = event_text(d, ev);
	char *message = xasprintf("not done at %.3f s: %s", (double)d->lab.now_ns / 1e9, e.text);

	tell(d, &(struct expect_report){.kind = EXPECT_REFUSED,
					.pos = ev->pos,
					.number = (size_t)(ev - d->graph->events) + 1,
					.text = text,
					.message = message,
					.detail = "",
					.time_ns = d->lab.now_ns});
	free(text);
	free(message);
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
	[CHECK_NEIGHBOR] = {"such a neighbour", "none"},
	[CHECK_OSPF_FULL] = {"adjacencies that are full", "others"},
	[CHECK_BGP_ESTABLISHED] = {"sessions that are established", "others"},
	[CHECK_LOSS] = {"a loss", "none"},
	[CHECK_RTT] = {"a time", "none"},
	[CHECK_THROUGHPUT] = {"a rate", "none"},
	[CHECK_PATH] = {"this way", "another"},
	[CHECK_REACHES] = {"ways that arrive", "others"},
	[CHECK_NO_LOOP] = {"no circle in the forwarding tables", "some"},
	[CHECK_NO_BLACKHOLE] = {"no route that leads nowhere", "some"},
	[CHECK_SEEN] = {"such a frame", "none"},
	[CHECK_NEVER] = {"no such frame", "some"},
	[CHECK_COUNT] = {"so many frames", "others"},
	[CHECK_CONVERGES] = {"no more changes of routing tables", "changes"},
};
_Static_assert(ARRAY_LEN(outcomes) == CHECKS, "outcomes out of step with enum graph_check");

static bool is_bounded(const struct graph_expect *x)
{
	return x->probe.loss_ppm >= 0 || x->probe.rtt_ns >= 0;
}

static void put_outcome(FILE *out, const struct graph_expect *x)
{
	char text[64];

	fputs(outcomes[x->kind].held, out);
	if (x->probe.loss_ppm >= 0)
		fprintf(out, ", loss at most %s",
			unit_format(UNIT_PPM, x->probe.loss_ppm, text, sizeof(text)));
	if (x->probe.rtt_ns >= 0)
		fprintf(out, ", round trip at most %s",
			unit_format(UNIT_TIME, x->probe.rtt_ns, text, sizeof(text)));
}

static void put_expected(FILE *out, const struct graph_expect *x)
{
	const struct graph_want *w = &x->want;

	fprintf(out, "    expected: %s", x->negated ? "not " : "");
	if (!w->op)
		put_outcome(out, x);
	else if (w->path)
		fprintf(out, "%s %s %s", *w->path ? w->path : "the output", graph_want_name(w->op),
			w->shown);
	else
		fprintf(out, "%s %s", graph_want_name(w->op), w->shown);
	if (x->stays_ns && x->kind != CHECK_CONVERGES)
		fprintf(out, " for %g s", (double)x->stays_ns / 1e9);
	fputs("; seen: ", out);
}

/* What should have been, what was, and all that was said. */
static void explain(FILE *out, const struct attempt *t)
{
	const struct graph_expect *x = t->expect;
	const struct outcome *o = &outcomes[x->kind];

	put_expected(out, x);
	if (t->status >= 0 && (x->want.op || is_bounded(x)))
		fprintf(out, "%s\n", t->last ? drive_last_line(t->last) : "nothing");
	else if (t->status < 0)
		fputs("it could not be tried\n", out);
	else if (t->status == 0 && o->missed)
		fprintf(out, "%s\n", o->held);
	else if (!o->missed)
		fprintf(out, "exit status %d\n", t->status);
	else if (event_check_is_look(x))
		fprintf(out, "%s\n", o->missed);
	else
		fprintf(out, "%s (exit status %d)\n", o->missed, t->status);
	if (t->trial.is_settling)
		return;
	if (t->last && strchr(t->last, '\n')) /* else it stands in the line above */
		visible_put_lines(out, "    | ", t->last);
}

/* Of what is a figure, also if it is as it should be: runs are compared by it. */
static bool has_reason(const struct attempt *t, bool held)
{
	bool is_figure = t->expect->kind == CHECK_LOSS || t->expect->kind == CHECK_RTT ||
			 t->expect->kind == CHECK_THROUGHPUT || t->expect->kind == CHECK_COUNT;

	return t->last && *t->last && (!held || is_figure);
}

static char *message_of(const struct attempt *t, bool held)
{
	char *settled = trial_settled_text(&t->trial, held);
	const char *reason = settled               ? settled
			     : has_reason(t, held) ? drive_last_line(t->last)
						   : "";
	char *message = xasprintf("%s at %.3f s%s%s", held ? "held" : "did not hold, last tried",
				  (double)t->began_ns / 1e9, *reason ? ": " : "", reason);

	free(settled);
	return message;
}

static void decide(struct driver *d, struct attempt *t, bool held)
{
	const struct graph_expect *x = t->expect;

	t->state = ATTEMPT_OVER;
	char *text = expect_text(d, x);
	char *message = message_of(t, held);
	char *detail = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&detail, &len);

	if (!held)
		explain(f, t);
	fclose(f);
	tell(d, &(struct expect_report){.kind = EXPECT_DECIDED,
					.held = held,
					.pos = x->pos,
					.text = text,
					.name = x->name,
					.hint = x->hint,
					.points = x->points,
					.level = x->level,
					.number = (size_t)(x - d->graph->expects) + 1,
					.message = message,
					.detail = detail,
					.time_ns = t->began_ns});
	free(text);
	free(message);
	free(detail);
	d->result->points += held ? x->points : 0;
	if (held)
		d->result->held++;
	else if (x->level == LEVEL_REQUIRED)
		d->result->missed++;
	else
		d->result->excused++;
}

static void end_try(struct driver *d, struct attempt *t, int status)
{
	bool held = (status == 0) != t->expect->negated;
	enum trial_verdict verdict =
		trial_end_try(&t->trial, held, t->last, t->began_ns, d->lab.now_ns, &t->next_ns);

	t->state = ATTEMPT_WAITS;
	if (verdict != TRIAL_AGAIN)
		decide(d, t, verdict == TRIAL_HELD);
}

static void end_without(struct driver *d, struct attempt *t, const struct err *e)
{
	free(t->last);
	t->last = xstrdup(e->text);
	t->status = -1;
	end_try(d, t, 255);
}

/* The first time it only begins; it stays as it is when time is up, or is found before. */
static void try_watch(struct driver *d, struct attempt *t, const struct strvec *v)
{
	struct err e = {0};
	char *text = NULL;

	if (!t->watch) {
		t->watch = watch_begin_words(d->lab.lab, v->at, &e);
		t->next_ns = watch_first_look_ns(v->at, t->began_ns, &t->trial);
		if (t->watch && t->next_ns > d->lab.now_ns)
			return;
	}
	if (!t->watch || watch_judge(t->watch, v->at, v->n, &t->status, &text, &e) < 0) {
		end_without(d, t, &e);
		return;
	}
	free(t->last);
	t->last = text;
	end_try(d, t, t->status);
}

static void begin_try(struct driver *d, struct attempt *t)
{
	struct arena a = {0};
	struct strvec v = {0};
	struct err e = {0};

	t->began_ns = d->lab.now_ns;
	event_check_words(d->graph, t->expect, &a, &v);
	if (watch_is_meant(v.at, v.n)) {
		try_watch(d, t, &v);
		vec_free(&v);
	} else if (drive_ask(&d->lab, &v, &t->job, &e) == 0) {
		t->state = ATTEMPT_RUNS;
		t->next_ns = t->began_ns + drive_step_ns(&d->lab);
	} else {
		/* A node that is down, for one: it may come up before the deadline. */
		end_without(d, t, &e);
	}
	arena_finish(&a);
}

/* A command that says nothing is quoted by its exit status. */
static int look_at_try(struct driver *d, struct attempt *t, struct err *e)
{
	int status = 0;
	char *text = NULL;
	int rc = drive_job_result(&d->lab, t->job, &status, &text, e);

	if (rc == 0)
		t->next_ns = d->lab.now_ns + drive_step_ns(&d->lab);
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
		if (d->attempts[i].state == ATTEMPT_RUNS &&
		    d->attempts[i].next_ns <= d->lab.now_ns &&
		    look_at_try(d, &d->attempts[i], e) < 0)
			return -1;
	if (look_at_errands(d, e) < 0)
		return -1;
	while (d->next_event < d->graph->n_events &&
	       d->events[d->next_event]->time_ns <= d->lab.now_ns)
		do_event(d, d->events[d->next_event++]);
	for (size_t i = 0; i < n; i++)
		if (d->attempts[i].state == ATTEMPT_WAITS &&
		    d->attempts[i].next_ns <= d->lab.now_ns)
			begin_try(d, &d->attempts[i]);
	return 0;
}

/* When something is due next; -1: never. */
static int64_t next_time(const struct driver *d)
{
	int64_t next = -1;

	if (d->next_event < d->graph->n_events)
		next = d->events[d->next_event]->time_ns;
	for (size_t i = 0; i < d->graph->n_expects; i++) {
		const struct attempt *t = &d->attempts[i];

		if (t->state != ATTEMPT_OVER && (next < 0 || t->next_ns < next))
			next = t->next_ns;
	}
	return next;
}

static struct trial trial_of(const struct graph_expect *x, int64_t from_ns)
{
	struct trial t = trial_begin(from_ns + x->start_ns, from_ns + x->deadline_ns);

	t.pause_ns = event_check_pause_ns(x);
	t.backs_off = !x->every_ns;
	t.stays_ns = x->stays_ns;
	t.is_settling = event_check_settles(x);
	return t;
}

static void prepare(struct driver *d)
{
	const struct graph *g = d->graph;

	d->attempts = xcalloc(g->n_expects + 1, sizeof(*d->attempts));
	d->events = xcalloc(g->n_events + 1, sizeof(struct graph_event *));
	for (size_t i = 0; i < g->n_events; i++)
		d->events[i] = &g->events[i];
	if (g->n_events)
		qsort(d->events, g->n_events, sizeof(struct graph_event *), by_time);
	for (size_t i = 0; i < g->n_expects; i++) {
		d->attempts[i].expect = &g->expects[i];
		d->attempts[i].trial = trial_of(&g->expects[i], d->result->from_ns);
		d->attempts[i].next_ns = d->attempts[i].trial.start_ns;
	}
}

void expect_put_summary(FILE *out, const struct graph *g, const struct expect_result *r)
{
	size_t open = g->n_expects - r->held - r->missed - r->excused;

	fprintf(out, "%zu expectation%s: %zu held, %zu did not", g->n_expects,
		g->n_expects == 1 ? "" : "s", r->held, r->missed);
	if (r->excused)
		fprintf(out, ", %zu did not have to", r->excused);
	if (open)
		fprintf(out, ", %zu not tried to their end", open);
	if (graph_points(g))
		fprintf(out, "; %lld of %lld points", (long long)r->points,
			(long long)graph_points(g));
	if (r->refused)
		fprintf(out, "; %zu event%s not done", r->refused, r->refused == 1 ? "" : "s");
	fprintf(out, "; until %.3f s\n", (double)r->end_ns / 1e9);
}

int expect_run(const char *lab, const struct graph *g, FILE *out, struct expect_result *r,
	       struct err *e)
{
	struct driver d = {
		.lab = drive_begin(lab, g->clock == CLOCK_VIRTUAL),
		.graph = g,
		.out = out,
		.result = r,
	};
	int rc = drive_read_clock(&d.lab, e);

	d.lab.stops = r->stops;
	prepare(&d);
	while (rc == 0) {
		rc = do_due(&d, e);
		bool stop = r->stops_at_fail && (r->missed || r->refused);
		int64_t next = rc == 0 && !stop ? next_time(&d) : -1;

		if (next < 0)
			break;
		rc = drive_go_to(&d.lab, next, e);
	}
	if (rc == 0)
		rc = look_at_errands(&d, e);
	if (rc == 0)
		rc = drive_check_whole(&d.lab, e);
	r->end_ns = d.lab.now_ns;
	for (size_t i = 0; i < g->n_expects; i++) {
		free(d.attempts[i].job);
		free(d.attempts[i].last);
		watch_end(d.attempts[i].watch);
		trial_finish(&d.attempts[i].trial);
	}
	for (size_t i = 0; i < d.errands.n; i++)
		free(d.errands.at[i].job);
	vec_free(&d.errands);
	free(d.attempts);
	free(d.events);
	return rc;
}
