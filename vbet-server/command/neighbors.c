/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The answer of a look (lab/look.h) has a line for each: "r1: ospf r2 (10.0.1.2, eth1) is Full/DR".
 * Both ends tell; the worse of the two is drawn.
 */
#include "vbet-server/command/neighbors.h"

#include "lib/xalloc.h"
#include "vbet-server/command/clock_view.h"
#include "vbet-server/command/drive.h"
#include "vbet-server/plan/judge.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { ASK_MS = 20, ASKS_MAX = 250 };

static bool is_up(const struct judge_protocol *p, const char *state)
{
	size_t len = strcspn(state, "/");

	return (len == strlen(p->state) && !strncasecmp(state, p->state, len)) ||
	       !strcasecmp(state, "2-Way/DROther");
}

static void add(struct neighbors *n, int a, int b, const struct judge_protocol *p,
		const char *state)
{
	struct dot_adjacency new = {
		a < b ? a : b, a < b ? b : a,
		arena_printf(&n->arena, "%s %.*s", p->name, (int)strcspn(state, "/"), state),
		is_up(p, state)};
	struct dot_adjacency *old;

	VEC_FOREACH (old, &n->at)
		if (old->a == new.a && old->b == new.b &&
		    !strncmp(old->text, new.text, strlen(p->name) + 1)) {
			if (old->is_up && !new.is_up)
				*old = new;
			return;
		}
	vec_push(&n->at, new);
}

static void read_line(struct neighbors *n, const struct graph *g, const struct judge_protocol *p,
		      char *line)
{
	char *colon = strstr(line, ": ");
	char *state = strstr(line, " is ");
	char *peer = colon ? strchr(colon + 2, ' ') : NULL;

	if (!colon || !state || !peer || peer >= state)
		return;
	*colon = *state = '\0';
	peer++;
	peer[strcspn(peer, " ")] = '\0';
	int a = graph_find_node(g, line);
	int b = graph_find_node(g, peer);

	if (a >= 0 && b >= 0)
		add(n, a, b, p, state + 4);
}

/* The clock is not ours: it runs on while we wait. */
static int await(const struct drive *d, const char *job, char **text, struct err *e)
{
	static const struct timespec pause = {0, ASK_MS * 1000000L};
	int status;
	int rc = 0;

	for (int i = 0; i < ASKS_MAX && rc == 0; i++) {
		rc = drive_job_result(d, job, &status, text, e);
		if (rc == 0)
			nanosleep(&pause, NULL);
	}
	return rc < 0 ? -1 : 0;
}

static int ask(const struct drive *d, const struct graph *g, const char *protocol,
	       struct neighbors *n, struct err *e)
{
	struct strvec v = {0};
	struct err none;
	char *job = NULL;
	char *text = NULL;
	char *rest = NULL;

	vec_push(&v, "look");
	vec_push(&v, "timeout_ms=2000");
	vec_push(&v, "neighbor");
	vec_push(&v, protocol);
	vec_push(&v, "all=1");
	/* It is an error if nobody speaks it. */
	if (drive_ask(d, &v, &job, &none) < 0)
		return 0;
	int rc = await(d, job, &text, e);

	for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line;
	     line = strtok_r(NULL, "\n", &rest))
		read_line(n, g, judge_find_protocol(protocol), line);
	free(text);
	free(job);
	return rc;
}

int neighbors_ask(const char *lab, const struct graph *g, struct neighbors *n, struct err *e)
{
	struct clock_view v;
	bool is_virtual = clock_view_get(lab, &v);
	struct drive d = drive_begin(lab, is_virtual);
	int rc = 0;

	for (size_t i = 0; judge_protocol_at(i) && rc == 0 && !(is_virtual && v.stands); i++)
		rc = ask(&d, g, judge_protocol_at(i), n, e);
	return rc;
}

void neighbors_finish(struct neighbors *n)
{
	vec_free(&n->at);
	arena_finish(&n->arena);
}
