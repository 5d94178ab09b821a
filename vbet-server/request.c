/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What clients can ask of a running lab: one function per request, one table. */
#include "vbet-server/server.h"

#include "lib/nearest.h"
#include "lib/units.h"
#include "lib/vec.h"
#include "vbet-server/address.h"
#include "vbet-server/clock.h"
#include "vbet-server/job.h"
#include "vbet-server/link.h"
#include "vbet-server/report.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

typedef int (*request_fn)(struct client *c, const struct words *w, struct err *e);

/* A request answers by itself (returns 1), is done (0: "ok" is sent), or failed (-1). */
struct request {
	const char *name;
	size_t min_words, max_words; /* with the name */
	request_fn run;
};

enum { ANSWERED = 1 };

static bool is_option(const char *word)
{
	return strchr(word, '=') != NULL;
}

/* Writes through a FILE and sends it as "out" lines. */
struct reply {
	FILE *f;
	char *text;
	size_t len;
};

static FILE *reply_open(struct reply *r)
{
	r->text = NULL;
	r->f = open_memstream(&r->text, &r->len);
	return r->f;
}

static void reply_send(struct reply *r, struct client *c)
{
	fclose(r->f);
	client_out(c, r->text, r->len);
	free(r->text);
}

/* What an answer of the substrate is for. */
struct query {
	struct server *server;
	struct client *client; /* looked up again: it may be gone */
	bool json;
};

static struct query *query_create(struct client *c)
{
	struct query *q = xcalloc(1, sizeof(*q));

	q->server = c->server;
	q->client = c;
	return q;
}

static bool client_lives(const struct server *s, const struct client *c)
{
	for (const struct client *i = s->clients; i; i = i->next)
		if (i == c && !i->dead)
			return true;
	return false;
}

static void on_status(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct reply r;
	struct arena a = {0};
	struct words w = {0};

	if (client_lives(q->server, q->client)) {
		if (ok && words_split(text, strlen(text), &a, &w, NULL) < 0)
			w.n = 0;
		const char *substrate = ok && w.n ? w.at[0] : "{}";
		FILE *f = reply_open(&r);

		if (q->json)
			report_json(f, q->server->lab, substrate);
		else
			report_text(f, q->server->lab, substrate);
		reply_send(&r, q->client);
		client_ok(q->client);
	}
	arena_finish(&a);
	free(q);
}

static int request_status(struct client *c, const struct words *w, struct err *e)
{
	struct query *q = query_create(c);
	const char *json = words_get(w, "json");

	q->json = json && *json == '1';
	substrate_send(&c->server->lab->substrate, "status", on_status, q);
	return ANSWERED;
}

/* "node NAME KIND STATE ADDRESS|- NIC...": for completion, ping and pingall. */
static int request_nodes(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;

	report_nodes(reply_open(&r), c->server->lab);
	reply_send(&r, c);
	return 0;
}

static int request_down(struct client *c, const struct words *w, struct err *e)
{
	/* Answered when all is gone: by the server, which answers who waits. */
	c->state = CLIENT_WAIT;
	c->is_over = NULL;
	c->server->down_asked = true;
	loop_stop(c->server->loop);
	return ANSWERED;
}

/* hold: as long as this client is connected, and no longer. */
static int request_hold(struct client *c, const struct words *w, struct err *e)
{
	c->holds = true;
	return 0;
}

static void relay_message(struct agent_channel *ch, uint8_t type, const void *data, uint32_t len)
{
	struct client *c = (struct client *)((char *)ch - offsetof(struct client, channel));

	wire_write(&c->conn, 1, type, data, len);
	if (type == WIRE_EXIT)
		conn_close_later(&c->conn);
}

static void relay_gone(struct agent_channel *ch)
{
	relay_message(ch, WIRE_EXIT, "\"error=the node has gone down\"", 30);
}

long request_relay(struct client *c, const char *data, size_t len)
{
	struct wire_head h;
	long size = wire_read(data, len, &h);

	if (size > 0 && c->channel.id)
		agent_send(&c->guest->agent, c->channel.id, h.type, data + WIRE_HEAD, h.len);
	return size;
}

void request_client_gone(struct client *c)
{
	if (c->state == CLIENT_RELAY && c->channel.id)
		agent_drop_channel(&c->guest->agent, &c->channel);
}

static int open_relay(struct client *c, const char *node, uint8_t type, char *const *words,
		      size_t n, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, node, e);
	char *text = NULL;
	size_t len = 0;

	if (!gu)
		return -1;
	if (!gu->agent.said_hello)
		return err_set(e, ERR_ENV, "%s is %s", node, guest_state_name(gu->state));
	FILE *f = open_memstream(&text, &len);

	words_put_line(f, words, n);
	fclose(f);
	len--; /* the newline */
	if (len > WIRE_PAYLOAD_MAX) {
		free(text);
		return err_set(e, ERR_USAGE, "the command is too long: %zu bytes, at most %d", len,
			       WIRE_PAYLOAD_MAX);
	}
	client_ok(c);
	c->state = CLIENT_RELAY;
	c->guest = gu;
	c->channel.on_message = relay_message;
	c->channel.on_gone = relay_gone;
	agent_open_channel(&gu->agent, &c->channel, type, text, (uint32_t)len);
	free(text);
	return ANSWERED;
}

/* Mininet's habit: in "r1 ping h2", h2 stands for its address. */
static void substitute_names(struct lab *lab, struct arena *a, const char *from, char **argv,
			     size_t n)
{
	char buf[80];

	const struct graph *g = lab->graph;
	int self = graph_find_node(g, from);

	for (size_t i = 1; i < n && self >= 0; i++) {
		int node = graph_find_node(g, argv[i]);
		const struct graph_addr *addr =
			node < 0 ? NULL : address_for(&g->nodes[self], &g->nodes[node], 0);

		if (addr)
			argv[i] = arena_strdup(a, graph_format_addr(addr, false, buf, sizeof(buf)));
	}
}

/* exec NODE [subst=1] [key=value...] -- [ARGV...]; without ARGV the node's login shell */
static int request_exec(struct client *c, const struct words *w, struct err *e)
{
	struct arena a = {0};
	size_t dashes = 2;
	const char *subst = words_get(w, "subst");

	while (dashes < w->n && strcmp(w->at[dashes], "--") != 0)
		dashes++;
	if (dashes >= w->n)
		return err_set(e, ERR_USAGE, "exec NODE [key=value...] -- [COMMAND [ARGUMENT...]]");
	if (subst && *subst == '1')
		substitute_names(c->server->lab, &a, w->at[1], w->at + dashes + 1,
				 w->n - dashes - 1);
	VEC(char *) v = {0};

	vec_push(&v, "exec");
	for (size_t i = 2; i < w->n; i++)
		if (i >= dashes || strncmp(w->at[i], "subst=", 6) != 0)
			vec_push(&v, w->at[i]);
	int rc = open_relay(c, w->at[1], WIRE_EXEC, v.at, v.n, e);

	vec_free(&v);
	arena_finish(&a);
	return rc;
}

/* put NODE [mode=0644] PATH; get NODE PATH */
static int request_put(struct client *c, const struct words *w, struct err *e)
{
	VEC(char *) v = {0};

	vec_push(&v, w->at[0]);
	for (size_t i = 2; i < w->n; i++)
		vec_push(&v, w->at[i]);
	int rc = open_relay(c, w->at[1], strcmp(w->at[0], "put") ? WIRE_GET : WIRE_PUT, v.at, v.n,
			    e);

	vec_free(&v);
	return rc;
}

/* In virtual time a start is done when the calendar has the kernel: from there on it is exact. */
static bool start_is_over(const struct client *c, struct err *e)
{
	return c->guest->joined || (c->guest->state == GUEST_DOWN && !c->guest->queued);
}

static int request_start(struct client *c, const struct words *w, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, w->at[1], e);

	if (!gu || lab_start_guest(c->server->lab, gu, e) < 0)
		return -1;
	if (!c->server->lab->clock.is_virtual || gu->joined)
		return 0;
	c->guest = gu;
	c->state = CLIENT_WAIT;
	c->is_over = start_is_over;
	return ANSWERED;
}

static int request_stop(struct client *c, const struct words *w, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, w->at[1], e);

	if (!gu)
		return -1;
	if (gu->state == GUEST_DOWN && !gu->queued)
		return err_set(e, ERR_USAGE, "%s is down", gu->name);
	lab_stop_guest(c->server->lab, gu, !strcmp(w->at[0], "kill"));
	return 0;
}

static int request_restart(struct client *c, const struct words *w, struct err *e)
{
	struct guest *gu = lab_find_guest(c->server->lab, w->at[1], e);

	if (!gu)
		return -1;
	gu->restart = true;
	lab_stop_guest(c->server->lab, gu, false);
	return 0;
}

static bool wait_is_over(const struct client *c, struct err *e)
{
	const struct lab *lab = c->server->lab;

	if (!c->guest)
		return lab_is_ready(lab);
	if (c->guest->state == GUEST_DOWN && !c->guest->queued && c->guest->wanted == false) {
		err_set(e, ERR_ENV, "%s is down", c->guest->name);
		return true;
	}
	return c->guest->state == GUEST_READY;
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

static void on_wait_timeout(struct loop_timer *t, int64_t now_ns)
{
	struct client *c = (struct client *)((char *)t - offsetof(struct client, timeout));
	struct err e;

	err_set(&e, ERR_TIMEOUT, "not ready in time");
	if (c->guest)
		err_set(&e, ERR_TIMEOUT, "%s is %s, not ready in time", c->guest->name,
			guest_state_name(c->guest->state));
	c->state = CLIENT_LINE;
	client_error(c, &e);
}

/* wait [NODE] [timeout=60s] */
static int request_wait(struct client *c, const struct words *w, struct err *e)
{
	const char *timeout = words_get(w, "timeout");
	int64_t ns = INT64_C(60000000000);
	struct err why = {0};

	if (timeout && unit_parse(UNIT_TIME, timeout, &ns, e) < 0)
		return -1;
	c->guest = NULL;
	if (w->n > 1 && !is_option(w->at[1])) {
		c->guest = lab_find_guest(c->server->lab, w->at[1], e);
		if (!c->guest)
			return -1;
	}
	if (wait_is_over(c, &why)) {
		*e = why;
		return why.kind ? -1 : 0;
	}
	c->state = CLIENT_WAIT;
	c->is_over = wait_is_over;
	c->timeout.fire = on_wait_timeout;
	loop_set_timer(c->server->loop, &c->timeout, loop_now_ns(c->server->loop) + ns);
	return ANSWERED;
}

static void on_plain(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct err e;

	if (client_lives(q->server, q->client)) {
		if (ok) {
			client_ok(q->client);
		} else {
			err_set(&e, ERR_USAGE, "%s", text);
			client_error(q->client, &e);
		}
	}
	free(q);
}

/* capture NODE:NIC FIFO; capture-end FIFO. The FIFO's path names the capture. */
static int request_capture(struct client *c, const struct words *w, struct err *e)
{
	struct query *q = query_create(c);
	struct arena a = {0};
	bool end = w->n == 2;
	const char *path = w->at[w->n - 1];
	const char *slash = strrchr(path, '/');
	const char *name = words_quote(&a, slash ? slash + 1 : path);

	substrate_send(&c->server->lab->substrate,
		       end ? arena_printf(&a, "remove %s", name)
			   : arena_printf(&a, "capture %s %s file=%s", name,
					  words_quote(&a, w->at[1]), words_quote(&a, path)),
		       on_plain, q);
	arena_finish(&a);
	return ANSWERED;
}

static void on_now(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct lab *lab = q->server->lab;
	long long now_ns;

	if (client_lives(q->server, q->client)) {
		if (ok && sscanf(text, "%lld", &now_ns) == 1)
			lab->clock.now_ns = now_ns;
		struct reply r;

		fprintf(reply_open(&r), "%.9f s, pace %s%s\n", (double)lab->clock.now_ns / 1e9,
			lab->clock.pace, lab->clock.stopped ? ", paused" : "");
		reply_send(&r, q->client);
		client_ok(q->client);
	}
	free(q);
}

static bool clock_is_stopped(const struct client *c, struct err *e)
{
	struct lab_clock *clock = &c->server->lab->clock;

	if (clock->refused.kind) {
		*e = clock->refused;
		clock->refused.kind = ERR_NONE;
		return true;
	}
	return clock->stopped;
}

static int request_clock(struct client *c, const struct words *w, struct err *e)
{
	struct lab *lab = c->server->lab;

	if (w->n == 1 && lab->clock.is_virtual) {
		struct query *q = query_create(c);

		substrate_send(&lab->substrate, "now", on_now, q);
		return ANSWERED;
	}
	int rc = clock_command(lab, w, NULL, e);

	if (rc == 1) {
		c->state = CLIENT_WAIT;
		c->is_over = clock_is_stopped;
	}
	return rc;
}

static bool change_is_done(const struct client *c, struct err *e)
{
	struct lab *lab = c->server->lab;

	if (lab->outstanding)
		return false;
	*e = lab->refused;
	lab->refused.kind = ERR_NONE;
	return true;
}

/* The answer to a change comes when the substrate has made it. */
static int answer_change(struct client *c, struct err *e)
{
	if (change_is_done(c, e))
		return e->kind ? -1 : 0;
	c->guest = NULL;
	c->state = CLIENT_WAIT;
	c->is_over = change_is_done;
	return ANSWERED;
}

static int request_link(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;
	FILE *f = reply_open(&r);
	int rc = link_command(c->server->lab, w, f, e);

	reply_send(&r, c);
	return rc < 0 ? rc : answer_change(c, e);
}

/* job NODE [timeout_ms=N] -- ARGV...; result NUMBER */
static int request_job(struct client *c, const struct words *w, struct err *e)
{
	struct reply r;
	FILE *f = reply_open(&r);
	int rc = job_command(c->server->lab, w, f, e);

	reply_send(&r, c);
	return rc;
}

/* One more line of the script. */
static int add_statement(struct client *c, const char *statement, struct err *e)
{
	struct lab *lab = c->server->lab;
	struct graph *g = topo_add_statement(lab->script, statement, strlen(statement));

	if (!g) {
		char *text = NULL;
		size_t len = 0;
		FILE *f = open_memstream(&text, &len);

		topo_print_errors(f, lab->script);
		fclose(f);
		while (len && text[len - 1] == '\n')
			text[--len] = '\0';
		err_set(e, ERR_USAGE, "%s", text);
		free(text);
		return -1;
	}
	return link_change_graph(lab, g, e) < 0 ? -1 : answer_change(c, e);
}

static int request_statement(struct client *c, const struct words *w, struct err *e)
{
	return add_statement(c, w->at[1], e);
}

/* plug NODE:NIC NODE:NIC: a cable between two free NICs. */
static int request_plug(struct client *c, const struct words *w, struct err *e)
{
	struct arena a = {0};
	char *statement =
		w->n == 3 ? link_statement(c->server->lab, &a, w->at[1], w->at[2], e) : NULL;
	int rc = -1;

	if (w->n == 2)
		rc = request_link(c, w, e);
	else if (statement)
		rc = add_statement(c, statement, e);
	arena_finish(&a);
	return rc;
}

static const struct request requests[] = {
	{"status", 1, 2, request_status},
	{"nodes", 1, 1, request_nodes},
	{"down", 1, 1, request_down},
	{"hold", 1, 1, request_hold},
	{"exec", 3, SIZE_MAX, request_exec},
	{"put", 3, 4, request_put},
	{"get", 3, 3, request_put},
	{"job", 4, SIZE_MAX, request_job},
	{"result", 2, 2, request_job},
	{"start", 2, 2, request_start},
	{"stop", 2, 2, request_stop},
	{"kill", 2, 2, request_stop},
	{"restart", 2, 2, request_restart},
	{"wait", 1, 3, request_wait},
	{"clock", 1, 3, request_clock},
	{"capture", 3, 3, request_capture},
	{"capture-end", 2, 2, request_capture},
	{"link", 2, SIZE_MAX, request_link},
	{"plug", 2, 3, request_plug},
	{"unplug", 2, 2, request_link},
	{"statement", 2, 2, request_statement},
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
	int rc = words_split(line, len, &a, &w, &e);
	const struct request *r = NULL;

	if (rc == 0 && w.n == 0)
		rc = err_set(&e, ERR_USAGE, "an empty request");
	if (rc == 0)
		r = find_request(w.at[0], &e);
	if (r && (w.n < r->min_words || w.n > r->max_words))
		rc = err_set(&e, ERR_USAGE, "wrong number of words for %s", r->name);
	else if (r)
		rc = r->run(c, &w, &e);
	if (rc < 0 || !r)
		client_error(c, &e);
	else if (rc == 0)
		client_ok(c);
	arena_finish(&a);
}
