/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One check, now: `vbet clock until CHECK`, and "expect" in the console.
 *
 * The server is asked what the check comes down to ("check": the request that begins a try, how it
 * should end, and a limit), for it knows the lab as it is now. Then that request is made again and
 * again, with the clock moved on in between, until it ends as it should. A try begins a fixed pause
 * after the last one did, at the least (event_check_pause_ns()), so in virtual time tries are at
 * the same times in each run, and the time that is told is the one at which the try that held
 * began.
 */
#include "vbet-server/command/clock_view.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/command/expect.h"
#include "vbet-server/command/trial.h"
#include "vbet-server/command/watch.h"

#include "lib/visible.h"
#include "lib/words.h"
#include "lib/xalloc.h"

#include <stdlib.h>
#include <string.h>

/* Lets the lab go on until a command has ended. */
static int await_job(struct drive *d, int64_t first_step_ns, const char *job, int *status,
		     char **text, struct err *e)
{
	int64_t most = drive_step_ns(d);
	int64_t step = first_step_ns ? first_step_ns : most;
	int rc;

	while ((rc = drive_job_result(d, job, status, text, e)) == 0) {
		if (drive_go_to(d, d->now_ns + step, e) < 0)
			return -1;
		step = 2 * step < most ? 2 * step : most;
	}
	return rc < 0 ? -1 : 0;
}

/* Words of the answer (lab/statement.h); behind them those that begin a try. */
enum { NEGATED, WITHIN, PAUSE, STAYS, SETTLES, REQUEST };

/* Tries once: *held. */
static int try_check(struct drive *d, const struct words *check, int64_t first_step_ns, bool *held,
		     char **text, struct err *e)
{
	struct err why = {0};
	char *job = NULL;
	int status = 255;
	int rc = 0;

	free(*text);
	*text = NULL;
	struct strvec v = {0};

	for (size_t i = REQUEST; i < check->n; i++)
		vec_push(&v, check->at[i]);
	if (drive_ask(d, &v, &job, &why) == 0)
		rc = await_job(d, first_step_ns, job, &status, text, e);
	else
		*text = xstrdup(why.text);
	free(job);
	if (*text && !**text) {
		free(*text);
		*text = xasprintf("exit status %d", status);
	}
	*held = (status == 0) == !strcmp(check->at[NEGATED], "is");
	return rc;
}

/* Frames are looked at here, and not by the server. */
static int try_watch(struct watch *w, const struct words *check, bool *held, char **text,
		     struct err *e)
{
	int status;

	free(*text);
	*text = NULL;
	if (watch_judge(w, (const char *const *)check->at + REQUEST, check->n - REQUEST, &status,
			text, e) < 0)
		return -1;
	*held = (status == 0) == !strcmp(check->at[NEGATED], "is");
	return 0;
}

/* And goes on to when there is something to be looked at. */
static int begin_watch(struct drive *d, const char *const *words, const struct trial *t,
		       struct watch **watch, struct err *e)
{
	*watch = watch_begin_words(d->lab, words, e);
	if (!*watch)
		return -1;
	return drive_go_to(d, watch_first_look_ns(words, d->now_ns, t), e);
}

static int64_t number_at(const struct words *check, size_t i)
{
	return strtoll(check->at[i], NULL, 10);
}

static int try_until(struct drive *d, const struct words *check, const struct expect_wish *wish,
		     struct trial *t, struct watch **watch, struct expect_found *found,
		     struct err *e)
{
	const char *const *words = (const char *const *)check->at + REQUEST;
	size_t n_words = check->n - REQUEST;
	char **text = &found->seen;
	enum trial_verdict verdict;
	bool held = false;

	if (watch_is_meant(words, n_words) && begin_watch(d, words, t, watch, e) < 0)
		return -1;
	do {
		int64_t next = d->now_ns;

		found->began_ns = d->now_ns;
		if ((*watch ? try_watch(*watch, check, &held, text, e)
			    : try_check(d, check, wish->first_step_ns, &held, text, e)) < 0)
			return -1;
		verdict = trial_end_try(t, held, *text ? *text : "", found->began_ns, d->now_ns,
					&next);
		if (verdict == TRIAL_AGAIN && wish->missed)
			wish->missed(d->now_ns, *text ? drive_last_line(*text) : "");
		if (verdict == TRIAL_AGAIN && d->now_ns < next && drive_go_to(d, next, e) < 0)
			return -1;
	} while (verdict == TRIAL_AGAIN);
	found->held = verdict == TRIAL_HELD;
	found->end_ns = d->now_ns;
	found->settled_ns = found->held && t->is_settling ? t->since_ns - t->start_ns : -1;
	found->settled = trial_settled_text(t, found->held);
	if (!*text)
		*text = xstrdup("");
	return 0;
}

static struct trial trial_of(const struct drive *d, const struct words *check, int64_t limit_ns)
{
	int64_t within_ns = limit_ns == EXPECT_AS_SAID ? number_at(check, WITHIN) : limit_ns;
	bool is_endless = !within_ns && limit_ns != EXPECT_AS_SAID;
	struct trial t = trial_begin(d->now_ns, is_endless ? INT64_MAX / 2 : d->now_ns + within_ns);

	t.pause_ns = number_at(check, PAUSE);
	t.stays_ns = number_at(check, STAYS);
	t.is_settling = !strcmp(check->at[SETTLES], "settles");
	return t;
}

const char *const expect_place_argument[] = {"name=check", NULL};

static int ask_for_check(const struct drive *d, const struct expect_wish *wish, char **line,
			 struct err *e)
{
	struct strvec v = {0};

	vec_push(&v, "check");
	vec_push(&v, wish->check);
	for (const char *const *word = wish->place; word && *word; word++)
		vec_push(&v, *word);
	return drive_ask(d, &v, line, e);
}

int expect_try(const char *lab, bool is_virtual, const struct expect_wish *wish,
	       struct expect_found *found, struct err *e)
{
	struct drive d = drive_begin(lab, is_virtual);
	struct arena a = {0};
	struct words w = {0};
	char *line = NULL;

	*found = (struct expect_found){.settled_ns = -1};
	int rc = ask_for_check(&d, wish, &line, e);

	if (rc == 0)
		rc = words_split(line, strlen(line), &a, &w, e);
	if (rc == 0 && w.n <= REQUEST)
		rc = err_set(e, ERR_ENV, "the server says nothing of this check");
	if (rc == 0)
		rc = drive_stand(&d, e);
	if (rc == 0) {
		struct trial t = trial_of(&d, &w, wish->limit_ns);
		struct watch *watch = NULL;

		rc = try_until(&d, &w, wish, &t, &watch, found, e);
		watch_end(watch);
		trial_finish(&t);
	}
	free(line);
	arena_finish(&a);
	return rc;
}

void expect_found_finish(struct expect_found *found)
{
	free(found->seen);
	free(found->settled);
}

/* Of an answer of several lines the last one is in the error. */
static int say_missed(const struct expect_found *found, struct err *e)
{
	const char *why = found->settled ? found->settled : drive_last_line(found->seen);

	if (!found->settled && strchr(found->seen, '\n'))
		visible_put_lines(stderr, "    | ", found->seen);
	return err_set(e, ERR_TIMEOUT, "it did not hold until %.9f s%s%s",
		       (double)found->end_ns / 1e9, *why ? ": " : "", why);
}

int expect_wait(const char *lab, bool is_virtual, const struct expect_wish *wish, FILE *out,
		struct err *e)
{
	struct expect_found found;
	int rc = expect_try(lab, is_virtual, wish, &found, e);

	if (rc == 0 && !found.held)
		rc = say_missed(&found, e);
	if (rc == 0)
		fprintf(out, is_virtual ? "held at %.9f s%s%s\n" : "held after %.3f s%s%s\n",
			(double)found.began_ns / 1e9, found.settled ? ": " : "",
			found.settled ? found.settled : "");
	expect_found_finish(&found);
	return rc;
}

int expect_now(const char *lab, const struct expect_wish *wish, FILE *out, struct err *e)
{
	struct clock_view v;
	bool is_virtual = clock_view_get(lab, &v);
	int rc = expect_wait(lab, is_virtual, wish, out, e);

	if (is_virtual)
		clock_view_restore(lab, &v);
	return rc;
}
