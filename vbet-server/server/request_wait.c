/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Waiting until a node, or the lab, is ready.
 *
 * Nothing is polled: a client that waits is put into the state CLIENT_WAIT together with the
 * question that it waits for, and whatever changes a guest or the progress of the lab has the
 * question asked again (request_check_waiting()). A wait ends also when it has become hopeless: the
 * node has failed or is down for good, or a process that carries it has ended. A test must not sit
 * out its timeout for a lab that can never become ready.
 *
 * The timeout is in the time of the host also when the lab's clock is virtual: it guards the
 * patience of who waits, and a lab whose clock stands would never reach a virtual one.
 */
#include "lib/container_of.h"
#include "lib/units.h"
#include "lib/xalloc.h"
#include "vbet-server/server/request.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void request_await(struct client *c, const char *guest)
{
	free(c->awaited);
	c->awaited = guest ? xstrdup(guest) : NULL;
}

static bool is_option(const char *word)
{
	return strchr(word, '=') != NULL;
}

/*
 * True also when there is nothing left to wait for; `e` has the reason then, and its kind stays 0
 * when all is well. A guest that is down is no reason yet while its start is queued or wanted: it
 * is about to boot.
 */
static bool wait_is_over(const struct client *c, struct err *e)
{
	struct lab *lab = c->server->lab;

	if (lab_is_lost(lab, c->awaited ? graph_find_node(lab->graph, c->awaited) : -1, e))
		return true;
	if (!c->awaited)
		return progress_is_ready(lab);
	/* It may have been freed meanwhile. */
	const struct guest *gu = lab_find_guest(lab, c->awaited, e);

	if (!gu || gu->state == GUEST_READY)
		return true;
	if (gu->failed.kind)
		*e = gu->failed;
	else if (gu->state == GUEST_DOWN && !gu->queued && !gu->wanted)
		err_set(e, ERR_ENV, "%s is down", gu->name);
	else
		return false;
	return true;
}

static void on_wait_timeout(struct loop_timer *t, int64_t now_ns)
{
	struct client *c = container_of(t, struct client, timeout);
	const struct guest *gu =
		c->awaited ? lab_find_guest(c->server->lab, c->awaited, NULL) : NULL;
	struct err e;

	err_set(&e, ERR_TIMEOUT, "not ready in time");
	if (gu)
		err_set(&e, ERR_TIMEOUT, "%s is %s, not ready in time", gu->name,
			guest_state_name(gu->state));
	c->state = CLIENT_LINE;
	client_error(c, &e);
}

/*
 * text: what has ended. The client may have gone while the carriers were asked: the query knows,
 * and is ours to free.
 */
static void on_whole(void *ctx, bool ok, const char *text)
{
	struct query *q = ctx;
	struct client *c = query_client(q);
	struct err e;

	if (c && ok) {
		client_ok(c);
	} else if (c) {
		err_set(&e, ERR_ENV, "the process %s has ended", text);
		lab_is_lost(q->server->lab, -1, &e);
		client_error(c, &e);
	}
	free(q);
}

/*
 * "whole": do all processes of the lab still live? Tests ask it about once a second: what they wait
 * for may never come otherwise.
 */
int request_whole(struct client *c, const struct words *w, struct err *e)
{
	carriers_ask_whole(&c->server->lab->carriers, on_whole, query_create(c));
	return REQUEST_ANSWERED;
}

/* What has no kernel is ready if its process lives: that one is asked. */
static int wait_for_device(struct client *c, int node, struct err *e)
{
	struct lab *lab = c->server->lab;
	const struct graph_node *n = &lab->graph->nodes[node];

	if (n->stopped)
		return err_set(e, ERR_ENV, "%s is down", n->name);
	carriers_send(&lab->carriers, lab->plan->places[node].process, "now", on_whole,
		      query_create(c));
	return REQUEST_ANSWERED;
}

/* wait [NODE] [timeout=60s] */
int request_wait(struct client *c, const struct words *w, struct err *e)
{
	const char *timeout = words_get(w, "timeout");
	int64_t ns = INT64_C(60000000000);
	struct err why = {0};
	struct lab *lab = c->server->lab;

	if (timeout && unit_parse(UNIT_TIME, timeout, &ns, e) < 0)
		return -1;
	request_await(c, NULL);
	if (w->n > 1 && !is_option(w->at[1])) {
		int node = graph_find_node(lab->graph, w->at[1]);

		if (node >= 0 && !lab->guests[node])
			return wait_for_device(c, node, e);
		if (!lab_find_guest(lab, w->at[1], e))
			return -1;
		request_await(c, w->at[1]);
	}
	if (wait_is_over(c, &why)) {
		*e = why;
		return why.kind ? -1 : 0;
	}
	request_tell_clock(c);
	c->state = CLIENT_WAIT;
	c->is_over = wait_is_over;
	c->timeout.fire = on_wait_timeout;
	loop_set_timer(c->server->loop, &c->timeout, loop_now_ns(c->server->loop) + ns);
	return REQUEST_ANSWERED;
}
