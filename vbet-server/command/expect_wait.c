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
#include "vbet-server/command/drive.h"
#include "vbet-server/command/expect.h"

#include "lib/words.h"

#include <stdlib.h>
#include <string.h>

/* Lets the lab go on until a command has ended. */
static int await_job(struct drive *d, const char *job, int *status, char **text, struct err *e)
{
	int64_t step = drive_step_ns(d);
	int rc;

	while ((rc = drive_job_result(d, job, status, text, e)) == 0)
		if (drive_go_to(d, d->now_ns + step, e) < 0)
			return -1;
	return rc < 0 ? -1 : 0;
}

/* "is"|"not" WITHIN_NS PAUSE_NS, and the words that begin a try. */
enum { NEGATED, WITHIN, PAUSE, REQUEST };

/* Tries once: *held. */
static int try_check(struct drive *d, const struct words *check, bool *held, char **text,
		     struct err *e)
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
		rc = await_job(d, job, &status, text, e);
	else
		*text = xstrdup(why.text);
	free(job);
	*held = (status == 0) == !strcmp(check->at[NEGATED], "is");
	return rc;
}

static int try_until(struct drive *d, const struct words *check, int64_t limit_ns,
		     int64_t *began_ns, char **text, struct err *e)
{
	int64_t end = limit_ns ? d->now_ns + limit_ns : INT64_MAX;
	int64_t pause = strtoll(check->at[PAUSE], NULL, 10);
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
				       *text ? drive_last_line(*text) : "");
		int64_t next = *began_ns + pause < end ? *began_ns + pause : end;

		if (d->now_ns < next && drive_go_to(d, next, e) < 0)
			return -1;
	}
}

int expect_wait(const char *lab, bool is_virtual, const char *check, int64_t limit_ns, FILE *out,
		struct err *e)
{
	struct drive d = drive_begin(lab, is_virtual);
	struct strvec v = {0};
	struct arena a = {0};
	struct words w = {0};
	char *line = NULL;
	char *text = NULL;
	int64_t began_ns = 0;

	vec_push(&v, "check");
	vec_push(&v, check);
	int rc = drive_ask(&d, &v, &line, e);

	if (rc == 0)
		rc = words_split(line, strlen(line), &a, &w, e);
	if (rc == 0 && w.n <= REQUEST)
		rc = err_set(e, ERR_ENV, "the server says nothing of this check");
	if (rc == 0 && limit_ns == EXPECT_AS_SAID)
		limit_ns = strtoll(w.at[WITHIN], NULL, 10) + 1; /* 0 would be for ever */
	if (rc == 0)
		rc = drive_stand(&d, e);
	if (rc == 0)
		rc = try_until(&d, &w, limit_ns, &began_ns, &text, e);
	if (rc == 0)
		fprintf(out, is_virtual ? "held at %.9f s\n" : "held after %.3f s\n",
			(double)began_ns / 1e9);
	free(text);
	free(line);
	arena_finish(&a);
	return rc;
}
