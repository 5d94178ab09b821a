/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * How a test drives a lab: the hand on the clock, and commands in guests that it does not wait for.
 *
 * In virtual time nothing runs but when it is told to: "clock until T" goes there and stands, and
 * between two such steps the test looks and acts at exact times, so it does the same in every run.
 * With the real clock the same calls sleep until that time instead, counted from when the drive
 * began. So the code above (expect.c) is written once for both.
 *
 * A command in a guest is a job: started, then asked for its result as the clock is moved on, since
 * waiting for it would let nothing run that could finish it. How far one such step goes is
 * drive_step_ns(): small enough that a wait is not much longer than it has to be, large enough that
 * a long wait is not all questions.
 */
#include "vbet-server/command/drive.h"

#include "lib/vec.h"
#include "lib/words.h"
#include "lib/xalloc.h"
#include "vbet-server/command/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const int64_t look_ns = 1000000000; /* real clock: how often the lab is looked after */

int drive_ask(const struct drive *d, struct strvec *words, char **text, struct err *e)
{
	char *got = NULL;
	size_t len = 0;
	FILE *f = xmemstream(&got, &len);
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

/* The clock is said in seconds with nine digits; rounding takes back what strtod() lost. */
int drive_read_clock(struct drive *d, struct err *e)
{
	struct strvec v = {0};
	char *text = NULL;

	if (!d->is_virtual) {
		d->now_ns = monotonic_ns() - d->zero_ns;
		return 0;
	}
	vec_push(&v, "clock");
	if (drive_ask(d, &v, &text, e) < 0)
		return -1;
	d->now_ns = (int64_t)(strtod(text, NULL) * 1e9 + 0.5);
	free(text);
	return 0;
}

int drive_stand(struct drive *d, struct err *e)
{
	struct strvec v = {0};

	if (!d->is_virtual)
		return drive_read_clock(d, e);
	vec_push(&v, "clock");
	vec_push(&v, "pause");
	return drive_ask(d, &v, NULL, e) < 0 ? -1 : drive_read_clock(d, e);
}

/*
 * A process of the lab that has ended is an error at once: what the test waits for would never
 * come.
 */
int drive_check_whole(const struct drive *d, struct err *e)
{
	struct strvec v = {0};

	vec_push(&v, "whole");
	return drive_ask(d, &v, NULL, e);
}

/* In pieces: what is slept for may not come any more. */
static int sleep_until(struct drive *d, int64_t ns, struct err *e)
{
	while (d->now_ns < ns) {
		int64_t left = ns - d->now_ns;
		int64_t at = d->zero_ns + d->now_ns + (left < look_ns ? left : look_ns);
		struct timespec t = {at / 1000000000, at % 1000000000};

		while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
			;
		if (drive_read_clock(d, e) < 0)
			return -1;
		if (d->now_ns - d->looked_ns < look_ns)
			continue;
		d->looked_ns = d->now_ns;
		if (drive_check_whole(d, e) < 0)
			return -1;
	}
	return 0;
}

static int go_to_virtual(struct drive *d, int64_t ns, struct err *e)
{
	struct strvec v = {0};

	if (ns == d->now_ns)
		return 0;
	char *time = xasprintf("%lldns", (long long)ns);

	vec_push(&v, "clock");
	vec_push(&v, "until");
	vec_push(&v, time);
	int rc = drive_ask(d, &v, NULL, e);

	free(time);
	d->now_ns = ns;
	return rc;
}

int drive_go_to(struct drive *d, int64_t ns, struct err *e)
{
	int64_t next;

	if (ns <= d->now_ns)
		return 0;
	if (!d->is_virtual)
		return sleep_until(d, ns, e);
	while (d->stops && (next = d->stops->next_ns(d->stops, d->now_ns, ns)) >= 0)
		if (go_to_virtual(d, next, e) < 0 || d->stops->stop(d->stops, d, e) < 0)
			return -1;
	return go_to_virtual(d, ns, e);
}

const char *drive_last_line(const char *text)
{
	const char *line = strrchr(text, '\n');

	return line ? line + 1 : text;
}

/* 1: it has ended, 0: it has not yet. */
int drive_job_result(const struct drive *d, const char *job, int *status, char **text,
		     struct err *e)
{
	struct arena a = {0};
	struct words w = {0};
	struct strvec v = {0};
	char *line = NULL;

	vec_push(&v, "result");
	vec_push(&v, job);
	if (drive_ask(d, &v, &line, e) < 0)
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

struct drive drive_begin(const char *lab, bool is_virtual)
{
	return (struct drive){.lab = lab, .is_virtual = is_virtual, .zero_ns = monotonic_ns()};
}

int64_t drive_step_ns(const struct drive *d)
{
	return d->is_virtual ? 250000000 : 20000000;
}
