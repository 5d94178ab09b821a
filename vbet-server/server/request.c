/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where requests of clients come in.
 *
 * A request is a line of words; its verb is looked up in one table, which also says whether it may
 * come while a record is replayed. What can be answered at once returns 0 or -1; what must wait for
 * the substrate or for the clock keeps a `struct query` with the client, and returns
 * REQUEST_ANSWERED.
 *
 * A client may be gone when its answer comes, and the next one may have been given its memory.
 * Therefore nobody keeps a client: a query has its number and looks for it (query_client()), and
 * whoever has waited in vain costs no more than a look. Those that wait for a state of the lab are
 * not told by who changes it, either: after each change all that wait are asked whether their wait
 * is over (request_check_waiting()). There are few of them, and none is forgotten.
 */
#include "vbet-server/server/request.h"

#include "lib/nearest.h"
#include "lib/vec.h"
#include "lib/xalloc.h"
#include "vbet-server/lab/clock.h"
#include "vbet-server/lab/held.h"
#include "vbet-server/lab/input.h"
#include "vbet-server/lab/spin.h"
#include "vbet-server/server/report.h"

#include <stdlib.h>
#include <string.h>

typedef int (*request_fn)(struct client *c, const struct words *w, struct err *e);

/*
 * What only looks has acts = false. A replay must be alone with the lab: anything that is done in
 * it besides the record makes another run of it.
 */
struct request {
	const char *name;
	size_t min_words, max_words; /* with the name */
	request_fn run;
	bool acts; /* on the lab or in it: not while a record is replayed */
};

FILE *reply_open(struct reply *r)
{
	r->text = NULL;
	r->f = xmemstream(&r->text, &r->len);
	return r->f;
}

void reply_send(struct reply *r, struct client *c)
{
	fclose(r->f);
	client_out(c, r->text, r->len);
	free(r->text);
}

/* Else a command in a lab whose clock stands would seem to hang. */
void request_tell_clock(struct client *c)
{
	const struct lab *lab = c->server->lab;
	char *spin = spin_describe(lab);

	if (lab->clock.is_virtual && clock_will_stand(lab))
		conn_printf(
			&c->conn,
			"progress the clock stands at %.9f s: this goes on with it ('clock run'; "
			"exec and ping take --step)\n",
			(double)lab->clock.now_ns / 1e9);
	if (spin)
		conn_printf(&c->conn, "progress %s\n", spin);
	free(spin);
}

struct query *query_create(struct client *c)
{
	struct query *q = xcalloc(1, sizeof(*q));

	q->server = c->server;
	q->client = c->number;
	return q;
}

struct client *query_client(const struct query *q)
{
	for (struct client *i = q->server->clients; i; i = i->next)
		if (i->number == q->client && !i->dead)
			return i;
	return NULL;
}

void query_answer(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct client *c = query_client(q);
	struct err e;

	if (c && ok) {
		client_ok(c);
	} else if (c) {
		err_set(&e, ERR_USAGE, "%s", text);
		client_error(c, &e);
	}
	free(q);
}

/*
 * The report is made when the answer is here, not before: it tells of the lab as it is at one
 * moment.
 */
static void on_status(void *ctx, struct json_object *status)
{
	struct query *q = ctx;
	struct client *c = query_client(q);
	struct reply r;

	if (c) {
		FILE *f = reply_open(&r);

		q->report(f, q->server->lab, status);
		reply_send(&r, c);
		client_ok(c);
	}
	free(q);
}

static int request_status(struct client *c, const struct words *w, struct err *e)
{
	struct query *q = query_create(c);
	const char *json = words_get(w, "json");
	bool is_json = json && *json == '1';

	if (!strcmp(w->at[0], "substrate"))
		q->report = is_json ? report_substrate_json : report_substrate_text;
	else
		q->report = is_json ? report_json : report_text;
	carriers_ask_status(&c->server->lab->carriers, on_status, q);
	return REQUEST_ANSWERED;
}

/* What report_nodes() writes: for completion, ping and pingall. */
static int request_nodes(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;

	report_nodes(reply_open(&r), c->server->lab);
	reply_send(&r, c);
	return 0;
}

/* graph: the lab as it is now, as a script. */
static int request_graph(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;

	graph_print(reply_open(&r), c->server->lab->graph);
	reply_send(&r, c);
	return 0;
}

/* links: every cable, as "link A B show" has it. */
static int request_links(struct client *c, const struct words *w, struct err *e)
{
	const struct graph *g = c->server->lab->graph;
	struct reply r;
	FILE *f = reply_open(&r);

	for (size_t i = 0; i < g->n_cables; i++)
		link_show(f, g, &g->cables[i]);
	reply_send(&r, c);
	return 0;
}

/* The record says until when the lab ran. */
static void on_last_now(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct server *s = q->server;
	char *end[] = {"end"};
	long long now_ns;

	if (ok && sscanf(text, "%lld", &now_ns) == 1 && s->lab->clock.is_virtual) {
		s->lab->clock.now_ns = now_ns;
		input_record(s->lab, end, 1);
	}
	s->down_asked = true;
	loop_stop(s->loop);
	free(q);
}

/* "own PID HOSTS" or "host PID HOSTS": where the interfaces of the lab are, and a file of names. */
static int request_outside(struct client *c, const struct words *w, struct err *e)
{
	const struct outside *o = &c->server->lab->outside;
	struct reply r;

	if (!o->started || !*o->place)
		return err_set(e, ERR_USAGE,
			       "the lab has no interface of this machine: its script says "
			       "alloc(outside) for that");
	fprintf(reply_open(&r), "%s %d %s/outside.hosts\n", o->place, (int)o->link.child.pid,
		c->server->lab->dir);
	reply_send(&r, c);
	return 0;
}

/* The record's last line says how far the run went, so the time is asked for first. */
static int request_down(struct client *c, const struct words *w, struct err *e)
{
	if (w->n > 1 && !c->server->heir)
		c->server->heir = xstrdup(w->at[1]);
	/* Answered when all is gone: by the server, which answers who waits. */
	c->state = CLIENT_WAIT;
	c->is_over = NULL;
	lab_send_clock(c->server->lab, "now", on_last_now, query_create(c));
	return REQUEST_ANSWERED;
}

int request_wait_until(struct client *c, bool (*is_over)(const struct client *c, struct err *e))
{
	c->state = CLIENT_WAIT;
	request_await(c, NULL);
	c->is_over = is_over;
	return REQUEST_ANSWERED;
}

static bool is_replayed(const struct client *c, struct err *e)
{
	if (lab_is_stuck(c->server->lab, e))
		return true;
	return !input_is_replaying(c->server->lab) && clock_is_at_goal(c->server->lab);
}

/* replayed: answered when the lab stands where it was to be replayed to. */
static int request_replayed(struct client *c, const struct words *w, struct err *e)
{
	if (is_replayed(c, e))
		return e->kind ? -1 : 0;
	return request_wait_until(c, is_replayed);
}

/* refused: the first thing that a record or an event asked for, but that could not be done. */
static int request_refused(struct client *c, const struct words *w, struct err *e)
{
	const struct lab *lab = c->server->lab;

	if (lab->inputs.refused.kind)
		client_out(c, lab->inputs.refused.text, strlen(lab->inputs.refused.text));
	return 0;
}

/* held: the nodes with a console that was open in the run that is repeated, a line each. */
static int request_held(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;

	held_list(c->server->lab, reply_open(&r));
	reply_send(&r, c);
	return 0;
}

void request_check_waiting(struct server *s)
{
	for (struct client *c = s->clients; c; c = c->next) {
		struct err e = {0};

		if (c->dead || c->state != CLIENT_WAIT || !c->is_over || !c->is_over(c, &e))
			continue;
		loop_cancel_timer(s->loop, &c->timeout);
		c->state = CLIENT_LINE;
		if (e.kind)
			client_error(c, &e);
		else
			client_ok(c);
	}
}

static int request_hold(struct client *c, const struct words *w, struct err *e)
{
	c->holds = true;
	return 0;
}

static const struct request requests[] = {
	{"status", 1, 2, request_status, false},
	{"substrate", 1, 2, request_status, false},
	{"nodes", 1, 1, request_nodes, false},
	{"graph", 1, 1, request_graph, false},
	{"outside", 1, 1, request_outside, false},
	{"down", 1, 2, request_down, false},
	{"hold", 1, 1, request_hold, false},
	{"exec", 3, SIZE_MAX, request_exec, true},
	{"put", 3, 4, request_put, true},
	{"get", 3, 3, request_put, true},
	{"job", 4, SIZE_MAX, request_job, true},
	{"look", 2, SIZE_MAX, request_job, true},
	{"result", 2, 2, request_job, false},
	{"start", 2, 2, request_change, true},
	{"stop", 2, 2, request_change, true},
	{"kill", 2, 2, request_change, true},
	{"restart", 2, 2, request_change, true},
	{"wait", 1, 3, request_wait, false},
	{"whole", 1, 1, request_whole, false},
	{"replayed", 1, 1, request_replayed, false},
	{"refused", 1, 1, request_refused, false},
	{"held", 1, 1, request_held, false},
	{"clock", 1, 3, request_clock, false},
	{"capture", 3, 4, request_capture, false},
	{"capture-end", 2, 2, request_capture_end, false},
	{"link", 2, SIZE_MAX, request_change, true},
	{"plug", 2, 3, request_change, true},
	{"unplug", 2, 2, request_change, true},
	{"statement", 2, 5, request_change, true},
	{"check", 2, 5, request_check, false},
	{"links", 1, 1, request_links, false},
	{"save", 2, 3, request_save, true},
	{"kept", 1, 1, request_kept, false},
	{"move", 2, 3, request_move, true},
	{"moved", 1, 1, request_moved, false},
};

static const struct request *find_request(const char *name, struct err *e)
{
	struct nearest near;

	nearest_init(&near, name);
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		if (!strcmp(requests[i].name, name))
			return &requests[i];
		nearest_offer(&near, requests[i].name);
	}
	err_set(e, ERR_USAGE, "unknown request '%s'%s", name, nearest_hint(&near));
	return NULL;
}

void request_handle(struct client *c, const char *line, size_t len)
{
	struct arena a = {0};
	struct words w;
	struct err e = {0};

	c->asks = true;
	int rc = words_split(line, len, &a, &w, &e);
	const struct request *r = NULL;

	if (rc == 0 && w.n == 0)
		rc = err_set(&e, ERR_USAGE, "an empty request");
	if (rc == 0)
		r = find_request(w.at[0], &e);
	if (r && (w.n < r->min_words || w.n > r->max_words))
		rc = err_set(&e, ERR_USAGE, "wrong number of words for %s", r->name);
	else if (r && r->acts && input_is_replaying(c->server->lab))
		rc = err_set(&e, ERR_ENV, "the lab is being replayed: wait until it stands");
	else if (r)
		rc = r->run(c, &w, &e);
	if (rc < 0 || !r)
		client_error(c, &e);
	else if (rc == 0)
		client_ok(c);
	arena_finish(&a);
}
