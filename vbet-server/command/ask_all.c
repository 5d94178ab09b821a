/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The commands are jobs, as the tries of checks are: in virtual time each begins at an exact time,
 * and what it prints is the same in every run.
 */
#include "vbet-server/command/ask_all.h"

#include "lib/xalloc.h"
#include "vbet-server/plan/event.h"

#include <stdlib.h>

static const int64_t most_ns = 10 * INT64_C(1000000000); /* for all nodes */

static int begin(const struct drive *d, const char *node, const char *command, char **job,
		 struct err *e)
{
	struct strvec v = {0};
	struct strvec more = {0};

	vec_push(&more, "text_max=15000");
	event_job_words(&v, node, "timeout_ms=8000", &more, command);
	vec_free(&more);
	return drive_ask(d, &v, job, e);
}

/* How many of the jobs (NULL: none) still run, or -1. */
static int look(const struct drive *d, const struct ask_all *a, char **jobs, size_t n,
		struct err *e)
{
	int running = 0;

	for (size_t i = 0; i < n; i++) {
		int status = 0;
		char *text = NULL;
		int rc = jobs[i] ? drive_job_result(d, jobs[i], &status, &text, e) : 1;

		if (rc < 0)
			return -1;
		running += rc == 0;
		if (rc == 0 || !text)
			continue;
		a->take(a->ctx, i, status, text);
		free(text);
		free(jobs[i]);
		jobs[i] = NULL;
	}
	return running;
}

static int begin_all(const struct drive *d, const struct graph *g, const struct ask_all *a,
		     char **jobs)
{
	int running = 0;

	for (size_t i = 0; i < g->n_nodes; i++) {
		struct err why = {0};
		char *command = node_kind_is_guest(g->nodes[i].kind) ? a->command(a->ctx, i) : NULL;

		if (!command)
			continue;
		if (begin(d, g->nodes[i].name, command, &jobs[i], &why) < 0)
			a->take(a->ctx, i, -1, why.text);
		else
			running++;
		free(command);
	}
	return running;
}

int ask_all(struct drive *d, const struct graph *g, const struct ask_all *a, struct err *e)
{
	char **jobs = xcalloc(g->n_nodes + 1, sizeof(*jobs));
	int64_t begin_ns = d->now_ns;
	int running = begin_all(d, g, a, jobs);

	while (running > 0 && d->now_ns < begin_ns + most_ns) {
		if (drive_go_to(d, d->now_ns + drive_step_ns(d), e) < 0)
			running = -1;
		else
			running = look(d, a, jobs, g->n_nodes, e);
	}
	for (size_t i = 0; i < g->n_nodes; i++)
		free(jobs[i]);
	free(jobs);
	return running < 0 ? -1 : 0;
}

int ask_all_open(const struct graph *g, const char *dir, const char *ending, FILE **out,
		 struct err *e)
{
	for (size_t i = 0; i < g->n_nodes; i++) {
		if (!node_kind_is_guest(g->nodes[i].kind))
			continue;
		char *path = xasprintf("%s/%s.%s", dir, g->nodes[i].name, ending);

		out[i] = fopen(path, "we");
		int rc = out[i] ? 0 : err_sys(e, "write %s", path);

		free(path);
		if (rc < 0)
			return -1;
	}
	return 0;
}
