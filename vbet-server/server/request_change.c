/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What changes the lab, or moves its clock: when the clock stands, and answered when it is
 * done.
 *
 * In virtual time nothing may change while the clock runs: the words of the request are kept,
 * and run by the gate (input.c) when the clock stands. The client waits twice, first for that,
 * then until all that the change has caused is done; a refusal of the substrate comes with the
 * second answer.
 */
#include "vbet-server/lab/spin.h"

#include "lib/xalloc.h"
#include "vbet-server/lab/statement.h"
#include "vbet-server/lab/verb.h"
#include "vbet-server/server/request.h"

#include <stdlib.h>
#include <string.h>

/* A request that waits for the clock to stand. */
struct deferred {
	struct query *query;
	char *line; /* owned: its words */
	int (*run)(struct client *c, const struct words *w, struct err *e);
};

static bool not_yet(const struct client *c, struct err *e)
{
	return lab_is_stuck(c->server->lab, e) || spin_is_stuck(c->server->lab, e);
}

/* The client may have gone meanwhile; then nobody wants the change any more. */
static void run_deferred(struct lab *lab, void *ctx)
{
	struct deferred *d = ctx;
	struct client *c = query_client(d->query);
	struct arena a = {0};
	struct words w;
	struct err e = {0};
	int rc = 0;

	if (c)
		rc = words_split(d->line, strlen(d->line), &a, &w, &e);
	if (c && rc == 0)
		rc = d->run(c, &w, &e);
	if (c && rc != REQUEST_ANSWERED) {
		c->state = CLIENT_LINE;
		if (rc < 0)
			client_error(c, &e);
		else
			client_ok(c);
	}
	if (c)
		request_check_waiting(c->server);
	arena_finish(&a);
	free(d->query);
	free(d->line);
	free(d);
}

static int defer(struct client *c, const struct words *w,
		 int (*run)(struct client *c, const struct words *w, struct err *e), struct err *e)
{
	if (lab_is_stuck(c->server->lab, e))
		return -1;
	struct deferred *d = xcalloc(1, sizeof(*d));
	size_t len = 0;
	FILE *f = xmemstream(&d->line, &len);

	words_put_line(f, w->at, w->n);
	fclose(f);
	d->line[len - 1] = '\0';
	d->query = query_create(c);
	d->run = run;
	request_wait_until(c, not_yet);
	(verb_wakes(c->server->lab, w) ? input_add_change : input_add)(c->server->lab, run_deferred,
								       d);
	return REQUEST_ANSWERED;
}

static bool change_is_done(const struct client *c, struct err *e)
{
	struct lab *lab = c->server->lab;

	if (lab_is_stuck(lab, e))
		return true;
	if (!input_is_settled(lab))
		return false;
	change_take_refusal(lab, e);
	return true;
}

static int run_change(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;
	FILE *f = reply_open(&r);

	int rc = change_do(c->server->lab, CHANGE_OF_CLIENT, w, f, e);

	reply_send(&r, c);
	if (rc < 0)
		return -1;
	c->is_over = change_is_done;
	return REQUEST_ANSWERED;
}

/* "stop", "kill" or "restart" of a guest for which the clock will never stand. */
static bool end_spinning(struct lab *lab, const struct words *w)
{
	bool again = !strcmp(w->at[0], "restart");
	bool ends = again || !strcmp(w->at[0], "stop") || !strcmp(w->at[0], "kill");
	struct guest *gu = ends ? lab_find_guest(lab, w->at[1], NULL) : NULL;

	if (!gu || !gu->spins)
		return false;
	gu->restart = again;
	return spin_kill(lab, gu);
}

int request_change(struct client *c, const struct words *w, struct err *e)
{
	if (end_spinning(c->server->lab, w))
		return REQUEST_DONE;
	return defer(c, w, run_change, e);
}

/* check TEXT: "is|not WITHIN_NS PAUSE_NS" and the request that tries it. */
int request_check(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;
	FILE *f = reply_open(&r);
	struct topo_place place = statement_place(w);
	int rc = statement_read_check(c->server->lab, w->at[1], &place, f, e);

	reply_send(&r, c);
	return rc;
}

static void on_now(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct lab *lab = q->server->lab;
	struct client *c = query_client(q);
	long long now_ns;
	char *spin;

	if (c) {
		spin = spin_describe(lab);
		if (ok && sscanf(text, "%lld", &now_ns) == 1)
			lab->clock.now_ns = now_ns;
		struct reply r;
		FILE *f = reply_open(&r);

		fprintf(f, "%.9f s, pace %s%s%s\n", (double)lab->clock.now_ns / 1e9,
			lab->clock.pace, clock_is_at_goal(lab) ? ", paused" : "",
			lab->clock.is_idle ? ", nothing will happen by itself" : "");
		if (spin)
			fprintf(f, "%s\n", spin);
		clock_tell(lab, f);
		free(spin);
		reply_send(&r, c);
		client_ok(c);
	}
	free(q);
}

static void ask_now(struct lab *lab, void *ctx)
{
	lab_send_clock(lab, "now", on_now, ctx);
}

static bool is_at_goal(const struct client *c, struct err *e)
{
	const struct lab *lab = c->server->lab;

	return lab_is_stuck(lab, e) || spin_is_stuck(lab, e) || clock_is_at_goal(lab);
}

static int run_clock(struct client *c, const struct words *w, struct err *e)
{
	struct lab *lab = c->server->lab;

	if (clock_command(lab, w, e) < 0)
		return -1;
	input_record(lab, w->at, w->n);
	if (lab->clock.goal_ns == INT64_MAX)
		return REQUEST_DONE;
	c->is_over = is_at_goal;
	return REQUEST_ANSWERED;
}

int request_clock(struct client *c, const struct words *w, struct err *e)
{
	struct lab *lab = c->server->lab;

	/* It is about to stand again: who asks now wants to see that. */
	if (w->n == 1 && lab->clock.lends && !lab->clock.lent && !lab_is_stuck(lab, NULL)) {
		input_add(lab, ask_now, query_create(c));
		return REQUEST_ANSWERED;
	}
	if (w->n == 1 && lab->clock.is_virtual) {
		lab_send_clock(lab, "now", on_now, query_create(c));
		return REQUEST_ANSWERED;
	}
	/* The pace changes nothing in the lab, so it need not wait. */
	if (!lab->clock.is_virtual || (w->n > 1 && !strcmp(w->at[1], "pace")))
		return clock_command(lab, w, e);
	if (input_is_replaying(lab))
		return err_set(e, ERR_ENV, "the lab is being replayed, up to %.9f s",
			       (double)lab->clock.goal_ns / 1e9);
	return defer(c, w, run_clock, e);
}
